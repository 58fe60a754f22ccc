// SPDX-License-Identifier: Apache-2.0
//! Completion scripts: they offer names, and run nothing.

use std::process::Command;

use super::values::hostile;
use crate::cli::world::{Ended, World};

#[test]
fn completions_offer_names_alone() {
    let world = World::new();
    hostile(&world);
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = world.run(["completions", shell]).success().stdout;
        // The other two know options alone.
        let knows = ["bash", "zsh", "fish"].contains(&shell);
        assert_eq!(script.contains("alpha"), knows, "{shell}");
        for piece in ["touch", "a'b", "Ü", "a;b", "\u{1b}"] {
            assert!(!script.contains(piece), "{shell}: {piece}");
        }
    }
}

/// Runs the completion script in the shell itself, if it is on this machine. Bash always is.
fn completed(world: &World, shell: &str, lines: &str) -> Option<Ended> {
    let path = std::env::split_paths(&std::env::var_os("PATH").unwrap())
        .map(|folder| folder.join(shell))
        .find(|path| path.is_file())?;
    let script = world.run(["completions", shell]).success().stdout;
    world.write("completions", &script);
    let output = Command::new(path)
        .args(["-c", lines])
        .current_dir(world.root())
        .env("HOME", world.root())
        .output()
        .unwrap();
    Some(Ended::from(&output))
}

#[test]
fn nothing_runs_on_tab() {
    let world = World::new();
    hostile(&world);
    let bash = "complete() { :; }\n. ./completions\nCOMP_WORDS=(xtask bake '')\nCOMP_CWORD=2\n_xtask xtask '' bake\nprintf '%s\\n' \"${COMPREPLY[@]}\"";
    let offered = completed(&world, "bash", bash).unwrap().success().stdout;
    for name in ["alpha", "beta", "gamma"] {
        assert!(offered.lines().any(|line| line == name), "{offered}");
    }
    for sub in [
        "generate-values",
        "test",
        "test-full",
        "upgrade-test",
        "psql",
    ] {
        let bash = format!(
            "complete() {{ :; }}\n. ./completions\nCOMP_WORDS=(xtask e2e {sub} '')\nCOMP_CWORD=3\n_xtask xtask '' {sub}\nprintf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        let offered = completed(&world, "bash", &bash).unwrap().success().stdout;
        assert!(
            offered.lines().any(|line| line == "gamma"),
            "{sub}: {offered}"
        );
    }
    let fish = "source ./completions; complete -C 'xtask bake --target '";
    if let Some(ended) = completed(&world, "fish", fish) {
        assert!(ended.success().stdout.contains("alpha"));
    }
    if let Some(ended) = completed(
        &world,
        "zsh",
        "autoload -U compinit; compinit -u -D; . ./completions; whence _xtask",
    ) {
        assert!(ended.success().stdout.contains("_xtask"));
    }
    assert!(!world.exists("x"), "a name was run");
}

#[test]
fn manual_pages_are_written_for_every_command_and_nothing_of_others_is_touched() {
    let world = World::new();
    world.write("man1/other.1", "theirs");
    let pages = world.run("man man1 --json").success().json();
    let pages = pages.as_array().unwrap();
    assert!(pages.len() > 30, "{pages:?}");
    let bake = world.read("man1/xtask-bake.1");
    for text in [
        "Build images, dependencies first",
        "\\-\\-metadata\\-file",
        "Build without the cache",
        "cargo xtask bake pgvector",
    ] {
        assert!(bake.contains(text), "{text} is not in\n{bake}");
    }
    assert!(!bake.contains('\u{1b}'), "{bake}");
    assert!(world.exists("man1/xtask-e2e-test-full.1"));
    world.run("man man1").success();
    assert_eq!(world.read("man1/xtask-bake.1"), bake);
    assert_eq!(world.read("man1/other.1"), "theirs");
    world.write("man1/xtask-bake.1", "somebody's own");
    world
        .run("man man1")
        .status(2)
        .says("`")
        .says("is there, and is no page of this command's");
    assert_eq!(world.read("man1/xtask-bake.1"), "somebody's own");
}
