//! `valleys data` and `--data`, as a user meets them.

mod common;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use common::{outcome, refuses, run, valleys};

/// The colour of image i.
fn colour(i: u8) -> [u8; 3] {
    [20 * i, 255 - 20 * i, 40]
}

/// CIFAR-100 with so many images in both of its files, image i of class i and of one colour.
fn cifar100(home: &Path, images: u8) {
    let folder = home.join("valleys-data/cifar-100-binary");
    fs::create_dir_all(&folder).expect("folder");
    for file in ["train.bin", "test.bin"] {
        let records: Vec<u8> =
            (0..images).flat_map(|i| [vec![0, i], colour(i).map(|byte| [byte; 1024]).concat()].concat()).collect();
        fs::write(folder.join(file), records).expect("file");
    }
}

#[test]
fn info_counts_classes_says_what_is_missing_and_draws_a_sheet() {
    let home = tempfile::tempdir().expect("temporary folder");
    cifar100(home.path(), 3);
    for data in ["cifar100", "valleys-data", "valleys-data/cifar-100-binary", "cifar100=valleys-data"] {
        let (code, said, message) = run(&["data", "info", data, "--sheet", "sheet.png"], home.path());
        assert_eq!(code, Some(0), "{message}");
        for words in [
            "CIFAR-100, binary version",
            "a subset: 3 of the official 50000 training images",
            "aquarium_fish      1     1",
            "all                3     3",
            "0.0784 0.9216 0.1569",
            "SHA-256",
        ] {
            assert!(said.contains(words), "{data}: `{words}` is not in: {said}");
        }
        let sheet = fs::read(home.path().join("sheet.png")).expect("a sheet");
        assert_eq!(&sheet[1..4], b"PNG");
        fs::remove_file(home.path().join("sheet.png")).expect("file");
    }
    let (code, said, _) = run(&["data", "info", "synthetic"], home.path());
    assert!(code == Some(0) && said.contains("checked ring"), "{said}");
}

#[test]
fn a_sheet_shows_the_pixels_of_the_images() {
    let home = tempfile::tempdir().expect("temporary folder");
    cifar100(home.path(), 10);
    assert_eq!(run(&["data", "info", "cifar100", "--sheet", "sheet.png"], home.path()).0, Some(0));
    let file = std::io::BufReader::new(fs::File::open(home.path().join("sheet.png")).expect("a sheet"));
    let mut reader = png::Decoder::new(file).read_info().expect("PNG");
    let mut rgba = vec![0; reader.output_buffer_size().expect("small")];
    reader.next_frame(&mut rgba).expect("PNG");
    for i in 0..10 {
        // Every image is 32×32 at two by two pixels a pixel.
        let [red, green, blue] = colour(i);
        let shown = rgba.chunks_exact(4).filter(|pixel| *pixel == [red, green, blue, 255]).count();
        assert_eq!(shown, 64 * 64, "{i}");
    }
}

#[test]
fn verify_tells_official_files_from_others() {
    let home = tempfile::tempdir().expect("temporary folder");
    cifar100(home.path(), 1);
    let (code, said, message) = run(&["data", "verify", "cifar100"], home.path());
    assert!(code == Some(1) && said.matches("differs, MD5").count() == 2, "{said}");
    assert!(message.contains("not the official files of CIFAR-100"), "{message}");
    refuses(&["data", "verify", "svhn"], home.path(), 1, &["no files of SVHN", "train_32x32.mat"]);
    // What differs may be somebody's own, and is left alone.
    refuses(&["data", "fetch", "cifar100"], home.path(), 1, &["train.bin", "not the official file"]);
}

#[test]
fn wrong_names_and_folders_are_one_clear_line() {
    let home = tempfile::tempdir().expect("temporary folder");
    refuses(&["data", "fetch", "cifra10"], home.path(), 2, &["cifra10", "cifar10"]);
    refuses(&["data", "fetch", "synthetic"], home.path(), 2, &["synthetic has no official files"]);
    refuses(&["data", "info", "cifar10"], home.path(), 1, &["valleys data fetch cifar10"]);
    refuses(&["data", "info", "cifra10"], home.path(), 1, &["cifra10: no such folder", "cifar10"]);
    refuses(&["data", "info", "svnh=."], home.path(), 2, &["svnh", "svhn"]);
    refuses(&["data", "info", "svhn=."], home.path(), 1, &["no files of SVHN"]);
    refuses(&["data", "info", "folder"], home.path(), 2, &["folder=DIR"]);
    refuses(&["data", "info", "synthetic", "--sheet", "a.jpg"], home.path(), 2, &["a.jpg", ".png"]);
    refuses(&["data", "fetch", "svhn", "--mirror", "file:///x"], home.path(), 2, &["file:///x", "http"]);
}

