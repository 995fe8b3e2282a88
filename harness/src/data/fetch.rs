//! A data set from its official address into a folder, unless it is there.

use std::fs;
use std::path::{Path, PathBuf};

use valleys_sim::progress::Observer;

use super::download::Request;
use super::official::{Download, Form, md5_of};
use super::verify::{Finding, compare, forms};
use super::{DataKind, Downloader, archive};
use crate::{Error, Result};

/// What fetching a data set came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The folder of its files, every one of them official.
    pub folder: PathBuf,
    /// The addresses it was downloaded from; none if it was there.
    pub downloaded: Vec<String>,
}

/// Sees to it that the official files of a data set lie below `directory`.
///
/// They may lie in it or in its subfolder of the official name. Nothing is downloaded that is there and verifies: neither
/// the unpacked files, in any form, nor an archive put into `directory` by hand. `mirror` is the address of a folder with
/// the same files, instead of the official one. An archive that was downloaded is removed once its files are unpacked and
/// verified.
///
/// # Errors
/// [`Error::Domain`] for a kind without official files; [`Error::File`] for an address that cannot be reached or gives
/// another file, and for a file that is in the way without being official, which is never overwritten;
/// [`Error::Interrupted`] if the observer says so, and then the next call goes on from there.
pub fn fetch(kind: DataKind, directory: &Path, mirror: Option<&str>, observer: &dyn Observer) -> Result<Fetched> {
    let forms = forms(kind)?;
    for form in &forms {
        if let Some(folder) = form.find(directory)
            && compare(form, &folder)?.iter().all(|(_, finding)| *finding == Finding::Official)
        {
            return Ok(Fetched { folder, downloaded: Vec::new() });
        }
    }
    fetch_form(forms[0], directory, mirror, &Downloader::find, observer)
}

fn fetch_form(
    form: &Form,
    directory: &Path,
    mirror: Option<&str>,
    downloader: &dyn Fn() -> Result<Downloader>,
    observer: &dyn Observer,
) -> Result<Fetched> {
    if let Some(mirror) = mirror
        && !["http://", "https://"].iter().any(|scheme| mirror.starts_with(scheme))
    {
        return Err(Error::domain("mirror", mirror, "an address beginning with http:// or https://"));
    }
    let folder = form.home(directory);
    for (path, finding) in compare(form, &folder)? {
        if let Finding::Different(sum) = finding {
            return Err(in_the_way(&path, &sum));
        }
    }
    fs::create_dir_all(directory).map_err(Error::io(directory))?;
    let mut downloaded = Vec::new();
    for download in form.downloads {
        let place = if download.is_archive() { directory } else { &folder };
        let target = place.join(download.file());
        let whole = if target.exists() {
            let sum = md5_of(&target)?;
            if sum != download.md5 {
                return Err(in_the_way(&target, &sum));
            }
            target.clone()
        } else {
            let address = address(download, mirror);
            observer.begin(&format!("downloading {}", download.file()), download.bytes);
            let request =
                Request { address: address.clone(), md5: download.md5, bytes: download.bytes, target: target.clone() };
            let part = downloader()?.fetch(&request, observer)?;
            observer.finish();
            downloaded.push(address);
            part
        };
        let ours = whole != target;
        if download.is_archive() {
            // Under its own name an archive is one put there by hand, which stays; so ours never gets it.
            archive::unpack(&whole, form, &folder, observer)?;
            if ours {
                fs::remove_file(&whole).map_err(Error::io(&whole))?;
            }
        } else if ours {
            fs::rename(&whole, &target).map_err(Error::io(&target))?;
        }
    }
    Ok(Fetched { folder, downloaded })
}

fn address(download: &Download, mirror: Option<&str>) -> String {
    match mirror {
        None => download.address.to_owned(),
        Some(mirror) => format!("{}/{}", mirror.trim_end_matches('/'), download.file()),
    }
}

fn in_the_way(path: &Path, sum: &str) -> Error {
    Error::file(path, format!("not the official file (MD5 sum {sum})"), "another folder, or this file moved away")
}

#[cfg(test)]
#[path = "fetch_tests.rs"]
mod tests;
