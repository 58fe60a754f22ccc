// SPDX-License-Identifier: Apache-2.0
//! The sandbox without root: every way to ask for it is refused with what it needs, and nothing is made.

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use crate::cli::world::{Ended, World, nobody};

/// Lets everybody read what the fixture made; its folder is for its owner only.
fn open(folder: &Path) {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Runs xtask as nobody, or as we are where that is not root.
fn as_nobody(world: &World, args: &[&str], environment: &[(&str, &str)]) -> Ended {
    let place = world.root().parent().map(PathBuf::from).unwrap();
    open(&place);
    let program = place.join("xtask");
    if !program.exists() {
        nobody::copy_of_xtask(&place);
    }
    let mut command = nobody::as_nobody(&program, &place);
    command
        .args(args)
        .current_dir(world.root())
        .envs(environment.iter().copied());
    Ended::from(&command.output().unwrap())
}

#[test]
fn whatever_is_asked_of_it() {
    let world = World::new();
    for (args, environment) in [
        (&["smoke", "alpha", "--sandbox"][..], ("XTASK_SANDBOX", "0")),
        (&["bake", "alpha"], ("XTASK_SANDBOX", "1")),
        (
            &["bake", "alpha", "--sandbox", "--dry-run"],
            ("XTASK_SANDBOX", ""),
        ),
        (&["checks", "--all", "--sandbox"], ("XTASK_SANDBOX", "")),
        (&["sandbox", "up"], ("XTASK_SANDBOX", "")),
        (&["sandbox", "exec", "true"], ("XTASK_SANDBOX", "")),
    ] {
        as_nobody(&world, args, &[environment])
            .status(3)
            .says("the sandbox needs root")
            .says("hint: ");
    }
    let prereqs = as_nobody(&world, &["prereqs", "--for", "sandbox"], &[]).status(3);
    assert!(prereqs.stdout.contains("missing"), "{}", prereqs.stdout);
    assert!(!world.exists("target"));
    assert!(!world.root().parent().unwrap().join(".cache").exists());
}

#[test]
fn an_argument_that_is_wrong_is_named_first() {
    let world = World::new();
    as_nobody(&world, &["smoke", "alpa", "--sandbox"], &[])
        .status(2)
        .says("extension `alpa` not found; did you mean `alpha`?");
}
