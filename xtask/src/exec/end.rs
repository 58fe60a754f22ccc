// SPDX-License-Identifier: Apache-2.0
//! From a child to its result: it is followed to its end, and what it prints is kept.

use std::{
    os::unix::process::ExitStatusExt,
    path::Path,
    process::ExitStatus,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use super::{
    CmdFailure, Exec, Real, Reason, Supervision, child::Child, output::Output, start::io_failure,
    tail::Tail,
};
use crate::plan::Cmd;

/// How often a step that is watched is asked after.
const WATCH: Duration = if cfg!(test) {
    Duration::from_millis(100)
} else {
    Duration::from_secs(4)
};

/// How many bytes of an answer are taken: some come from a registry or an archive, which may send without an end.
const LARGEST: usize = if cfg!(test) { 1 << 20 } else { 256 << 20 };

/// What is asked once we are told to stop is for the clean-up, and may take no longer: nobody would stop it again.
const CLEAN_UP: Duration = if cfg!(test) {
    Duration::from_millis(500)
} else {
    Duration::from_secs(30)
};

impl Real {
    /// Follows a child to its end. Gives its status, and whether it had to be asked to end because its
    /// time was over.
    fn wait(
        &self,
        child: &mut Child,
        limit: Option<Duration>,
        out: &mut dyn FnMut(usize, &[u8]),
    ) -> std::io::Result<(ExitStatus, bool)> {
        let group = child.group();
        let limit = limit.filter(|limit| !limit.is_zero());
        let mut late = false;
        let followed = child.follow(
            limit.and_then(|limit| Instant::now().checked_add(limit)),
            &mut || {
                late = true;
                self.end(group);
            },
            out,
        );
        if followed.is_err() {
            self.end(group);
        }
        self.settle(group);
        let status = child.reap()?;
        tracing::debug!(%status, "end");
        followed.map(|()| (status, late))
    }

    /// Waits as [`Real::wait`] does, and asks the child to end once `hopeless` says so; whether it did.
    fn wait_watched(
        &self,
        child: &mut Child,
        limit: Option<Duration>,
        out: &mut dyn FnMut(usize, &[u8]),
        hopeless: &(dyn Fn() -> bool + Sync),
    ) -> (std::io::Result<(ExitStatus, bool)>, bool) {
        let group = child.group();
        let given_up = AtomicBool::new(false);
        let ended = std::thread::scope(|scope| {
            let (ended, ends) = mpsc::channel();
            scope.spawn(|| {
                let ends = ends;
                if watch(hopeless, &ends) {
                    given_up.store(true, Ordering::SeqCst);
                    self.end(group);
                }
            });
            let read = self.wait(child, limit, out);
            drop(ended);
            read
        });
        (ended, given_up.into_inner())
    }
}

impl Exec for Real {
    fn run(
        &self,
        cmd: &Cmd,
        how: Supervision<'_>,
        line: &mut dyn FnMut(&str),
    ) -> Result<(), CmdFailure> {
        let started = Instant::now();
        let mut output = Output::begin(cmd, how.log, line)?;
        let mut child = self.spawn(cmd, false, started)?;
        if self.interrupted() {
            // The signal came between the decision to start and the start.
            self.end(child.group());
        }
        let mut out = |_: usize, bytes: &[u8]| output.bytes(bytes);
        let (ended, given_up) = match how.hopeless {
            None => (self.wait(&mut child, how.timeout, &mut out), false),
            Some(hopeless) => self.wait_watched(&mut child, how.timeout, &mut out, hopeless),
        };
        output.end();
        let reason = match ended {
            // What has ended well has succeeded, whatever was thought of it meanwhile.
            Ok((status, false)) if status.success() => return Ok(()),
            Ok((_, false)) if given_up => Reason::GivenUp,
            Ok((status, late)) => reason_of(status, late, how.timeout),
            Err(error) => Reason::Io(error.to_string()),
        };
        Err(output.failure(cmd, reason, started))
    }

    fn read(&self, cmd: &Cmd, limit: Option<Duration>) -> Result<String, CmdFailure> {
        let started = Instant::now();
        // What starts after Ctrl-C belongs to the clean-up. When Ctrl-C comes between this line and the start, the
        // command is stopped like all that ran before.
        let stopping = self.interrupted();
        let limit = limit.filter(|limit| !limit.is_zero());
        let limit = if stopping {
            Some(limit.map_or(CLEAN_UP, |limit| limit.min(CLEAN_UP)))
        } else {
            limit
        };
        let mut child = self.spawn(cmd, true, started)?;
        if !stopping && self.interrupted() {
            self.end(child.group());
        }
        let group = child.group();
        let mut texts = [Vec::new(), Vec::new()];
        let mut too_much = false;
        let ended = self.wait(&mut child, limit, &mut |at, bytes| {
            if texts[at].len() + bytes.len() <= LARGEST {
                texts[at].extend_from_slice(bytes);
            } else if !std::mem::replace(&mut too_much, true) {
                self.end(group);
            }
        });
        if too_much {
            let why = format!("it has printed more than {} MiB", LARGEST >> 20);
            return Err(io_failure(cmd, &std::io::Error::other(why), started));
        }
        let [stdout, stderr] = texts;
        let reason = match ended {
            Ok((status, false)) if status.success() => {
                return Ok(String::from_utf8_lossy(&stdout).into_owned());
            }
            Ok((status, late)) => reason_of(status, late, limit),
            Err(error) => return Err(io_failure(cmd, &error, started)),
        };
        let mut tail = Tail::default();
        for line in String::from_utf8_lossy(&stderr).lines() {
            tail.push(line);
        }
        Err(tail.failure(cmd, reason, started))
    }

    fn start(&self, cmd: &Cmd, log: &Path) -> Result<(), CmdFailure> {
        self.detached(cmd, log).map(|_| ())
    }

    fn interrupted(&self) -> bool {
        self.shared.interrupted.load(Ordering::SeqCst)
    }
}

/// Asks every few seconds until the answer is yes, or until `ended` is dropped.
fn watch(hopeless: &dyn Fn() -> bool, ended: &mpsc::Receiver<()>) -> bool {
    while ended.recv_timeout(WATCH) == Err(mpsc::RecvTimeoutError::Timeout) {
        if hopeless() {
            return true;
        }
    }
    false
}

/// Why a child did not succeed. `late`: it had to be ended at its limit.
fn reason_of(status: ExitStatus, late: bool, limit: Option<Duration>) -> Reason {
    match (limit, status.code(), status.signal()) {
        (Some(limit), _, _) if late => Reason::TimedOut(limit),
        (_, Some(code), _) => Reason::Status(code),
        (_, None, signal) => Reason::Signal(signal.unwrap_or_default()),
    }
}
