// SPDX-License-Identifier: Apache-2.0
use super::*;
use crate::failure::Failure;

fn sh(script: &str) -> Cmd {
    Cmd::new("sh", "try a shell").args(["-c", script])
}

#[test]
fn output_comes_line_by_line_and_the_failure_quotes_the_first_error() {
    let mut lines = Vec::new();
    let script = "echo one; echo '#9 1.2 E: no space'; seq 50; exit 3";
    let failed = Real::default()
        .run(&sh(script), None, None, &mut |line| {
            lines.push(line.to_owned());
        })
        .unwrap_err();
    assert_eq!(lines.len(), 52);
    assert_eq!(failed.cause(), Some("#9 1.2 E: no space"));
    assert!(matches!(failed.reason, Reason::Status(3)));
    let text = Failure::from(failed).to_string();
    assert!(
        text.starts_with("failed to try a shell\n  command: sh -c "),
        "{text}"
    );
    assert!(text.contains("first error: #9 1.2 E: no space"), "{text}");
    assert!(text.contains("last 8 of 52 lines:"), "{text}");
}

#[test]
fn read_gives_stdout_only() {
    let text = Real::default()
        .read(&sh("echo out; echo err >&2"), None)
        .unwrap();
    assert_eq!(text, "out\n");
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
        .run(&sh("sleep 600 & sleep 600"), None, limit, &mut |_| {})
        .unwrap_err();
    assert!(matches!(failed.reason, Reason::TimedOut(_)), "{failed:?}");
}

#[test]
fn standard_input_arrives() {
    let cmd = Cmd::new("cat", "copy").stdin("a\nb\n");
    assert_eq!(Real::default().read(&cmd, None).unwrap(), "a\nb\n");
}
