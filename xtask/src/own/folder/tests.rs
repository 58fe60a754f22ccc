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

fn gone(path: &Path) -> anyhow::Result<Removed> {
    remove(path, &|_| true, "lock")
}

/// Neither taken nor removed, and all that was there is there.
fn stays(path: &Path, why: &str) {
    let refused = |error: anyhow::Error| assert!(format!("{error:#}").contains(why), "{error:#}");
    let before = beneath::names(&beneath::open_named(path).unwrap()).unwrap();
    refused(take(path).unwrap_err());
    refused(gone(path).unwrap_err());
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
        assert_eq!(gone(&folder).unwrap(), Removed::Absent);
        take(&folder).unwrap();
        take(&folder).unwrap();
        assert!(is_ours(&folder));
        fs_err::create_dir_all(folder.join("a/b")).unwrap();
        write(&folder.join("a/b/c"), "");
        assert_eq!(gone(&folder).unwrap(), Removed::Gone);
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
    assert_eq!(gone(&folder).unwrap(), Removed::Gone);
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
    assert_eq!(gone(&folder).unwrap(), Removed::Gone);
    assert!(outside.join("precious").exists());
}

#[test]
fn what_others_own_or_may_write_to_is_not_ours() {
    use std::os::unix::fs::{PermissionsExt, chown};
    let mode = |path: &Path, mode: u32| {
        fs_err::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    let (_place, folder) = place();
    let marker = folder.join(MARKER);
    take(&folder).unwrap();
    for (path, open, closed) in [
        (&folder, 0o777, 0o755),
        (&folder, 0o775, 0o755),
        (&marker, 0o646, 0o644),
    ] {
        mode(path, open);
        stays(&folder, "others may write to");
        mode(path, closed);
        assert!(is_ours(&folder));
    }
    if !geteuid().is_root() {
        return;
    }
    for path in [&folder, &marker] {
        chown(path, Some(65534), None).unwrap();
        stays(&folder, "belongs to user 65534");
        chown(path, Some(0), None).unwrap();
    }
    assert!(is_ours(&folder));
    // An empty one is not ours to take either.
    let empty = folder.with_file_name("empty");
    fs_err::create_dir(&empty).unwrap();
    chown(&empty, Some(65534), None).unwrap();
    stays(&empty, "it belongs to user 65534");
}

#[test]
fn what_has_no_name_of_ours_stays_and_the_marker_with_it() {
    let (_place, folder) = place();
    take(&folder).unwrap();
    for name in ["ours", "my-work"] {
        fs_err::create_dir(folder.join(name)).unwrap();
        write(&folder.join(name).join("file"), "");
    }
    write(&folder.join("lock"), "");
    let remove = || remove(&folder, &|name| name == "ours" || name == "lock", "lock").unwrap();
    for _ in 0..2 {
        assert_eq!(remove(), Removed::Kept(vec!["my-work".into()]));
        assert!(is_ours(&folder) && folder.join("my-work/file").exists());
        assert!(!folder.join("ours").exists());
    }
    fs_err::remove_dir_all(folder.join("my-work")).unwrap();
    assert_eq!(remove(), Removed::Gone);
    assert!(!folder.exists());
}

#[test]
fn folders_above_belong_to_whoever_has_the_nearest_one() {
    use std::os::unix::fs::{MetadataExt, chown};
    let (_place, folder) = place();
    let home = folder.with_file_name("home");
    fs_err::create_dir(&home).unwrap();
    let root = geteuid().is_root();
    if root {
        chown(&home, Some(12345), Some(12345)).unwrap();
    }
    let cache = home.join("a/.cache");
    take(&cache.join("sandbox")).unwrap();
    assert!(is_ours(&cache.join("sandbox")));
    for folder in [&cache, &home.join("a")] {
        let found = fs_err::metadata(folder).unwrap();
        let owner = if root { 12345 } else { geteuid().as_raw() };
        assert_eq!((found.uid(), found.mode() & 0o022), (owner, 0));
    }
    let private = home.join("state/deep/xtask");
    make_private(&private).unwrap();
    make_private(&private).unwrap();
    let found = fs_err::metadata(&private).unwrap();
    assert_eq!(
        (found.uid(), found.mode() & 0o777),
        (geteuid().as_raw(), 0o700)
    );
}
