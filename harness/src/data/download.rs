//! One file from the network, resumable, checked.
//!
//! The transfer is made by `curl`, or else `wget`, as a process of its own: they are where people download data,
//! they speak TLS with the machine's own certificates, and they follow its proxies. What they deliver goes to `FILE.part`,
//! and is accepted once it has the right MD5 sum.

use std::fs::{self, File};
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::Duration;

use valleys_sim::progress::Observer;

use super::official::md5_of;
use crate::{Error, Result};

/// Time between two looks at a transfer.
const GLANCE: Duration = Duration::from_millis(50);
/// Attempts in a row that bring nothing.
const ATTEMPTS: u32 = 3;
/// Seconds without a connection, or with hardly a byte, after which a transfer is given up.
const PATIENCE: &str = "60";

/// A program that downloads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Downloader {
    /// curl 7.20 or later.
    Curl,
    /// GNU wget.
    Wget,
}

/// A file wanted from the network.
#[derive(Debug, Clone)]
pub(super) struct Request<'a> {
    pub(super) address: String,
    pub(super) md5: &'a str,
    /// Its size; nothing much larger is accepted.
    pub(super) bytes: u64,
    pub(super) target: PathBuf,
}

/// How an attempt ended.
enum Attempt {
    Done,
    /// The connection broke: what came is good, more may follow.
    Broken(String),
    /// What lies in the partial file cannot be continued.
    Unfit(String),
    Refused(String),
}

impl Downloader {
    /// The first of these programs that runs here.
    ///
    /// # Errors
    /// [`Error::Domain`] if there is neither.
    pub fn find() -> Result<Self> {
        let known = [Self::Curl, Self::Wget].into_iter().find(|program| program.runs());
        known.ok_or_else(|| Error::domain("program that downloads", "missing", "curl or wget, installed"))
    }

    /// Whether it can be started.
    pub fn runs(self) -> bool {
        let mut probe = Command::new(self.name());
        probe.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        probe.status().is_ok_and(|status| status.success())
    }

