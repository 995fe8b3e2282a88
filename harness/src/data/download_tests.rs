//! Downloads from a server on this machine that behaves well, breaks off, forgets, and lies.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use valleys_sim::progress::Silent;

use super::*;

/// What the server does with a connection.
#[derive(Debug, Clone)]
pub(in crate::data) enum Reply {
    /// Sends these bytes, from where the client asks.
    Send(Vec<u8>),
    /// The same, and breaks off after so many.
    Cut(Vec<u8>, usize),
    /// Sends all of these bytes, whatever the client asks.
    Whole(Vec<u8>),
    /// Sends them a little at a time, for ever.
    Drip,
    Status(&'static str),
}

/// A server that answers each connection as the next of a list says, and the rest as the last of it says.
pub(in crate::data) struct Server {
    pub(in crate::data) address: String,
    /// The offset each request asked for, and its path.
    pub(in crate::data) asked: Arc<Mutex<Vec<(usize, String)>>>,
}

impl Server {
    pub(in crate::data) fn new(replies: Vec<Reply>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("bound"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let reply = replies[number.min(replies.len() - 1)].clone();
                // A client that hangs up is the client's business.
                let _ = stream.and_then(|stream| answer(stream, reply, &log));
            }
        });
        Self { address, asked }
    }

    pub(in crate::data) fn offsets(&self) -> Vec<usize> {
        self.asked.lock().expect("no panic").iter().map(|(offset, _)| *offset).collect()
    }
}

fn answer(mut stream: std::net::TcpStream, reply: Reply, log: &Mutex<Vec<(usize, String)>>) -> std::io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let request = lines.next().transpose()?.unwrap_or_default();
    let (mut offset, mut ranged) = (0, false);
    for line in lines {
        let line = line?.to_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(range) = line.strip_prefix("range: bytes=") {
            offset = range.trim_end_matches('-').parse().unwrap_or(0);
            ranged = true;
        }
    }
    let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
    log.lock().expect("no panic").push((offset, path));
    let (bytes, end) = match reply {
        Reply::Status(status) => {
            return write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        }
        Reply::Drip => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\nConnection: close\r\n\r\n")?;
            loop {
                stream.write_all(b"x")?;
                sleep(Duration::from_millis(10));
            }
        }
        Reply::Whole(bytes) => {
            write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", bytes.len())?;
            return stream.write_all(&bytes);
        }
        Reply::Send(bytes) => (bytes, usize::MAX),
        Reply::Cut(bytes, end) => (bytes, end),
    };
    let total = bytes.len();
    if ranged && offset >= total {
        let head = "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\nConnection: close\r\n";
        return write!(stream, "{head}Content-Range: bytes */{total}\r\n\r\n");
    }
    let rest = &bytes[offset..];
    let status = if ranged { "206 Partial Content" } else { "200 OK" };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nAccept-Ranges: bytes\r\nConnection: close\r\n",
        rest.len()
    )?;
    if ranged {
        write!(stream, "Content-Range: bytes {offset}-{}/{total}\r\n", total - 1)?;
    }
    stream.write_all(b"\r\n")?;
    stream.write_all(&rest[..rest.len().min(end)])
}

