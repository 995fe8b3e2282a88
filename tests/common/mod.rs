//! The command as a user meets it.

use std::path::Path;
use std::process::{Command, Output};

/// Exit code, standard output and standard error of a run in a folder.
pub(crate) fn run(arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_valleys"));
    let Output { status, stdout, stderr } = command.args(arguments).current_dir(folder).output().expect("starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (status.code(), text(&stdout), text(&stderr))
}

/// Asserts that a command fails with a code and one line that holds every one of the words.
pub(crate) fn refuses(arguments: &[&str], folder: &Path, code: i32, words: &[&str]) {
    let (seen, _, message) = run(arguments, folder);
    assert_eq!(seen, Some(code), "{arguments:?}: {message}");
    assert_eq!(message.trim().lines().count(), 1, "{arguments:?}: {message}");
    words.iter().for_each(|word| assert!(message.contains(word), "{arguments:?}: `{word}` is not in: {message}"));
}
