// SPDX-License-Identifier: Apache-2.0
use std::{
    os::unix::fs::symlink,
    path::{Path, PathBuf},
};

use super::*;

fn write(path: &Path, text: &str) {
    fs_err::File::create(path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
}

/// A place for folders, resolved, and the folder in it that is asked about.
fn place() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let folder = fs_err::canonicalize(place.path()).unwrap().join("sandbox");
    (place, folder)
}

fn is_ours(path: &Path) -> bool {
    matches!(claim(path).unwrap(), Claim::Ours)
}

/// Neither taken nor removed, and all that was there is there.
fn stays(path: &Path, why: &str) {
    let refused = |error: anyhow::Error| assert!(format!("{error:#}").contains(why), "{error:#}");
    let before = beneath::names(&beneath::open_named(path).unwrap()).unwrap();
    refused(take(path).unwrap_err());
    refused(remove(path).unwrap_err());
    let after = beneath::names(&beneath::open_named(path).unwrap()).unwrap();
    assert_eq!(before, after, "{why}");
}

#[test]
fn absent_or_empty_it_becomes_ours_and_goes_as_a_whole() {
    for empty in [false, true] {
        let (_place, folder) = place();
        if empty {
            fs_err::create_dir(&folder).unwrap();
        }
        assert!(!remove(&folder).unwrap());
        take(&folder).unwrap();
        take(&folder).unwrap();
        assert!(is_ours(&folder));
        fs_err::create_dir_all(folder.join("a/b")).unwrap();
        write(&folder.join("a/b/c"), "");
        assert!(remove(&folder).unwrap());
        assert!(!folder.exists());
    }
}

#[test]
fn what_holds_files_or_another_marker_stays() {
    let (place, folder) = place();
    fs_err::create_dir(&folder).unwrap();
    write(&folder.join("precious"), "");
    stays(&folder, "it holds files, and no marker of ours");
    // What the default sandbox is called is no marker, nor is a link to one.
    fs_err::create_dir(folder.join(MARKER)).unwrap();
    stays(&folder, "it holds files, and no marker of ours");
    fs_err::remove_dir(folder.join(MARKER)).unwrap();
    let other = fs_err::canonicalize(place.path()).unwrap().join("other");
    take(&other).unwrap();
    symlink(other.join(MARKER), folder.join(MARKER)).unwrap();
    stays(&folder, "it holds files, and no marker of ours");
    fs_err::remove_file(folder.join(MARKER)).unwrap();
    fs_err::copy(other.join(MARKER), folder.join(MARKER)).unwrap();
    stays(&folder, "it was copied or moved");
    write(&folder.join(MARKER), TEXT);
    stays(&folder, "that of an earlier version");
}

#[test]
fn one_that_was_moved_is_ours_again_where_it_was() {
    let (_place, folder) = place();
    take(&folder).unwrap();
    let moved = folder.with_file_name("moved");
    fs_err::rename(&folder, &moved).unwrap();
    stays(&moved, "it was copied or moved");
    fs_err::rename(&moved, &folder).unwrap();
    assert!(is_ours(&folder));
}

#[test]
fn killed_while_it_was_marked_it_is_free_and_killed_while_it_went_it_is_ours() {
    let (_place, folder) = place();
    take(&folder).unwrap();
    let whole = fs_err::read_to_string(folder.join(MARKER)).unwrap();
    for half in ["", &whole[..10], &whole[..whole.len() - 1]] {
        write(&folder.join(MARKER), half);
        assert!(matches!(claim(&folder).unwrap(), Claim::Free), "{half:?}");
    }
    write(&folder.join("file"), "");
    stays(&folder, "is not a sandbox");
    // The marker is the last to go.
    write(&folder.join(MARKER), &whole);
    fs_err::remove_file(folder.join("file")).unwrap();
    assert!(remove(&folder).unwrap());
}

#[test]
fn what_a_link_in_it_leads_to_stays() {
    let (place, folder) = place();
    take(&folder).unwrap();
    let outside = place.path().join("outside");
    fs_err::create_dir(&outside).unwrap();
    write(&outside.join("precious"), "");
    symlink(&outside, folder.join("link")).unwrap();
    symlink("/dev/zero", folder.join("device")).unwrap();
    let link = place.path().join("by-link");
    symlink(&folder, &link).unwrap();
    assert!(matches!(claim(&link).unwrap(), Claim::Foreign(_)));
    assert!(remove(&folder).unwrap());
    assert!(outside.join("precious").exists());
}