/// Bytes that are no repetition of themselves.
pub(in crate::data) fn contents(length: usize) -> Vec<u8> {
    (0..length as u64).map(|i| (i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8).collect()
}

/// The MD5 sum of `contents(100_000)`.
const SUM: &str = "7e9ae0a83bec5feb8af059f18a023d76";

/// A downloader, a server, a folder, and what became of the request.
struct Trial {
    server: Server,
    folder: tempfile::TempDir,
    result: Result<PathBuf>,
    /// Progress that was reported, in bytes.
    units: u64,
}

impl Trial {
    fn new(downloader: Downloader, replies: Vec<Reply>, part: &[u8]) -> Self {
        let server = Server::new(replies);
        let folder = tempfile::tempdir().expect("temporary folder");
        if !part.is_empty() {
            fs::write(folder.path().join("file.part"), part).expect("file");
        }
        let observer = Stopping::after(u64::MAX);
        let result = downloader.fetch(&request(&server, folder.path()), &observer);
        Self { server, folder, result, units: observer.units() }
    }

    fn whole(&self) -> bool {
        let Ok(path) = &self.result else { return false };
        assert_eq!(path, &self.part());
        assert!(fs::read(path).expect("file") == contents(100_000) && !self.folder.path().join("file").exists());
        true
    }

    fn part(&self) -> PathBuf {
        self.folder.path().join("file.part")
    }

    fn message(&self) -> String {
        self.result.as_ref().expect_err("refused").to_string()
    }
}

fn request<'a>(server: &Server, folder: &Path) -> Request<'a> {
    let address = format!("{}/file", server.address);
    Request { address, md5: SUM, bytes: 100_000, target: folder.join("file") }
}

/// The programs of this machine; a machine without any has nothing to test here.
pub(in crate::data) fn downloaders() -> impl Iterator<Item = Downloader> {
    [Downloader::Curl, Downloader::Wget].into_iter().filter(|downloader| downloader.runs())
}

#[test]
fn a_file_comes_whole_and_a_cut_connection_is_continued_where_it_broke() {
    let file = || contents(100_000);
    for downloader in downloaders() {
        let trial = Trial::new(downloader, vec![Reply::Send(file())], &[]);
        assert!(trial.whole() && trial.server.offsets() == [0], "{downloader:?}");
        let cuts = vec![Reply::Cut(file(), 30_000), Reply::Cut(file(), 25_000), Reply::Send(file())];
        let trial = Trial::new(downloader, cuts, &[]);
        assert!(trial.whole(), "{downloader:?}: {:?}", trial.result);
        assert_eq!((trial.server.offsets(), trial.units), (vec![0, 30_000, 55_000], 100_000), "{downloader:?}");
        let trial = Trial::new(downloader, vec![Reply::Send(file())], &file()[..60_000]);
        assert!(trial.whole() && trial.server.offsets() == [60_000], "{downloader:?}");
        assert_eq!(trial.units, 100_000, "{downloader:?}: what was there counts as done");
    }
}

#[test]
fn a_server_that_breaks_off_at_once_is_given_up_and_the_part_is_kept() {
    for downloader in downloaders() {
        let replies = vec![Reply::Cut(contents(100_000), 40_000), Reply::Cut(contents(100_000), 0)];
        let trial = Trial::new(downloader, replies, &[]);
        assert!(!trial.whole() && trial.server.offsets().len() == 4, "{downloader:?}: {:?}", trial.server.offsets());
        assert_eq!(size(&trial.part()), 40_000, "{downloader:?}");
    }
}

#[test]
fn a_server_that_cannot_continue_or_a_part_that_does_not_fit_means_beginning_anew_once() {
    let file = || contents(100_000);
    for downloader in downloaders() {
        let trial = Trial::new(downloader, vec![Reply::Whole(file())], &file()[..10_000]);
        assert!(trial.whole(), "{downloader:?}: {:?}", trial.result);
        let trial = Trial::new(downloader, vec![Reply::Send(file())], &[7; 10_000]);
        assert!(trial.whole() && trial.server.offsets() == [10_000, 0], "{downloader:?}");
        // A part of the whole's size is compared before anyone is asked.
        for (part, asked) in [(file(), &[][..]), (vec![7; 100_000], &[0]), (vec![7; 100_001], &[100_001, 0])] {
            let trial = Trial::new(downloader, vec![Reply::Send(file())], &part);
            assert!(trial.whole() && trial.server.offsets() == asked, "{downloader:?}: {:?}", trial.result);
        }
    }
}

#[test]
fn wrong_bytes_are_fetched_once_and_thrown_away() {
    for downloader in downloaders() {
        let mut wrong = contents(100_000);
        wrong[50_000] ^= 1;
        let trial = Trial::new(downloader, vec![Reply::Send(wrong.clone())], &[]);
        assert!(!trial.whole() && trial.server.offsets() == [0], "{downloader:?}");
        assert!(trial.message().contains(&format!("allowed: {SUM}")), "{}", trial.message());
        assert_eq!(fs::read_dir(trial.folder.path()).expect("folder").count(), 0, "{downloader:?}");
        let trial = Trial::new(downloader, vec![Reply::Send(wrong)], &contents(100_000)[..10]);
        assert!(!trial.whole() && trial.server.offsets() == [10, 0], "{downloader:?}");
        // A file that does not end.
        let trial = Trial::new(downloader, vec![Reply::Whole(vec![0; 4 << 20])], &[]);
        assert!(!trial.whole(), "{downloader:?}");
        assert_eq!(size(&trial.part()), 0, "{downloader:?}");
    }
}

#[test]
fn an_error_of_the_server_and_a_server_that_is_not_there_are_one_line() {
    for downloader in downloaders() {
        let trial = Trial::new(downloader, vec![Reply::Status("404 Not Found")], &contents(10));
        assert!(trial.message().contains("404"), "{}", trial.message());
        assert_eq!((trial.message().lines().count(), trial.server.offsets().len()), (1, 1));
        assert_eq!(size(&trial.part()), 10, "what was there is kept");
        let folder = tempfile::tempdir().expect("temporary folder");
        // Port 1 of this machine, where nothing listens.
        let address = "http://127.0.0.1:1/file".to_owned();
        let request = Request { address, md5: SUM, bytes: 1, target: folder.path().join("deep/file") };
        let said = downloader.fetch(&request, &Silent).expect_err("nobody there").to_string();
        assert!(said.starts_with("http://127.0.0.1:1/file: ") && said.contains("https_proxy"), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
    }
}

#[test]
fn a_part_is_thrown_away_for_what_the_server_answered_and_not_for_words() {
    // 416, "range not satisfiable", means that the part is too long; as a port or in a sentence it means nothing.
    for downloader in downloaders() {
        let trial = Trial::new(downloader, vec![Reply::Status("404 No page 416")], &contents(10));
        assert!(trial.result.is_err() && size(&trial.part()) == 10, "{downloader:?}: {:?}", trial.result);
        let folder = tempfile::tempdir().expect("temporary folder");
        let target = folder.path().join("file");
        fs::write(partial(&target), contents(10)).expect("file");
        let request = Request { address: "http://127.0.0.1:416/file".to_owned(), md5: SUM, bytes: 100_000, target };
        assert!(downloader.fetch(&request, &Silent).is_err());
        assert_eq!(size(&partial(&request.target)), 10, "{downloader:?}");
    }
    let judged = |code, status| match Downloader::Curl.judge(Some(code), status, "error 416".to_owned()) {
        Attempt::Done => "done",
        Attempt::Broken(_) => "broken",
        Attempt::Unfit(_) => "unfit",
        Attempt::Refused(_) => "refused",
    };
    assert_eq!(
        [(22, Some(416)), (22, Some(404)), (22, None)].map(|(code, status)| judged(code, status)),
        ["unfit", "refused", "refused"]
    );
    assert_eq!(
        [(7, Some(0)), (56, Some(416)), (33, Some(200))].map(|(code, status)| judged(code, status)),
        ["refused", "broken", "unfit"]
    );
}

/// Asks for a stop once so many units are done.
pub(in crate::data) struct Stopping {
    after: u64,
    units: AtomicU64,
    tasks: AtomicI64,
}

impl Stopping {
    pub(in crate::data) fn after(units: u64) -> Self {
        Self { after: units, units: AtomicU64::new(0), tasks: AtomicI64::new(0) }
    }

    pub(in crate::data) fn units(&self) -> u64 {
        self.units.load(Ordering::SeqCst)
    }

    /// Tasks begun and not finished.
    pub(in crate::data) fn tasks(&self) -> i64 {
        self.tasks.load(Ordering::SeqCst)
    }
}

impl Observer for Stopping {
    fn begin(&self, _task: &str, _units: u64) {
        self.tasks.fetch_add(1, Ordering::SeqCst);
    }
    fn advance(&self, units: u64) {
        self.units.fetch_add(units, Ordering::SeqCst);
    }
    fn note(&self, _line: &str) {}
    fn finish(&self) {
        self.tasks.fetch_sub(1, Ordering::SeqCst);
    }
    fn interrupted(&self) -> bool {
        self.units() >= self.after
    }
}

#[test]
fn a_download_stops_when_asked() {
    for downloader in downloaders() {
        let server = Server::new(vec![Reply::Drip]);
        let folder = tempfile::tempdir().expect("temporary folder");
        // curl keeps its first bytes to itself for a while; what counts is that a stop is heard.
        let observer = Stopping::after(1);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                sleep(Duration::from_millis(400));
                observer.advance(1);
            });
            let stopped = downloader.fetch(&request(&server, folder.path()), &observer);
            assert!(matches!(stopped, Err(Error::Interrupted)), "{downloader:?}: {stopped:?}");
        });
        assert!(!folder.path().join("file").exists());
    }
}