#[test]
fn training_takes_any_data_set_and_as_many_images_as_there_are() {
    let home = tempfile::tempdir().expect("temporary folder");
    cifar100(home.path(), 12);
    let small = ["--network", "resnet8", "--epochs", "1", "--after-swa", "1", "--out", "run"];
    let (code, said, message) = run(&[&["train", "--data", "cifar100"][..], &small].concat(), home.path());
    assert_eq!(code, Some(0), "{message}");
    assert!(message.contains("note: CIFAR-100: a subset: 12 of the official 50000"), "{message}");
    assert!(said.contains("ResNet-8 SWA"), "{said}");
    let config = fs::read_to_string(home.path().join("run/config.toml")).expect("a configuration");
    assert!(config.contains("name = \"cifar100\"") && config.contains("train_images = 12"), "{config}");
    let line = ["landscape", "line", "run", "--data", "valleys-data", "--points", "3", "--out", "line"];
    let (code, _, message) = run(&line, home.path());
    assert_eq!(code, Some(0), "{message}");
    // Every experiment needs more images than a minibatch has, and says so before training.
    let (code, _, message) =
        run(&["reproduce", "--profile", "small", "--data", "cifar100", "--out", "story"], home.path());
    assert!(
        code == Some(2) && message.contains("landscape.spec.train_images is 12; allowed: more than 128"),
        "{message}"
    );
    assert!(!home.path().join("story").exists());
}

/// Whether the usual program that downloads is here; a machine without it has nothing to test below.
fn curl() -> bool {
    let mut probe = Command::new("curl");
    probe.arg("--version").stdout(Stdio::null()).status().is_ok_and(|status| status.success())
}

#[test]
fn without_a_network_fetching_ends_with_one_clear_line() {
    let home = tempfile::tempdir().expect("temporary folder");
    if curl() {
        // Nothing listens on port 1 of this machine.
        let words = ["http://127.0.0.1:1/train_32x32.mat", "by hand"];
        refuses(&["data", "fetch", "svhn", "--mirror", "http://127.0.0.1:1"], home.path(), 1, &words);
        assert!(fs::read_dir(home.path().join("valleys-data/svhn")).expect("folder").next().is_none());
    }
}

/// A folder in which only this program is found, if it is installed.
#[cfg(unix)]
fn alone(program: &str) -> Option<tempfile::TempDir> {
    let path = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&path).map(|folder| folder.join(program)).find(|path| path.is_file())?;
    let folder = tempfile::tempdir().expect("temporary folder");
    std::os::unix::fs::symlink(found, folder.path().join(program)).expect("a link");
    Some(folder)
}

#[test]
#[cfg(unix)]
fn ctrl_c_ends_a_download_as_an_interruption_and_the_next_goes_on_from_there() {
    use std::os::unix::process::CommandExt;
    use std::time::{Duration, Instant};

    for program in ["curl", "wget"] {
        let Some(tools) = alone(program) else { continue };
        let home = tempfile::tempdir().expect("temporary folder");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mirror = format!("http://{}", listener.local_addr().expect("bound"));
        // The first client gets a file that takes for ever, the second an error; the requests are kept.
        let server = std::thread::spawn(move || {
            let accept = || {
                let (mut stream, _) = listener.accept().expect("a client");
                let mut request = [0; 2048];
                let length = stream.read(&mut request).expect("a request");
                (stream, String::from_utf8_lossy(&request[..length]).into_owned())
            };
            let (mut stream, _) = accept();
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 182040794\r\n\r\n").expect("sent");
            while stream.write_all(&[7; 20_000]).is_ok() {
                std::thread::sleep(Duration::from_millis(20));
            }
            let (mut stream, request) = accept();
            stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").expect("sent");
            request
        });
        let arguments = ["data", "fetch", "svhn", "--mirror", &mirror];
        let mut command = valleys(&arguments, home.path());
        command.env("PATH", tools.path()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A terminal's Ctrl-C goes to the process group of the command: to it and to what it started.
        let child = command.process_group(0).spawn().expect("the binary starts");
        let part = home.path().join("valleys-data/svhn/train_32x32.mat.part");
        let size = || fs::metadata(&part).map_or(0, |file| file.len());
        let began = Instant::now();
        while size() < 50_000 {
            assert!(began.elapsed() < Duration::from_secs(60), "{program} brings nothing");
            std::thread::sleep(Duration::from_millis(10));
        }
        let kill = Command::new("sh").args(["-c", &format!("kill -INT -{}", child.id())]).status().expect("a shell");
        assert!(kill.success());
        let (code, _, message) = outcome(&child.wait_with_output().expect("an end"));
        assert_eq!((code, message.lines().last()), (Some(130), Some("valleys: interrupted")), "{program}: {message}");
        let kept = size();
        assert!(kept >= 50_000, "{program}: {kept}");
        let mut command = valleys(&arguments, home.path());
        let (code, _, message) = outcome(&command.env("PATH", tools.path()).output().expect("the binary starts"));
        assert!(code == Some(1) && message.contains("404"), "{program}: {message}");
        assert_eq!(size(), kept, "{program}: what was there is kept");
        let request = server.join().expect("asked").to_lowercase();
        assert!(request.contains(&format!("range: bytes={kept}-")), "{program}: {request}");
    }
}

#[test]
fn a_proxy_from_the_environment_is_asked() {
    if !curl() {
        return;
    }
    let home = tempfile::tempdir().expect("temporary folder");
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let proxy = format!("http://{}", listener.local_addr().expect("bound"));
    let asked = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut request = [0; 2048];
        let length = stream.read(&mut request).expect("a request");
        stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").expect("sent");
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    let mut command = valleys(&["data", "fetch", "svhn", "--mirror", "http://data.invalid/x"], home.path());
    command.env("http_proxy", proxy).env_remove("no_proxy").env_remove("NO_PROXY");
    let (code, _, message) = outcome(&command.output().expect("the binary starts"));
    assert!(code == Some(1) && message.contains("403"), "{message}");
    let asked = asked.join().expect("asked");
    assert!(asked.starts_with("GET http://data.invalid/x/train_32x32.mat "), "{asked}");
}
