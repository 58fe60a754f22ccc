// SPDX-License-Identifier: Apache-2.0
//! A child in a process group of its own, with its output, and the wait for both.
//!
//! What is waited for is the child itself. A pipe may stay open after its end: in a process that it has
//! started and that lives on, in another group perhaps, where no signal of ours reaches it.

use std::{
    io::{self, PipeReader, Read, Write},
    os::{fd::AsFd, unix::process::CommandExt},
    process::{Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, WaitId, WaitIdOptions, waitid},
};

/// What the child itself has written lies in the pipe when it ends. So long may nothing come before the
/// rest is somebody else's,
const QUIET: Duration = Duration::from_millis(100);
/// and so long, if something always comes.
const DRAIN: Duration = Duration::from_secs(2);

pub(super) struct Child {
    process: std::process::Child,
    /// Reads its end when the child has ended.
    end: PipeReader,
    /// Standard output, and standard error when it is apart.
    pipes: Vec<Option<PipeReader>>,
}

impl Child {
    /// Starts it. Standard error goes where standard output goes, unless it is to be `apart`.
    pub(super) fn start(
        mut command: Command,
        input: Option<Vec<u8>>,
        apart: bool,
    ) -> io::Result<Self> {
        let (output, writer) = io::pipe()?;
        let mut pipes = vec![Some(output)];
        if apart {
            let (errors, writer) = io::pipe()?;
            command.stderr(writer);
            pipes.push(Some(errors));
        } else {
            command.stderr(writer.try_clone()?);
        }
        command.stdout(writer).process_group(0);
        command.stdin(if input.is_some() {
            Stdio::piped()
        } else {
            Stdio::null()
        });
        let (end, writer) = io::pipe()?;
        let mut process = command.spawn()?;
        // Our ends of what it writes to: while they are open, its output does not end.
        drop(command);
        if let (Some(mut stdin), Some(input)) = (process.stdin.take(), input) {
            // Not waited for: who does not read it all need not, and who keeps it open need not end.
            std::thread::spawn(move || {
                let _unread = stdin.write_all(&input);
            });
        }
        let number = process.id();
        std::thread::spawn(move || {
            wait_for_end(number);
            drop(writer);
        });
        Ok(Self {
            process,
            end,
            pipes,
        })
    }

    /// Its process number, which is its group's.
    pub(super) fn group(&self) -> i32 {
        i32::try_from(self.process.id()).unwrap_or_default()
    }

    /// Gives its output to `out`, with the number of the pipe, until it has ended. `late` is called when
    /// it has not by `deadline`. It is not reaped, so its number stays its own.
    pub(super) fn follow(
        &mut self,
        deadline: Option<Instant>,
        late: &mut dyn FnMut(),
        out: &mut dyn FnMut(usize, &[u8]),
    ) -> io::Result<()> {
        let mut deadline = deadline;
        let mut ended: Option<Instant> = None;
        let mut buffer = vec![0; 65536];
        loop {
            let patience = match ended {
                Some(at) if at.elapsed() > DRAIN => return Ok(()),
                Some(_) => Some(QUIET),
                None => deadline.map(|at| at.saturating_duration_since(Instant::now())),
            };
            let ready = self.ready(ended.is_none(), patience)?;
            if !ready.any {
                if ended.is_some() {
                    return Ok(());
                }
                if deadline.take().is_some() && !has_ended(self.process.id()) {
                    late();
                }
                continue;
            }
            for at in ready.pipes {
                if let Some(pipe) = &mut self.pipes[at] {
                    match pipe.read(&mut buffer) {
                        Ok(0) => self.pipes[at] = None,
                        Ok(length) => out(at, &buffer[..length]),
                        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                        Err(error) => return Err(error),
                    }
                }
            }
            if ready.end {
                ended = Some(Instant::now());
            }
            if ended.is_some() && self.pipes.iter().all(Option::is_none) {
                return Ok(());
            }
        }
    }

    fn ready(&self, with_end: bool, patience: Option<Duration>) -> io::Result<Ready> {
        let open: Vec<usize> = (0..self.pipes.len())
            .filter(|at| self.pipes[*at].is_some())
            .collect();
        let mut waited: Vec<PollFd<'_>> = self
            .pipes
            .iter()
            .flatten()
            .map(|pipe| PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN))
            .collect();
        if with_end {
            waited.push(PollFd::from_borrowed_fd(self.end.as_fd(), PollFlags::IN));
        }
        let patience = patience.and_then(|patience| Timespec::try_from(patience).ok());
        match poll(&mut waited, patience.as_ref()) {
            // As if nothing had happened yet, but not as if the time were over.
            Err(rustix::io::Errno::INTR) => {
                return Ok(Ready {
                    any: true,
                    ..Ready::default()
                });
            }
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        let happened: Vec<bool> = waited.iter().map(|one| !one.revents().is_empty()).collect();
        let pipes = open
            .iter()
            .zip(&happened)
            .filter(|(_, happened)| **happened);
        Ok(Ready {
            any: happened.contains(&true),
            pipes: pipes.map(|(at, _)| *at).collect(),
            end: with_end && happened.last() == Some(&true),
        })
    }

    /// Its status, once it has ended. From now on its number may be another's.
    pub(super) fn reap(&mut self) -> io::Result<ExitStatus> {
        self.process.wait()
    }
}

#[derive(Default)]
struct Ready {
    any: bool,
    pipes: Vec<usize>,
    end: bool,
}

/// Waits until a child of ours has ended, and leaves it to be reaped.
pub(super) fn wait_for_end(number: u32) {
    while let Some(Err(rustix::io::Errno::INTR)) = wait(number, WaitIdOptions::EXITED) {}
}

fn has_ended(number: u32) -> bool {
    let now = WaitIdOptions::EXITED | WaitIdOptions::NOHANG;
    // What cannot be asked has been reaped.
    !matches!(wait(number, now), Some(Ok(None)))
}

fn wait(
    number: u32,
    how: WaitIdOptions,
) -> Option<rustix::io::Result<Option<rustix::process::WaitIdStatus>>> {
    let pid = Pid::from_raw(i32::try_from(number).ok()?)?;
    Some(waitid(WaitId::Pid(pid), how | WaitIdOptions::NOWAIT))
}
