//! The command as a user meets it.
#![allow(dead_code, reason = "each file of tests is a program of its own and uses a part")]

use std::path::Path;
use std::process::{Command, Output};

/// The program with its arguments, in a folder.
pub(crate) fn valleys(arguments: &[&str], folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_valleys"));
    command.args(arguments).current_dir(folder);
    command
}

/// Exit code, standard output and standard error of a run that has ended.
pub(crate) fn outcome(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// The same of a run in a folder.
pub(crate) fn run(arguments: &[&str], folder: &Path) -> (Option<i32>, String, String) {
    outcome(&valleys(arguments, folder).output().expect("the binary starts"))
}

/// Asserts that a command fails with a code and one line that holds every one of the words.
pub(crate) fn refuses(arguments: &[&str], folder: &Path, code: i32, words: &[&str]) {
    let (seen, _, message) = run(arguments, folder);
    assert_eq!(seen, Some(code), "{arguments:?}: {message}");
    assert_eq!(message.trim().lines().count(), 1, "{arguments:?}: {message}");
    words.iter().for_each(|word| assert!(message.contains(word), "{arguments:?}: `{word}` is not in: {message}"));
}
