//! The table of official files, and finding and reading files.

use super::*;

#[test]
fn the_sum_of_a_file_is_its_md5() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("file");
    // RFC 1321, appendix A.5.
    for (text, sum) in
        [("", "d41d8cd98f00b204e9800998ecf8427e"), ("message digest", "f96b697d7cb7938d525a2f31aaf161d0")]
    {
        std::fs::write(&path, text).expect("file");
        assert_eq!(md5_of(&path).expect("readable"), sum);
    }
}

#[test]
fn the_table_is_complete_and_in_hexadecimal() {
    for form in FORMS {
        let sums = form.files.iter().map(|file| file.1).chain(form.downloads.iter().map(|download| download.md5));
        assert!(sums.clone().all(|sum| sum.len() == 32 && sum.bytes().all(|byte| byte.is_ascii_hexdigit())));
        assert!(form.downloads.iter().all(|download| download.bytes > 60_000_000));
        let single: Vec<Member> = form.downloads.iter().map(|download| (download.file(), download.md5)).collect();
        assert!(form.downloads[0].is_archive() && single.len() == 1 || single == form.files);
    }
}

#[test]
fn a_file_larger_than_any_of_its_kind_is_not_read() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let path = folder.path().join("sparse");
    File::create(&path).and_then(|file| file.set_len(1 << 42)).expect("a sparse file");
    let said = read_file(&path, 1000).expect_err("too large").to_string();
    assert!(said.contains("4398046511104 bytes; allowed: at most 1000 bytes"), "{said}");
}

#[test]
fn a_form_is_found_in_its_folder_around_it_and_by_a_file_and_where_most_of_it_lies() {
    let root = tempfile::tempdir().expect("temporary folder");
    let svhn = FORMS.iter().find(|form| form.kind == DataKind::Svhn).expect("a form");
    let (around, inside) = (root.path().to_owned(), root.path().join("svhn"));
    assert_eq!((svhn.find(&around), svhn.home(&around)), (None, inside.clone()));
    std::fs::create_dir(&inside).expect("folder");
    std::fs::write(inside.join("test_32x32.mat"), "").expect("file");
    for path in [&around, &inside, &inside.join("test_32x32.mat")] {
        assert_eq!(svhn.find(path).as_ref(), Some(&inside), "{}", path.display());
    }
    // As many in both: the folder itself; then one more inside.
    std::fs::write(around.join("test_32x32.mat"), "").expect("file");
    assert_eq!(svhn.home(&around), around);
    std::fs::write(inside.join("train_32x32.mat"), "").expect("file");
    assert_eq!(svhn.home(&around), inside);
}

#[test]
fn no_two_forms_share_a_name() {
    let mut names: Vec<&str> = FORMS.iter().flat_map(|form| form.files.iter().map(|file| file.0)).collect();
    let count = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), count);
}
