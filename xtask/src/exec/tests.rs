// SPDX-License-Identifier: Apache-2.0
use std::sync::atomic::Ordering;

use nix::{sys::signal::Signal, unistd::Pid};

use super::*;
use crate::{failure::Failure, own::process};

fn sh(script: &str) -> Cmd {
    Cmd::new("sh", "try a shell").args(["-c", script])
}

fn within(timeout: Option<Duration>) -> Supervision<'static> {
    Supervision {
        timeout,
        ..Supervision::default()
    }
}

#[test]
fn output_comes_line_by_line_and_the_failure_quotes_the_first_error() {
    let mut lines = Vec::new();
    let script = "echo one; echo '#9 1.2 E: no space'; seq 50; exit 3";
    let failed = Real::default()
        .run(&sh(script), Supervision::default(), &mut |line| {
            lines.push(line.to_owned());
        })
        .unwrap_err();
    assert_eq!(lines.len(), 52);
    assert_eq!(failed.cause(), Some("#9 1.2 E: no space"));
    assert!(matches!(failed.reason, Reason::Status(3)));
    assert_eq!(failed.purpose, "try a shell");
    assert!(failed.command.starts_with("sh -c "), "{}", failed.command);
    assert_eq!(failed.lines, 52);
    assert_eq!(failed.tail.last().map(String::as_str), Some("50"));
}

/// apt says `Err:` of a file and the reason on lines of their own, and both together once more at its end.
#[test]
fn of_what_apt_says_the_line_with_the_reason_is_quoted() {
    let script = "printf '%s\\n' '#9 1.2 Err:1 http://a.example/debian forky InRelease' '#9 1.2   Unable to connect to p.example:3128:' \
        '#9 1.3 E: Failed to fetch http://a.example/debian/InRelease  Unable to connect to p.example:3128:'; exit 100";
    let failed = Real::default()
        .run(&sh(script), Supervision::default(), &mut |_| {})
        .unwrap_err();
    let cause = failed.cause().unwrap();
    assert!(cause.contains("E: Failed to fetch"), "{cause}");
}

#[test]
fn read_gives_stdout_only() {
    let text = Real::default()
        .read(&sh("echo out; echo err >&2"), None)
        .unwrap();
    assert_eq!(text, "out\n");
}

#[test]
fn an_answer_without_an_end_is_ended_and_said() {
    for script in ["yes", "yes >&2"] {
        let failed = Real::default().read(&sh(script), None).unwrap_err();
        let Reason::Io(why) = failed.reason else {
            panic!("{failed:?}");
        };
        assert_eq!(why, "it has printed more than 1 MiB");
    }
}

#[test]
fn a_missing_program_is_told_apart() {
    let failed = Real::default()
        .read(&Cmd::new("no-such-tool-of-ours", "try"), None)
        .unwrap_err();
    let failure = Failure::from(failed);
    assert_eq!(failure.kind, crate::failure::Kind::Unavailable);
}

#[test]
fn a_deadline_ends_the_whole_group() {
    let limit = Some(Duration::from_millis(100));
    let failed = Real::default()
        .run(&sh("sleep 600 & sleep 600"), within(limit), &mut |_| {})
        .unwrap_err();
    assert!(matches!(failed.reason, Reason::TimedOut(_)), "{failed:?}");
}

#[test]
fn standard_input_arrives() {
    let cmd = Cmd::new("cat", "copy").stdin("a\nb\n");
    assert_eq!(Real::default().read(&cmd, None).unwrap(), "a\nb\n");
}

/// Whether the process whose number a script has written to a file lives; it is ended.
fn daemon_lived(file: &std::path::Path) -> bool {
    let pid: i32 = fs_err::read_to_string(file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    let lives = process::start_time(pid).is_some();
    let _gone = nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGKILL);
    lives
}

/// Starts a process in a session of its own that keeps the output open, and says its number.
fn daemon(folder: &std::path::Path) -> String {
    let file = folder.join("daemon");
    let file = file.display();
    format!(
        "setsid sh -c 'echo $$ > {file}.new; mv {file}.new {file}; exec sleep 300' & until [ -e {file} ]; do sleep 0.01; done"
    )
}

