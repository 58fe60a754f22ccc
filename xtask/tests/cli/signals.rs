// SPDX-License-Identifier: Apache-2.0
//! Ctrl-C and SIGTERM: children are ended, what was made is taken back, the status is 130.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::cli::world::{BUILD, Ended, World, end_by, send, wait_for};

fn gone(world: &World, name: &str) -> bool {
    let pid = fs::read_to_string(world.state(name)).unwrap();
    let stat =
        fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

#[test]
fn a_signal_ends_the_children_and_the_status_is_130() {
    for name in ["-INT", "-TERM", "-HUP"] {
        let world = World::new();
        world.docker.bake_hangs("alpha");
        let child = world.started("bake alpha gamma --jobs 1");
        end_by(name, child).status(130).says("interrupted");
        assert_eq!(world.calls.bakes(), ["start alpha", "term alpha"]);
        wait_for("the child's child has ended", || gone(&world, "child"));
    }
}

#[test]
fn what_ignores_the_signal_is_killed_and_taken_back() {
    let world = World::new();
    world.docker.test_hangs();
    let child = world.started("smoke gamma --no-bake --distro trixie");
    end_by("-INT", child).status(130);
    assert!(gone(&world, "hanging"));
    let removed = world.calls.of("docker rm --force");
    assert_eq!(removed.len(), 1, "{:?}", world.calls.of_work());
    assert!(removed[0].line().contains("xtask-smoke-"), "{removed:?}");
}

#[test]
fn a_terminal_that_is_closed_says_so_twice_and_what_was_made_is_taken_back() {
    for name in ["-HUP", "-TERM"] {
        let world = World::new();
        world.docker.test_hangs();
        let mut child = world.started("smoke gamma --no-bake --distro trixie");
        // Nobody reads what it says any more.
        drop((child.stdout.take(), child.stderr.take()));
        // It is heard again and again while what runs takes its time to end.
        wait_for("xtask has ended", || {
            let _sent = Command::new("kill")
                .args([name, &child.id().to_string()])
                .stderr(Stdio::null())
                .status();
            child.try_wait().unwrap().is_some()
        });
        assert_eq!(child.wait().unwrap().code(), Some(130), "{name}");
        assert!(gone(&world, "hanging"));
        assert_eq!(world.calls.of("docker rm --force").len(), 1, "{name}");
    }
}

#[test]
fn what_takes_back_is_not_ended_by_the_signals_that_follow() {
    let world = World::new();
    world.docker.test_hangs();
    world.tools.rule(
        "docker rm",
        ": > \"$here/cleaning\"; while [ ! -e \"$here/go\" ]; do sleep 0.01; done",
    );
    let child = world.started("smoke gamma --no-bake --distro trixie");
    send("-TERM", &child);
    wait_for("it is taken back", || world.state("cleaning").exists());
    for name in ["-HUP", "-TERM", "-INT"] {
        send(name, &child);
    }
    // Ended, the clean-up would be said not to have succeeded.
    fs::write(world.state("go"), "").unwrap();
    let ended = Ended::from(&child.wait_with_output().unwrap()).status(130);
    assert!(
        !ended.stderr.contains("could not clean up"),
        "{}",
        ended.stderr
    );
    assert_eq!(world.calls.of("docker rm --force").len(), 1);
}

#[test]
fn a_second_signal_forces() {
    let world = World::new();
    world.docker.bake_hangs("alpha");
    world.docker.is_stubborn();
    let mut child = world.started("bake alpha");
    send("-INT", &child);
    // The second one must find the first one handled; it is repeated until it is heard.
    wait_for("xtask has ended", || {
        let _sent = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(child.wait().unwrap().code(), Some(130));
    wait_for("the fake is gone", || gone(&world, "hanging"));
}

#[test]
fn what_was_started_to_ignore_a_signal_goes_on() {
    let world = World::new();
    world.tools.rule(
        BUILD,
        "echo $$ > \"$here/hanging\"; while [ ! -e \"$here/go\" ]; do sleep 0.01; done",
    );
    let wrapped = world.command("bake alpha");
    let mut command = Command::new("/bin/sh");
    command
        .env_clear()
        .args(["-c", "trap '' HUP; exec \"$0\" \"$@\""])
        .arg(wrapped.get_program())
        .args(wrapped.get_args())
        .current_dir(wrapped.get_current_dir().unwrap())
        .envs(
            wrapped
                .get_envs()
                .filter_map(|(name, value)| Some((name, value?))),
        )
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    wait_for("the bake runs", || world.state("hanging").exists());
    send("-HUP", &child);
    fs::write(world.state("go"), "").unwrap();
    let ended = Ended::from(&child.wait_with_output().unwrap());
    ended.status(0);
}
