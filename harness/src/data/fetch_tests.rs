//! Data sets from a server on this machine.

use std::fs;
use std::sync::LazyLock;

use md5::{Digest, Md5};
use valleys_sim::progress::Silent;

use super::super::archive::tests::{SMALL, good, large};
use super::super::download::tests::{Reply, Server, Stopping, downloaders};
use super::*;
use crate::checksum::hexadecimal;

fn sum(bytes: &[u8]) -> String {
    hexadecimal(&Md5::digest(bytes))
}

/// The sum of the small archive.
static SUM: LazyLock<String> = LazyLock::new(|| sum(&good()));

/// The small form with an address to download its archive, or its two files, from.
fn form(addresses: &'static [&'static str], sums: Vec<&'static str>) -> Form {
    let downloads: Vec<Download> =
        addresses.iter().zip(sums).map(|(address, md5)| Download { address, md5, bytes: 200 }).collect();
    Form { downloads: downloads.leak(), ..SMALL }
}

fn small() -> Form {
    form(&["http://official.invalid/small.tar.gz"], vec![SUM.as_str()])
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .expect("folder")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn never() -> Result<Downloader> {
    panic!("nothing needs to be downloaded")
}

#[test]
fn an_archive_is_fetched_unpacked_and_removed_once() {
    for downloader in downloaders() {
        let root = tempfile::tempdir().expect("temporary folder");
        let server = Server::new(vec![Reply::Send(good())]);
        let mirror = format!("{}/mirror/", server.address);
        let fetched = fetch_form(&small(), root.path(), Some(&mirror), &|| Ok(downloader), &Silent).expect("fetched");
        assert_eq!(fetched.downloaded, [format!("{}/mirror/small.tar.gz", server.address)]);
        assert_eq!(
            (names(root.path()), names(&fetched.folder)),
            (vec!["small-folder".to_owned()], vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(server.asked.lock().expect("no panic").as_slice(), [(0, "/mirror/small.tar.gz".to_owned())]);
    }
}

#[test]
fn an_interrupted_unpacking_leaves_nothing_and_downloads_nothing_again() {
    let archive = large();
    let sum: &'static str = sum(&archive).leak();
    let downloads: &'static [Download] =
        vec![Download { address: "http://official.invalid/large.tar.gz", md5: sum, bytes: archive.len() as u64 }]
            .leak();
    let form = Form { downloads, ..SMALL };
    for downloader in downloaders() {
        let root = tempfile::tempdir().expect("temporary folder");
        let server = Server::new(vec![Reply::Send(archive.clone())]);
        let fetch = |observer: &dyn Observer| {
            fetch_form(&form, root.path(), Some(&server.address), &|| Ok(downloader), observer)
        };
        // The download is the archive's length in units, so this stops just after.
        let stopped = fetch(&Stopping::after(archive.len() as u64 + 1));
        assert!(matches!(stopped, Err(Error::Interrupted)), "{stopped:?}");
        assert_eq!(names(root.path()), ["large.tar.gz.part"]);
        let fetched = fetch(&Silent).expect("unpacked");
        assert_eq!(
            (names(root.path()), names(&fetched.folder)),
            (vec!["small-folder".to_owned()], vec!["a".to_owned(), "b".to_owned()])
        );
        assert_eq!(server.offsets(), [0], "{downloader:?}");
    }
}

#[test]
fn files_count_in_the_folder_itself_as_in_the_one_of_the_official_name() {
    let single =
        form(&["http://official.invalid/a", "http://official.invalid/b"], vec![SMALL.files[0].1, SMALL.files[1].1]);
    for downloader in downloaders() {
        for at in ["", "small-folder"] {
            let root = tempfile::tempdir().expect("temporary folder");
            let folder = root.path().join(at);
            fs::create_dir_all(&folder).expect("folder");
            // The second alone tells the place as well as the first.
            fs::write(folder.join("b"), "two").expect("file");
            let server = Server::new(vec![Reply::Send(b"one".to_vec())]);
            let fetched =
                fetch_form(&single, root.path(), Some(&server.address), &|| Ok(downloader), &Silent).expect("fetched");
            assert_eq!(fetched.downloaded, [format!("{}/a", server.address)]);
            assert_eq!(
                (fetched.folder.canonicalize().expect("folder"), names(&folder)),
                (folder.canonicalize().expect("folder"), vec!["a".to_owned(), "b".to_owned()])
            );
            let again = fetch_form(&single, root.path(), None, &never, &Silent).expect("all there");
            assert!(again.downloaded.is_empty());
            fs::write(folder.join("b"), "tow").expect("file");
            let said = fetch_form(&single, root.path(), None, &never, &Silent).expect_err("in the way").to_string();
            assert!(said.contains("b: not the official file"), "{said}");
        }
    }
    // The same with an archive: what is missing is unpacked beside what is there.
    let root = tempfile::tempdir().expect("temporary folder");
    fs::write(root.path().join("a"), "one").expect("file");
    fs::write(root.path().join("small.tar.gz"), good()).expect("file");
    let fetched = fetch_form(&small(), root.path(), None, &never, &Silent).expect("unpacked");
    assert_eq!(
        (fetched.folder.as_path(), names(root.path())),
        (root.path(), vec!["a".to_owned(), "b".to_owned(), "small.tar.gz".to_owned()])
    );
}

#[test]
fn an_archive_put_there_by_hand_is_used_and_kept() {
    let root = tempfile::tempdir().expect("temporary folder");
    fs::write(root.path().join("small.tar.gz"), good()).expect("file");
    let fetched = fetch_form(&small(), root.path(), None, &never, &Silent).expect("unpacked");
    assert_eq!(
        (fetched.downloaded.len(), names(root.path())),
        (0, vec!["small-folder".to_owned(), "small.tar.gz".to_owned()])
    );
}

#[test]
fn files_that_are_there_are_not_fetched_again_and_others_not_overwritten() {
    let both =
        || form(&["http://official.invalid/a", "http://official.invalid/b"], vec![SMALL.files[0].1, SMALL.files[1].1]);
    let root = tempfile::tempdir().expect("temporary folder");
    let folder = root.path().join("small-folder");
    fs::create_dir(&folder).expect("folder");
    fs::write(folder.join("a"), "one").expect("file");
    for downloader in downloaders() {
        let server = Server::new(vec![Reply::Send(b"two".to_vec())]);
        let fetched =
            fetch_form(&both(), root.path(), Some(&server.address), &|| Ok(downloader), &Silent).expect("fetched");
        assert_eq!(fetched.downloaded, [format!("{}/b", server.address)]);
        fs::remove_file(folder.join("b")).expect("file");
    }
    fs::write(folder.join("b"), "mine").expect("file");
    let said = fetch_form(&both(), root.path(), None, &never, &Silent).expect_err("in the way").to_string();
    assert!(said.contains("not the official file") && fs::read(folder.join("b")).expect("file") == b"mine", "{said}");
    let said = fetch_form(&small(), &root.path().join("new"), Some("ftp://a"), &never, &Silent).expect_err("refused");
    assert!(said.to_string().contains("ftp://a"), "{said}");
}

#[test]
fn what_has_no_official_files_cannot_be_fetched() {
    let root = tempfile::tempdir().expect("temporary folder");
    assert!(fetch(DataKind::Synthetic, root.path(), None, &Silent).is_err());
    assert!(fetch(DataKind::Folder, root.path(), None, &Silent).is_err());
}
