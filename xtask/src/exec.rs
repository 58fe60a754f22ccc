// SPDX-License-Identifier: Apache-2.0
//! Starts processes; the only file that does.
//!
//! Every child leads a process group of its own, so that one signal ends it with all that it started,
//! and a Ctrl-C at the terminal reaches us alone: we decide what ends and what is cleaned up.
//! Interactive children are the exception: they share our group and the terminal.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs::File,
    io::{BufRead, BufReader, ErrorKind, IsTerminal, Write},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::ExitStatus,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

mod failure;
mod tail;

pub(crate) use failure::{CmdFailure, Reason};
use tail::Tail;

use crate::plan::{Arg, Cmd, PASSWORD, Stdin};

/// How long a child may take to end once it has been asked to.
const GRACE: Duration = Duration::from_secs(3);

/// How often a step that is watched is asked after.
const WATCH: Duration = Duration::from_secs(4);

/// Runs commands. The real one is [`Real`]; tests of the runner have one that fails on demand.
pub(crate) trait Exec: Sync {
    /// Runs to the end. Each line of output goes to `line` as it comes and to `log` when there is one.
    fn run(
        &self,
        cmd: &Cmd,
        log: Option<&Path>,
        timeout: Option<Duration>,
        line: &mut dyn FnMut(&str),
    ) -> Result<(), CmdFailure>;

    /// Runs as [`Exec::run`] does, and ends what runs once `hopeless` says that it cannot succeed any
    /// more. It is asked every few seconds. What ends with status 0 all the same has succeeded.
    fn run_watched(
        &self,
        cmd: &Cmd,
        log: Option<&Path>,
        timeout: Option<Duration>,
        line: &mut dyn FnMut(&str),
        _hopeless: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), CmdFailure> {
        self.run(cmd, log, timeout, line)
    }

    /// Runs to the end and gives standard output; standard error is for the failure message.
    fn read(&self, cmd: &Cmd, timeout: Option<Duration>) -> Result<String, CmdFailure>;

    /// Starts a process that outlives us, its output in `log`.
    fn start(&self, cmd: &Cmd, log: &Path) -> Result<(), CmdFailure>;

    /// Whether the user or the system has asked us to stop.
    fn interrupted(&self) -> bool;
}

/// Starts real processes, knows those that run, and ends them when we are told to stop.
#[derive(Clone, Default)]
pub(crate) struct Real {
    shared: Arc<Shared>,
    /// Where children run; None: where we do.
    folder: Option<PathBuf>,
    /// Their search path; None: ours.
    path: Option<OsString>,
}

#[derive(Default)]
struct Shared {
    interrupted: AtomicBool,
    running: Mutex<BTreeSet<i32>>,
}

