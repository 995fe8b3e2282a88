//! Seeded regressions: this build against the committed values.

use std::process::Command;

#[test]
fn this_build_agrees_with_the_committed_values() {
    let output = Command::new(env!("CARGO_BIN_EXE_valleys"))
        .args(["golden", "--dir", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")])
        .output()
        .expect("the binary starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn a_changed_value_is_found_and_named() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for entry in std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden")).expect("golden values") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("text");
        // One digit of one number.
        let text = text.replacen("\"step 0.5\": [", "\"step 0.5\": [1", 1);
        std::fs::write(folder.path().join(path.file_name().expect("a name")), text).expect("written");
    }
    let output = Command::new(env!("CARGO_BIN_EXE_valleys"))
        .args(["golden", "--dir", folder.path().to_str().expect("UTF-8")])
        .output()
        .expect("the binary starts");
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stdout).contains("theorem1: step 0.5[0] was"));
}