    fn name(self) -> &'static str {
        match self {
            Self::Curl => "curl",
            Self::Wget => "wget",
        }
    }

    /// The command that continues a partial file; curl's says the last HTTP status on its standard output.
    fn command(self, address: &str, part: &Path, limit: u64) -> Command {
        let mut command = Command::new(self.name());
        match self {
            Self::Curl => {
                command.args(["--fail", "--location", "--silent", "--show-error", "--continue-at", "-"]);
                command.args(["--connect-timeout", PATIENCE, "--speed-time", PATIENCE, "--speed-limit", "100"]);
                command.args(["--max-filesize", &limit.to_string(), "--write-out", "%{http_code}"]);
                command.arg("--output").arg(part).arg("--url").arg(address);
            }
            Self::Wget => {
                command.args(["--no-verbose", "--continue", "--tries=1", "--timeout", PATIENCE]);
                command.arg("--output-document").arg(part).arg("--").arg(address);
            }
        }
        // This machine itself is behind no proxy.
        let others = ["no_proxy", "NO_PROXY"].into_iter().find_map(|name| std::env::var(name).ok());
        let direct = [others.as_deref().unwrap_or_default(), "127.0.0.1,localhost"].join(",");
        command.env("no_proxy", direct.trim_start_matches(','));
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }

    /// What an exit code and an HTTP status mean. What a program `said` is for people and decides nothing.
    fn judge(self, code: Option<i32>, status: Option<u16>, said: String) -> Attempt {
        match (self, code) {
            (_, Some(0)) => Attempt::Done,
            // curl: partial file, timeout, empty reply, sending and receiving failed, TLS cut.
            (Self::Curl, Some(18 | 28 | 52 | 55 | 56)) | (Self::Wget, Some(4)) => Attempt::Broken(said),
            // The server does not continue, or has no more bytes than are here. wget begins anew by itself in the first
            // case, and takes the file for whole in the second, which its sum then denies.
            (Self::Curl, Some(33)) => Attempt::Unfit(said),
            (Self::Curl, Some(22)) if status == Some(416) => Attempt::Unfit(said),
            _ => Attempt::Refused(said),
        }
    }

    /// Runs the program once, up to its end, the observer's wish, or a file that grows beyond `limit`.
    fn attempt(self, request: &Request<'_>, part: &Path, observer: &dyn Observer) -> Result<Attempt> {
        // Room for a server that has a slightly different file: the checksum says so better than the size.
        let limit = request.bytes.saturating_add(1 << 20);
        let mut said = tempfile::tempfile().map_err(Error::io(std::env::temp_dir()))?;
        let errors = said.try_clone().map_err(Error::io(std::env::temp_dir()))?;
        let mut shown = size(part);
        let mut child =
            self.command(&request.address, part, limit).stderr(errors).spawn().map_err(Error::io(self.name()))?;
        let status = loop {
            let ended = child.try_wait().map_err(Error::io(self.name()))?;
            let now = size(part);
            observer.advance(now.saturating_sub(shown));
            shown = shown.max(now);
            if now > limit {
                stop(&mut child);
                return Ok(Attempt::Unfit(format!("more than {limit} bytes came")));
            }
            if let Some(status) = ended {
                break status;
            }
            if observer.interrupted() {
                stop(&mut child);
                return Err(Error::Interrupted);
            }
            sleep(GLANCE);
        };
        if !status.success() {
            // Ctrl-C ends the program as well, perhaps before the observer hears of it.
            sleep(GLANCE);
            if observer.interrupted() || by_ctrl_c(status) {
                return Err(Error::Interrupted);
            }
        }
        let mut http = String::new();
        if let Some(output) = child.stdout.take() {
            output.take(16).read_to_string(&mut http).map_err(Error::io(self.name()))?;
        }
        let mut text = Vec::new();
        said.rewind().and_then(|()| said.take(1 << 16).read_to_end(&mut text)).map_err(Error::io(self.name()))?;
        let text = String::from_utf8_lossy(&text);
        let line = text.lines().map(str::trim).rfind(|line| !line.is_empty());
        let line = line.map_or_else(|| format!("{} ended with {status}", self.name()), str::to_owned);
        Ok(self.judge(status.code(), http.parse().ok(), line))
    }

    /// Downloads a file, continuing what an earlier attempt left in `FILE.part`, which stays if this one is cut off too.
    /// Returns the path of that file, now whole and the right one.
    ///
    /// A connection that breaks is continued as long as each attempt brings something. If the server cannot continue,
    /// or the whole has the wrong sum though a part of it was old, it is fetched once more from the beginning.
    pub(super) fn fetch(self, request: &Request<'_>, observer: &dyn Observer) -> Result<PathBuf> {
        let part = partial(&request.target);
        if let Some(parent) = request.target.parent() {
            fs::create_dir_all(parent).map_err(Error::io(parent))?;
        }
        let refused = |said: String| {
            let target = request.target.display();
            let allowed =
                format!("a connection (proxies: https_proxy, http_proxy), or the file put at {target} by hand");
            Error::file(&request.address, said, allowed)
        };
        // Whether to begin anew is still possible; without a partial file this is the beginning.
        let mut fresh = size(&part) == 0;
        let mut fruitless = 0;
        observer.advance(size(&part));
        loop {
            let before = size(&part);
            // What may be whole is not continued, but compared.
            let attempt = if before == request.bytes { Attempt::Done } else { self.attempt(request, &part, observer)? };
            let problem = match attempt {
                Attempt::Done => {
                    let sum = if part.exists() { md5_of(&part)? } else { "no file".to_owned() };
                    if sum == request.md5 {
                        File::open(&part).and_then(|file| file.sync_all()).map_err(Error::io(&part))?;
                        return Ok(part);
                    }
                    let allowed = format!("{}, that of the official file", request.md5);
                    Error::file(&request.address, format!("what came has the MD5 sum {sum}"), allowed)
                }
                Attempt::Broken(said) => {
                    fruitless = if size(&part) > before { 0 } else { fruitless + 1 };
                    if fruitless == ATTEMPTS {
                        return Err(refused(said));
                    }
                    sleep(Duration::from_millis(500 * u64::from(fruitless)));
                    continue;
                }
                Attempt::Unfit(said) => refused(said),
                Attempt::Refused(said) => return Err(refused(said)),
            };
            remove(&part)?;
            if fresh {
                return Err(problem);
            }
            observer.note("the partial file does not fit and is fetched anew");
            fresh = true;
        }
    }
}

/// Where a file grows before it is whole.
fn partial(target: &Path) -> PathBuf {
    let mut name = target.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    target.with_file_name(name)
}

fn size(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(Error::io(path)(error)),
        _ => Ok(()),
    }
}

/// Whether a process was ended by the terminal's Ctrl-C, which goes to every process of the command.
#[cfg(unix)]
fn by_ctrl_c(status: ExitStatus) -> bool {
    const SIGINT: i32 = 2;
    std::os::unix::process::ExitStatusExt::signal(&status) == Some(SIGINT)
}

#[cfg(not(unix))]
fn by_ctrl_c(_status: ExitStatus) -> bool {
    false
}

/// Ends a process and waits for it; that it may have ended already is no error.
fn stop(child: &mut Child) {
    drop(child.kill());
    drop(child.wait());
}

#[cfg(test)]
#[path = "download_tests.rs"]
pub(super) mod tests;