#[test]
fn what_a_child_leaves_open_is_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daemon");
    let mut lines = Vec::new();
    let script = format!("{}; echo last", daemon(folder.path()));
    Real::default()
        .run(&sh(&script), Supervision::default(), &mut |line| {
            lines.push(line.to_owned());
        })
        .unwrap();
    assert_eq!(lines, ["last"]);
    assert!(daemon_lived(&file), "it was waited for, or ended");
    fs_err::remove_file(&file).unwrap();
    assert_eq!(Real::default().read(&sh(&script), None).unwrap(), "last\n");
    assert!(daemon_lived(&file), "it was waited for, or ended");
}

#[test]
fn a_deadline_ends_the_wait_whoever_keeps_the_output_open() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("daemon");
    let script = format!("{}; sleep 600", daemon(folder.path()));
    let limit = Some(Duration::from_secs(1));
    let failed = Real::default()
        .run(&sh(&script), within(limit), &mut |_| {})
        .unwrap_err();
    assert!(matches!(failed.reason, Reason::TimedOut(_)), "{failed:?}");
    assert!(daemon_lived(&file), "it was waited for, or ended");
    fs_err::remove_file(&file).unwrap();
    let failed = Real::default().read(&sh(&script), limit).unwrap_err();
    assert!(matches!(failed.reason, Reason::TimedOut(_)), "{failed:?}");
    assert!(daemon_lived(&file), "it was waited for, or ended");
}

#[test]
fn what_is_asked_after_an_interruption_has_a_limit() {
    let real = Real::default();
    real.shared.interrupted.store(true, Ordering::SeqCst);
    assert_eq!(real.read(&sh("echo a"), None).unwrap(), "a\n");
    for limit in [None, Some(Duration::ZERO), Some(Duration::from_secs(20))] {
        let failed = real.read(&sh("sleep 20"), limit).unwrap_err();
        assert!(matches!(failed.reason, Reason::TimedOut(_)), "{failed:?}");
    }
}

#[test]
fn a_child_that_ended_well_has_succeeded_whatever_the_watcher_thinks() {
    let how = Supervision {
        hopeless: Some(&|| true),
        ..Supervision::default()
    };
    let patient = "trap 'echo passed; exit 0' TERM; while :; do sleep 0.01; done";
    let mut lines = Vec::new();
    Real::default()
        .run(&sh(patient), how, &mut |line| lines.push(line.to_owned()))
        .unwrap();
    assert_eq!(lines.last().unwrap(), "passed");
    let failed = Real::default()
        .run(&sh("sleep 600"), how, &mut |_| {})
        .unwrap_err();
    assert!(matches!(failed.reason, Reason::GivenUp), "{failed:?}");
    // At its limit it was not done.
    let limit = Some(Duration::from_secs(1));
    let failed = Real::default()
        .run(&sh(patient), within(limit), &mut |_| {})
        .unwrap_err();
    assert!(matches!(failed.reason, Reason::TimedOut(_)), "{failed:?}");
}

#[test]
fn all_that_was_asked_to_end_in_a_group_ends() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stubborn");
    let script = format!(
        "sh -c 'trap \"\" TERM; echo $$ > {file}; while :; do sleep 0.1; done' & sleep 600",
        file = file.display()
    );
    let limit = Some(Duration::from_secs(1));
    Real::default()
        .run(&sh(&script), within(limit), &mut |_| {})
        .unwrap_err();
    let pid: i32 = fs_err::read_to_string(&file)
        .unwrap()
        .trim()
        .parse()
        .unwrap();
    // Killed, and reaped by whoever has it now.
    while process::start_time(pid).is_some() {
        std::thread::yield_now();
    }
}

#[test]
fn input_that_nobody_reads_holds_nothing_up() {
    let cmd = sh("exit 0").stdin("x".repeat(1 << 20));
    assert_eq!(Real::default().read(&cmd, None).unwrap(), "");
}

#[test]
fn a_line_without_an_end_comes_in_pieces() {
    let mut lengths = Vec::new();
    let cmd = sh("head -c 3000000 /dev/zero | tr '\\0' x");
    Real::default()
        .run(&cmd, Supervision::default(), &mut |line| {
            lengths.push(line.len());
        })
        .unwrap();
    assert_eq!(lengths.iter().sum::<usize>(), 3_000_000);
    assert!(lengths.len() > 1 && lengths.iter().all(|length| *length < 1_200_000));
}
