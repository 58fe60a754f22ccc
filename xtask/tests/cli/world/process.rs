// SPDX-License-Identifier: Apache-2.0
//! Processes that a test has started: waiting for what they do, and ending them.

use std::{
    process::{Child, Command},
    thread,
    time::Duration,
};

use super::Ended;

/// Asks until the answer is yes; panics after half a minute.
#[track_caller]
pub(crate) fn wait_for(what: &str, done: impl FnMut() -> bool) {
    assert!(comes_true(done), "waited in vain: {what}");
}

/// Asks until the answer is yes, for half a minute at most.
pub(super) fn comes_true(mut done: impl FnMut() -> bool) -> bool {
    (0..3000).any(|_| {
        let is_done = done();
        if !is_done {
            thread::sleep(Duration::from_millis(10));
        }
        is_done
    })
}

/// Sends a signal, `-INT` say, and gives how the process has ended.
pub(crate) fn end_by(signal: &str, child: Child) -> Ended {
    send(signal, &child);
    Ended::from(&child.wait_with_output().unwrap())
}

pub(crate) fn send(signal: &str, child: &Child) {
    let number = child.id().to_string();
    let sent = Command::new("kill").args([signal, &number]).status();
    assert!(sent.unwrap().success());
}
