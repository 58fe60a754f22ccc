// SPDX-License-Identifier: Apache-2.0
//! Whose turn it is on an engine.
//!
//! The lock is inherited by every child. One that outlives us, because we were killed, still has it: the
//! next run ends it first, and so never meets a cluster that somebody is still making.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Seek, Write},
    os::unix::fs::MetadataExt,
    path::Path,
    time::{Duration, Instant},
};

use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    sys::signal::{Signal, kill},
    unistd::Pid,
};

use crate::{
    context::Context,
    exec::Exec as _,
    sandbox::{Sandbox, start_time},
};

/// How long what was left behind may take to end when it is asked to.
const GRACE: Duration = Duration::from_secs(3);

impl Context {
    /// Waits until no other run uses the same engine. None for a dry run.
    pub(crate) fn turn(
        &self,
        sandbox: Option<&Sandbox>,
        dry_run: bool,
    ) -> anyhow::Result<Option<File>> {
        if dry_run {
            return Ok(None);
        }
        let path = match sandbox {
            Some(sandbox) => sandbox.folder.join("turn.lock"),
            None => self.root.join("target/xtask/turn.lock"),
        };
        self.end_what_was_left(&path)?;
        let mut lock = self.lock(&path, "uses the same engine")?;
        let own = i32::try_from(std::process::id()).unwrap_or_default();
        lock.set_len(0)?;
        lock.rewind()?;
        writeln!(lock, "{own} {}", start_time(own).unwrap_or_default())?;
        // Not before our name is in it: by another name what holds it counts as left behind.
        fcntl(&lock, FcntlArg::F_SETFD(FdFlag::empty()))?;
        Ok(Some(lock))
    }

    /// Ends the children of a run that is no more. They are told by the lock that they hold; one that
    /// only waits for it holds it as Rust opens files, closed on exec.
    fn end_what_was_left(&self, path: &Path) -> anyhow::Result<()> {
        let Some((pid, started)) = dead_holder(path) else {
            return Ok(());
        };
        let patience = Instant::now() + GRACE;
        let mut told: BTreeMap<i32, Signal> = BTreeMap::new();
        loop {
            let left = holders(path);
            // What was left keeps everybody else from the lock; with another name in it, its holders are
            // those of a run that goes on.
            let same = dead_holder(path) == Some((pid, started));
            if left.is_empty() || !same || self.exec.interrupted() {
                return Ok(());
            }
            if told.is_empty() {
                self.ui.note(&format!(
                    "run {pid} of xtask was killed: what it left running is ended"
                ));
                tracing::debug!(started, ?left, "left behind");
            }
            let signal = if Instant::now() < patience {
                Signal::SIGTERM
            } else {
                Signal::SIGKILL
            };
            for process in left {
                if told.insert(process, signal) != Some(signal) {
                    // One that has just ended is no error.
                    let _gone = kill(Pid::from_raw(process), signal);
                }
            }
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The run that the lock names, by number and start time, when it is no more.
fn dead_holder(path: &Path) -> Option<(i32, u64)> {
    let text = fs_err::read_to_string(path).ok()?;
    let (pid, started) = text.trim().split_once(' ')?;
    let holder = (pid.parse().ok()?, started.parse().ok()?);
    (start_time(holder.0) != Some(holder.1)).then_some(holder)
}

/// The processes that have inherited the lock. Found by Linux's /proc; elsewhere none.
fn holders(path: &Path) -> Vec<i32> {
    let Ok(lock) = fs_err::metadata(path) else {
        return Vec::new();
    };
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let holds = |pid: &i32| {
        let files = fs_err::read_dir(format!("/proc/{pid}/fd"))
            .into_iter()
            .flatten()
            .flatten();
        files.into_iter().any(|file| {
            let same = fs_err::metadata(file.path())
                .is_ok_and(|found| (found.dev(), found.ino()) == (lock.dev(), lock.ino()));
            same && is_inherited(*pid, &file.file_name().to_string_lossy())
        })
    };
    let processes = fs_err::read_dir("/proc").into_iter().flatten().flatten();
    processes
        .filter_map(|entry| entry.file_name().to_string_lossy().parse::<i32>().ok())
        .filter(|pid| *pid != own)
        .filter(holds)
        .collect()
}

/// Whether a process's open file goes on to the programs that it starts. `flags` in proc(5) is octal.
fn is_inherited(pid: i32, file: &str) -> bool {
    let text = fs_err::read_to_string(format!("/proc/{pid}/fdinfo/{file}")).unwrap_or_default();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
    flags.is_some_and(|flags| flags & nix::libc::O_CLOEXEC == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_inherited_file_is_told_from_one_that_is_not() {
        use std::os::fd::AsRawFd;
        let file = tempfile::tempfile().unwrap();
        let own = i32::try_from(std::process::id()).unwrap();
        let number = file.as_raw_fd().to_string();
        assert!(!is_inherited(own, &number));
        fcntl(&file, FcntlArg::F_SETFD(FdFlag::empty())).unwrap();
        assert!(is_inherited(own, &number));
    }
}
