// SPDX-License-Identifier: Apache-2.0
//! Whose the files are that are written, and what root gives away.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt, symlink},
    path::Path,
};

use super::ours::{in_namespace, is_root};
use crate::cli::world::{Ended, World, nobody};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_file_that_is_replaced_keeps_mode_and_owner_and_a_link_is_written_through() {
    let world = World::new();
    world.write("m.json", "old");
    let file = world.root().join("m.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    if is_root() {
        std::os::unix::fs::chown(&file, Some(65534), Some(65534)).unwrap();
    }
    let owner = fs::metadata(&file).unwrap().uid();
    symlink("m.json", world.root().join("link.json")).unwrap();
    symlink("new.json", world.root().join("dangling.json")).unwrap();
    for name in ["m.json", "link.json", "dangling.json"] {
        world
            .run(["bake", "gamma", "--metadata-file", name])
            .success();
    }
    assert_eq!(mode(&file), 0o600);
    assert_eq!(fs::metadata(&file).unwrap().uid(), owner);
    assert!(fs::read_to_string(&file).unwrap().contains("digest"));
    assert!(world.exists("new.json"));
    for name in ["link.json", "dangling.json"] {
        let found = fs::symlink_metadata(world.root().join(name)).unwrap();
        assert!(found.is_symlink(), "{name}");
    }
}

#[test]
fn what_root_makes_in_a_repository_belongs_to_its_owner() {
    if !is_root() {
        return;
    }
    let world = World::new();
    let give = |path: &Path| std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
    give(&world.root());
    world.run("bake gamma --metadata-file m.json").success();
    let mut all: Vec<_> = world.files();
    all.retain(|path| path.starts_with(world.root().join("target")));
    assert!(
        all.iter().any(|path| path.ends_with("gamma.json")),
        "{all:?}"
    );
    all.push(world.root().join("m.json"));
    for path in &all {
        for place in path.ancestors().take_while(|place| *place != world.root()) {
            assert_eq!(
                fs::metadata(place).unwrap().uid(),
                65534,
                "{}",
                place.display()
            );
        }
    }
}

#[test]
fn what_is_mounted_below_target_xtask_is_not_given_away() {
    let world = World::new();
    let make = |name: &str| {
        fs::create_dir_all(world.root().join(name)).unwrap();
        fs::write(world.root().join(name).join("file"), "").unwrap();
    };
    make("foreign/inner");
    make("target/xtask/mine");
    make("target/xtask/mounted");
    if !is_root() {
        return;
    }
    let give = |path: &Path| std::os::unix::fs::chown(path, Some(65534), Some(65534)).unwrap();
    give(&world.root());
    let line = "mount --bind foreign target/xtask/mounted && mount --bind foreign/inner/file target/xtask/mine/file && \
        \"$XTASK\" bake gamma --metadata-file missing/folder/m.json; \"$XTASK\" e2e cleanup --dry-run; echo ended";
    let Some(_) = in_namespace(&world, line) else {
        return;
    };
    let owner = |name: &str| fs::metadata(world.root().join(name)).unwrap().uid();
    for name in ["foreign", "foreign/inner", "foreign/inner/file"] {
        assert_eq!(owner(name), 0, "{name}");
    }
    for name in [
        "target",
        "target/xtask",
        "target/xtask/mine",
        "target/xtask/runs",
    ] {
        assert_eq!(owner(name), 65534, "{name}");
    }
}

#[test]
fn a_repository_with_root_s_files_in_target_says_what_to_do() {
    if !is_root() {
        return;
    }
    let place = tempfile::tempdir_in("/tmp").unwrap();
    let copy = nobody::copy_of_xtask(place.path());
    fs::write(place.path().join("xtask.toml"), "").unwrap();
    fs::create_dir_all(place.path().join("extensions/x")).unwrap();
    let metadata = super::world::metadata("x", &[]);
    fs::write(place.path().join("extensions/x/metadata.hcl"), metadata).unwrap();
    fs::create_dir_all(place.path().join("target/xtask")).unwrap();
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o755)).unwrap();
    std::os::unix::fs::chown(place.path(), Some(65534), Some(65534)).unwrap();
    let output = nobody::as_nobody(&copy, place.path())
        .args(["bake", "x"])
        .current_dir(place.path())
        .output()
        .unwrap();
    Ended::from(&output)
        .status(3)
        .says("`target` belongs to root")
        .says("sudo chown -R");
}
