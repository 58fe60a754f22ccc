// SPDX-License-Identifier: Apache-2.0
//! Ctrl-C and SIGTERM: children are ended, what was made is taken back, the status is 130.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
};

use super::fixture::{Ended, Fixture, wait_for};

fn start(fixture: &Fixture, args: &[&str]) -> Child {
    let child = fixture
        .command(args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the fake hangs", || {
        fs::read_to_string(fixture.fake("hanging")).is_ok_and(|pid| pid.ends_with('\n'))
    });
    child
}

fn signal(child: &Child, name: &str) {
    assert!(
        Command::new("kill")
            .args([name, &child.id().to_string()])
            .status()
            .unwrap()
            .success()
    );
}

fn gone(fixture: &Fixture, name: &str) -> bool {
    let pid = fs::read_to_string(fixture.fake(name)).unwrap();
    let stat =
        fs::read_to_string(Path::new("/proc").join(pid.trim()).join("stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

#[test]
fn a_signal_ends_the_children_and_the_status_is_130() {
    for name in ["-INT", "-TERM", "-HUP"] {
        let fixture = Fixture::new();
        fixture.answer("hang.alpha", "");
        let child = start(&fixture, &["bake", "alpha", "gamma", "--jobs", "1"]);
        signal(&child, name);
        let ended = Ended::from(&child.wait_with_output().unwrap());
        ended.status(130).says("interrupted");
        assert_eq!(fixture.order(), ["start alpha", "term alpha"]);
        wait_for("the child's child has ended", || gone(&fixture, "child"));
    }
}

#[test]
fn what_ignores_the_signal_is_killed_and_taken_back() {
    let fixture = Fixture::new();
    fixture.answer("hang.run", "");
    let child = start(
        &fixture,
        &["smoke", "gamma", "--no-bake", "--distro", "trixie"],
    );
    signal(&child, "-INT");
    Ended::from(&child.wait_with_output().unwrap()).status(130);
    assert!(gone(&fixture, "hanging"));
    let removed = fixture.calls_of("[rm] [--force]");
    assert_eq!(removed.len(), 1, "{:?}", fixture.calls());
    assert!(removed[0].contains("xtask-smoke-"), "{removed:?}");
}

#[test]
fn a_terminal_that_is_closed_says_so_twice_and_what_was_made_is_taken_back() {
    for name in ["-HUP", "-TERM"] {
        let fixture = Fixture::new();
        fixture.answer("hang.run", "");
        let mut child = start(
            &fixture,
            &["smoke", "gamma", "--no-bake", "--distro", "trixie"],
        );
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
        assert!(gone(&fixture, "hanging"));
        assert_eq!(fixture.calls_of("[rm] [--force]").len(), 1, "{name}");
    }
}

#[test]
fn what_takes_back_is_not_ended_by_the_signals_that_follow() {
    let fixture = Fixture::new();
    fixture.answer("hang.run", "");
    fixture.docker_first(
        "if [ \"$1\" = rm ]; then : > \"$here/cleaning\"; while [ ! -e \"$here/go\" ]; do /bin/sleep 0.01; done; fi",
    );
    let child = start(
        &fixture,
        &["smoke", "gamma", "--no-bake", "--distro", "trixie"],
    );
    signal(&child, "-TERM");
    wait_for("it is taken back", || fixture.fake("cleaning").exists());
    for name in ["-HUP", "-TERM", "-INT"] {
        signal(&child, name);
    }
    // Ended, the clean-up would be said not to have succeeded.
    fixture.answer("go", "");
    let ended = Ended::from(&child.wait_with_output().unwrap()).status(130);
    assert!(
        !ended.stderr.contains("could not clean up"),
        "{}",
        ended.stderr
    );
    assert_eq!(fixture.calls_of("[rm] [--force]").len(), 1);
}

#[test]
fn a_second_signal_forces() {
    let fixture = Fixture::new();
    fixture.answer("hang.alpha", "");
    fixture.answer("stubborn", "");
    let mut child = start(&fixture, &["bake", "alpha"]);
    signal(&child, "-INT");
    // The second one must find the first one handled; it is repeated until it is heard.
    wait_for("xtask has ended", || {
        let _sent = Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .stderr(Stdio::null())
            .status();
        child.try_wait().unwrap().is_some()
    });
    assert_eq!(child.wait().unwrap().code(), Some(130));
    wait_for("the fake is gone", || gone(&fixture, "hanging"));
}

#[test]
fn what_was_started_to_ignore_a_signal_goes_on() {
    let fixture = Fixture::new();
    fixture.docker_first(
        "if [ \"$1 $2\" = 'buildx bake' ]; then echo $$ > \"$here/hanging\"; while [ ! -e \"$here/go\" ]; do /bin/sleep 0.01; done; fi",
    );
    let wrapped = fixture.command(&["bake", "alpha"]);
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
    wait_for("the bake runs", || fixture.fake("hanging").exists());
    signal(&child, "-HUP");
    fixture.answer("go", "");
    let ended = Ended::from(&child.wait_with_output().unwrap());
    ended.status(0);
}