impl Real {
    /// Listens for signals from now on. The first one ends what runs and lets the plan clean up; the
    /// second one kills and leaves at once.
    pub(crate) fn listening() -> anyhow::Result<Self> {
        use signal_hook::{consts, iterator::Signals};
        let real = Self::default();
        let mut signals = Signals::new([consts::SIGINT, consts::SIGTERM, consts::SIGHUP])?;
        let listener = real.clone();
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                for _ in signals.forever() {
                    if listener.shared.interrupted.swap(true, Ordering::SeqCst) {
                        listener.signal_all(Signal::SIGKILL);
                        force_exit();
                    }
                    let groups: Vec<i32> = listener.running().iter().copied().collect();
                    for group in groups {
                        listener.end(group);
                    }
                }
            })?;
        Ok(real)
    }

    /// The same, with children that run in `folder`.
    #[must_use]
    pub(crate) fn in_folder(mut self, folder: &Path) -> Self {
        self.folder = Some(folder.to_owned());
        self
    }

    /// The same, with children that look for programs in `first` before anywhere else.
    pub(crate) fn with_programs(mut self, first: &Path) -> anyhow::Result<Self> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let all = std::iter::once(first.to_owned()).chain(std::env::split_paths(&path));
        self.path = Some(std::env::join_paths(all)?);
        Ok(self)
    }

    /// Whether a program can be found.
    pub(crate) fn finds(&self, program: impl AsRef<std::ffi::OsStr>) -> Option<PathBuf> {
        let folder = self
            .folder
            .clone()
            .or_else(|| std::env::current_dir().ok())
            .unwrap_or_default();
        match &self.path {
            Some(path) => which::which_in(program, Some(path), folder).ok(),
            None => which::which(program).ok(),
        }
    }

    fn running(&self) -> MutexGuard<'_, BTreeSet<i32>> {
        self.shared
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks a process group to end, and makes it end when it has not after a while: `docker run` waits
    /// for its container, whose first process may well ignore the signal.
    fn end(&self, group: i32) {
        // A group that has just ended is no error.
        let _gone = killpg(Pid::from_raw(group), Signal::SIGTERM);
        let real = self.clone();
        std::thread::spawn(move || {
            let patience = Instant::now() + GRACE;
            while real.running().contains(&group) {
                if Instant::now() > patience {
                    let _gone = killpg(Pid::from_raw(group), Signal::SIGKILL);
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
        });
    }

    fn signal_all(&self, signal: Signal) {
        for group in self.running().iter() {
            // A group that has just ended is no error.
            let _gone = killpg(Pid::from_raw(*group), signal);
        }
    }

    fn expression(&self, cmd: &Cmd) -> Result<duct::Expression, CmdFailure> {
        let mut args: Vec<OsString> = Vec::with_capacity(cmd.args.len());
        for arg in &cmd.args {
            args.push(match arg {
                Arg::Plain(text) => text.clone(),
                Arg::Image {
                    prefix,
                    image,
                    suffix,
                } => {
                    let pinned = image.pinned().map_err(|error| {
                        CmdFailure::before_start(cmd, Reason::Argument(format!("{error:#}")))
                    })?;
                    format!("{prefix}{pinned}{suffix}").into()
                }
            });
        }
        tracing::debug!(command = %cmd, "start");
        let program = self
            .finds(&cmd.program)
            .ok_or_else(|| CmdFailure::before_start(cmd, Reason::NotFound))?;
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that spawns"
        )]
        let mut expression = duct::cmd(program, args).unchecked();
        if let Some(folder) = &self.folder {
            expression = expression.dir(folder);
        }
        // The innermost, which is the first, wins with duct: what the command itself says.
        for (name, value) in &cmd.env {
            expression = expression.env(name, value);
        }
        if let Some(path) = &self.path {
            expression = expression.env("PATH", path);
        }
        // What a child needs of it goes through its standard input.
        Ok(expression.env_remove(PASSWORD))
    }

    /// Starts a child that reads the terminal or our standard input, and waits for it.
    /// Gives the status that a shell would show.
    ///
    /// At a terminal it stays in our process group, to which the terminal's signals go. Elsewhere it
    /// leads one of its own, so that it ends with all it has started when we are told to end.
    pub(crate) fn interactive(&self, cmd: &Cmd) -> Result<u8, CmdFailure> {
        let started = Instant::now();
        let failed = |error: std::io::Error| io_failure(cmd, &error, started);
        let own_group = !std::io::stdin().is_terminal();
        let handle = self
            .expression(cmd)?
            .before_spawn(move |command| {
                if own_group {
                    command.process_group(0);
                }
                Ok(())
            })
            .start()
            .map_err(failed)?;
        let group = handle
            .pids()
            .first()
            .and_then(|pid| i32::try_from(*pid).ok());
        let group = group.filter(|_| own_group);
        self.running().extend(group);
        let status = handle.wait().map(|output| output.status).map_err(failed);
        if let Some(group) = group {
            self.running().remove(&group);
        }
        let status = status?;
        Ok(status
            .code()
            .or_else(|| status.signal().map(|number| 128 + number))
            .and_then(|code| u8::try_from(code).ok())
            .unwrap_or(1))
    }

    /// Starts a child that outlives us, in a process group of its own, its output in `log`.
    /// Gives its process number.
    pub(crate) fn detached(&self, cmd: &Cmd, log: &Path) -> Result<u32, CmdFailure> {
        let started = Instant::now();
        let failed = |error: std::io::Error| io_failure(cmd, &error, started);
        let file = fs_err::File::create(log).map_err(failed)?.into_parts().0;
        let handle = self
            .expression(cmd)?
            .stdin_null()
            .stderr_to_stdout()
            .stdout_file(file)
            .before_spawn(|command| {
                command.process_group(0);
                Ok(())
            })
            .start()
            .map_err(failed)?;
        // Not waited for: it is meant to go on. Its end shows in the world, not in a status.
        let pid = handle.pids().first().copied().unwrap_or_default();
        std::mem::forget(handle);
        Ok(pid)
    }

    fn spawn(
        &self,
        expression: &duct::Expression,
        cmd: &Cmd,
        started: Instant,
    ) -> Result<(duct::ReaderHandle, i32), CmdFailure> {
        let reader = expression
            .before_spawn(|command| {
                command.process_group(0);
                Ok(())
            })
            .reader()
            .map_err(|error| io_failure(cmd, &error, started))?;
        let group = reader
            .pids()
            .first()
            .and_then(|pid| i32::try_from(*pid).ok())
            .unwrap_or_default();
        self.running().insert(group);
        Ok((reader, group))
    }
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "the second Ctrl-C means now"
)]
fn force_exit() {
    std::process::exit(130);
}

fn io_failure(cmd: &Cmd, error: &std::io::Error, started: Instant) -> CmdFailure {
    let reason = if error.kind() == ErrorKind::NotFound {
        Reason::NotFound
    } else {
        Reason::Io(error.to_string())
    };
    CmdFailure {
        elapsed: started.elapsed(),
        ..CmdFailure::before_start(cmd, reason)
    }
}

/// Ends a process group when its time is over; dropped in time, it does nothing.
struct Deadline {
    _cancel: mpsc::Sender<()>,
    passed: Arc<AtomicBool>,
}

impl Deadline {
    fn of(group: i32, limit: Option<Duration>) -> Self {
        let (cancel, cancelled) = mpsc::channel();
        let passed = Arc::new(AtomicBool::new(false));
        if let Some(limit) = limit.filter(|limit| !limit.is_zero()) {
            let flag = Arc::clone(&passed);
            std::thread::spawn(move || {
                let pid = Pid::from_raw(group);
                let out = mpsc::RecvTimeoutError::Timeout;
                if cancelled.recv_timeout(limit) == Err(out) {
                    flag.store(true, Ordering::SeqCst);
                    let _gone = killpg(pid, Signal::SIGTERM);
                    if cancelled.recv_timeout(Duration::from_secs(5)) == Err(out) {
                        let _gone = killpg(pid, Signal::SIGKILL);
                    }
                }
            });
        }
        Self {
            _cancel: cancel,
            passed,
        }
    }
}

impl Real {
    fn run_to_end(
        &self,
        cmd: &Cmd,
        log: Option<&Path>,
        timeout: Option<Duration>,
        line: &mut dyn FnMut(&str),
        hopeless: Option<&(dyn Fn() -> bool + Sync)>,
    ) -> Result<(), CmdFailure> {
        let started = Instant::now();
        let mut log_file = match log {
            None => None,
            Some(path) => Some(
                File::options()
                    .create(true)
                    .append(true)
                    .open(path)
                    .map_err(|error| {
                        let why = format!("cannot write `{}`: {error}", path.display());
                        CmdFailure::before_start(cmd, Reason::Io(why))
                    })?,
            ),
        };
        if let Some(file) = &mut log_file {
            // A log that cannot be written (a full disk) must not end the work that it reports.
            let _full = writeln!(file, "$ {cmd}");
        }
        let expression = with_stdin(&self.expression(cmd)?, cmd).stderr_to_stdout();
        let (reader, group) = self.spawn(&expression, cmd, started)?;
        if self.interrupted() {
            // The signal came between the decision to start and the start.
            self.end(group);
        }
        let deadline = Deadline::of(group, timeout);
        let mut tail = Tail::default();
        let given_up = AtomicBool::new(false);
        let mut follow = || -> std::io::Result<ExitStatus> {
            let mut lines = BufReader::new(&reader);
            let mut bytes = Vec::new();
            while lines.read_until(b'\n', &mut bytes)? > 0 {
                let text = String::from_utf8_lossy(&bytes);
                let text = text.trim_end_matches(['\n', '\r']);
                // A progress bar redraws its line with carriage returns: only its end counts.
                let text = text.rsplit('\r').next().unwrap_or_default();
                if let Some(file) = &mut log_file {
                    let _full = writeln!(file, "{text}");
                }
                tail.push(text);
                line(text);
                bytes.clear();
            }
            match reader.try_wait()? {
                Some(output) => Ok(output.status),
                None => Err(std::io::Error::other("its output ended before it did")),
            }
        };
        let read = match hopeless {
            None => follow(),
            Some(hopeless) => std::thread::scope(|scope| {
                let (ended, ends) = mpsc::channel();
                let given_up = &given_up;
                scope.spawn(move || {
                    if watch(hopeless, &ends) {
                        given_up.store(true, Ordering::SeqCst);
                        self.end(group);
                    }
                });
                let read = follow();
                drop(ended);
                read
            }),
        };
        self.running().remove(&group);
        let reason = match read {
            Ok(status) if !status.success() && given_up.load(Ordering::SeqCst) => Reason::GivenUp,
            Ok(status) => match reason_of(status, &deadline, timeout) {
                None => return Ok(()),
                Some(reason) => reason,
            },
            Err(error) => Reason::Io(error.to_string()),
        };
        Err(CmdFailure {
            elapsed: started.elapsed(),
            tail: tail.last.into(),
            first_error: tail.first_error,
            lines: tail.lines,
            log: log.map(Path::to_owned),
            ..CmdFailure::before_start(cmd, reason)
        })
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

impl Exec for Real {
    fn run(
        &self,
        cmd: &Cmd,
        log: Option<&Path>,
        timeout: Option<Duration>,
        line: &mut dyn FnMut(&str),
    ) -> Result<(), CmdFailure> {
        self.run_to_end(cmd, log, timeout, line, None)
    }

    fn run_watched(
        &self,
        cmd: &Cmd,
        log: Option<&Path>,
        timeout: Option<Duration>,
        line: &mut dyn FnMut(&str),
        hopeless: &(dyn Fn() -> bool + Sync),
    ) -> Result<(), CmdFailure> {
        self.run_to_end(cmd, log, timeout, line, Some(hopeless))
    }

    fn read(&self, cmd: &Cmd, timeout: Option<Duration>) -> Result<String, CmdFailure> {
        let started = Instant::now();
        let expression = with_stdin(&self.expression(cmd)?, cmd).stderr_capture();
        // Asked while we are being stopped, it is part of cleaning up and may go on; cut off in between,
        // it ends like all that ran.
        let stopping = self.interrupted();
        let (mut reader, group) = self.spawn(&expression, cmd, started)?;
        if !stopping && self.interrupted() {
            self.end(group);
        }
        let deadline = Deadline::of(group, timeout);
        let mut stdout = Vec::new();
        let read = std::io::Read::read_to_end(&mut reader, &mut stdout);
        let waited = reader.try_wait().map(Option::<&_>::cloned);
        self.running().remove(&group);
        let output = match (read, waited) {
            (Ok(_), Ok(Some(output))) => output,
            (Err(error), _) | (_, Err(error)) => return Err(io_failure(cmd, &error, started)),
            (Ok(_), Ok(None)) => {
                let error = std::io::Error::other("its output ended before it did");
                return Err(io_failure(cmd, &error, started));
            }
        };
        let Some(reason) = reason_of(output.status, &deadline, timeout) else {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        };
        let mut tail = Tail::default();
        for line in String::from_utf8_lossy(&output.stderr).lines() {
            tail.push(line);
        }
        Err(CmdFailure {
            elapsed: started.elapsed(),
            tail: tail.last.into(),
            first_error: tail.first_error,
            lines: tail.lines,
            ..CmdFailure::before_start(cmd, reason)
        })
    }

    fn start(&self, cmd: &Cmd, log: &Path) -> Result<(), CmdFailure> {
        self.detached(cmd, log).map(|_| ())
    }

    fn interrupted(&self) -> bool {
        self.shared.interrupted.load(Ordering::SeqCst)
    }
}

fn with_stdin(expression: &duct::Expression, cmd: &Cmd) -> duct::Expression {
    match &cmd.stdin {
        Some(Stdin::Text(text)) => expression.stdin_bytes(text.as_bytes()),
        Some(Stdin::Secret(secret)) => expression.stdin_bytes(secret.reveal()),
        None => expression.stdin_null(),
    }
}

fn reason_of(status: ExitStatus, deadline: &Deadline, limit: Option<Duration>) -> Option<Reason> {
    tracing::debug!(%status, "end");
    if let (true, Some(limit)) = (deadline.passed.load(Ordering::SeqCst), limit) {
        return Some(Reason::TimedOut(limit));
    }
    match (status.code(), status.signal()) {
        (Some(0), _) => None,
        (Some(code), _) => Some(Reason::Status(code)),
        (None, signal) => Some(Reason::Signal(signal.unwrap_or_default())),
    }
}

#[cfg(test)]
mod tests;
