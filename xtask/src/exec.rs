// SPDX-License-Identifier: Apache-2.0
//! Starts processes; the only file that does.
//!
//! Every child leads a process group of its own, so that one signal ends it with all that it started,
//! and a Ctrl-C at the terminal reaches us alone: we decide what ends and what is cleaned up.
//! Interactive children are the exception: they share our group and the terminal.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    io::{ErrorKind, IsTerminal},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::{Path, PathBuf},
    process::{Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

mod child;
mod printed;
mod tail;

use child::Child;
use printed::Printed;
use tail::Tail;

pub(crate) use crate::failure::{CmdFailure, Reason};

use crate::{
    own::{RunId, file, process},
    plan::{Cmd, PASSWORD, Stdin, Word},
};

/// How long a child may take to end once it has been asked to.
const GRACE: Duration = Duration::from_secs(3);

/// How often a step that is watched is asked after.
const WATCH: Duration = if cfg!(test) {
    Duration::from_millis(100)
} else {
    Duration::from_secs(4)
};

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
    /// The run's id, by which the next run knows what a killed one has left.
    run: Option<String>,
}

#[derive(Default)]
struct Shared {
    interrupted: AtomicBool,
    /// The children that are not reaped yet, by their numbers.
    running: Mutex<BTreeMap<i32, Running>>,
    /// What is done even when we leave at once.
    last: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// A child that is not reaped yet, so that its number is still its own.
#[derive(Clone, Copy)]
struct Running {
    /// Whether it leads a group of its own; one at our terminal is in ours.
    leads: bool,
    /// When it was asked to end.
    asked: Option<Instant>,
}

impl Running {
    fn new(leads: bool) -> Self {
        Self { leads, asked: None }
    }

    /// Sends a signal to the child, and to its group if it leads one.
    fn signal(self, number: i32, signal: Signal) {
        let to = Pid::from_raw(number);
        // What has just ended is no error.
        let _gone = if self.leads {
            killpg(to, signal)
        } else {
            kill(to, signal)
        };
    }
}

impl Real {
    /// Listens for signals from now on. The first one ends what runs and lets the plan clean up. A second
    /// Ctrl-C kills and leaves at once; nothing else does: a terminal that is closed says so twice.
    pub(crate) fn listening(run: &RunId) -> anyhow::Result<Self> {
        use signal_hook::{consts, iterator::Signals};
        let real = Self {
            run: Some(run.to_string()),
            ..Self::default()
        };
        // What `nohup` has told us stays so. A shell tells background jobs to ignore SIGINT too, which is for the
        // terminal's sake: whoever sends it to us means us.
        let mut heard = vec![consts::SIGINT, consts::SIGTERM];
        heard.extend((!process::ignores(consts::SIGHUP)).then_some(consts::SIGHUP));
        let mut signals = Signals::new(heard)?;
        let listener = real.clone();
        std::thread::Builder::new()
            .name("signals".into())
            .spawn(move || {
                let mut was_int = false;
                for signal in signals.forever() {
                    if signal == consts::SIGINT && std::mem::replace(&mut was_int, true) {
                        listener.kill_all();
                        if let Some(last) = listener.shared.last.get() {
                            last();
                        }
                        force_exit();
                    }
                    // What runs from the first one on cleans up: those that follow are not for it.
                    if listener.shared.interrupted.swap(true, Ordering::SeqCst) {
                        continue;
                    }
                    listener.end_all(signal == consts::SIGINT);
                }
            })?;
        Ok(real)
    }

    /// Does `last` before a second Ctrl-C ends us. Only the first one that is given counts.
    pub(crate) fn before_leaving(&self, last: impl Fn() + Send + Sync + 'static) {
        self.shared.last.get_or_init(|| Box::new(last));
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

    fn running(&self) -> MutexGuard<'_, BTreeMap<i32, Running>> {
        self.shared
            .running
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks all that run to end. What a terminal has told its whole group itself is not told again.
    fn end_all(&self, by_terminal: bool) {
        let all: Vec<(i32, Running)> = self.running().iter().map(|(at, of)| (*at, *of)).collect();
        for (number, running) in all {
            if running.leads || !by_terminal {
                self.end(number);
            }
        }
    }

    /// Asks a child and its group to end, and makes them end when they have not after a while:
    /// `docker run` waits for its container, whose first process may well ignore the signal.
    fn end(&self, number: i32) {
        let mut running = self.running();
        match running.get_mut(&number) {
            Some(child) if child.asked.is_none() => {
                child.asked = Some(Instant::now());
                child.signal(number, Signal::SIGTERM);
            }
            _ => return,
        }
        drop(running);
        let real = self.clone();
        std::thread::spawn(move || {
            let patience = Instant::now() + GRACE;
            while Instant::now() < patience {
                if !real.running().contains_key(&number) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            // Not let go of before the signal is sent: then the number may be another's.
            let running = real.running();
            if let Some(child) = running.get(&number) {
                child.signal(number, Signal::SIGKILL);
            }
        });
    }

    fn kill_all(&self) {
        for (number, child) in self.running().iter() {
            child.signal(*number, Signal::SIGKILL);
        }
    }

    /// After a child has ended: when it was asked to, what it has left in its group ends too, in the time
    /// that is left or by force.
    fn settle(&self, number: i32) {
        let child = self.running().get(&number).copied();
        if let Some(child) = child.filter(|child| child.leads)
            && let Some(asked) = child.asked
        {
            while asked.elapsed() < GRACE && process::has_others(number) {
                std::thread::sleep(Duration::from_millis(20));
            }
            child.signal(number, Signal::SIGKILL);
        }
        self.running().remove(&number);
    }

    fn command(&self, cmd: &Cmd) -> Result<Command, CmdFailure> {
        tracing::debug!(command = %cmd, "start");
        let program = self
            .finds(&cmd.program)
            .ok_or_else(|| CmdFailure::before_start(cmd, Reason::NotFound))?;
        #[expect(
            clippy::disallowed_methods,
            reason = "this is the one place that spawns"
        )]
        let mut command = Command::new(program);
        command.args(&cmd.args);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        if let Some(path) = &self.path {
            command.env("PATH", path);
        }
        // What the command itself says wins.
        command.envs(cmd.env.iter().map(|(name, value)| (name, value)));
        if let Some(run) = &self.run {
            command.env(process::VARIABLE, run);
        }
        // What a child needs of it goes through its standard input.
        command.env_remove(PASSWORD);
        Ok(command)
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
        let mut command = self.command(cmd)?;
        if own_group {
            command.process_group(0);
        }
        let mut child = command.spawn().map_err(failed)?;
        if let Ok(number) = i32::try_from(child.id()) {
            self.running().insert(number, Running::new(own_group));
            if self.interrupted() {
                self.end(number);
            }
            child::wait_for_end(child.id());
            self.settle(number);
        }
        let status = child.wait().map_err(failed)?;
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
        let file = file::open_log(log, true).map_err(failed)?;
        let errors = file.try_clone().map_err(failed)?;
        let mut command = self.command(cmd)?;
        // Not one of ours to end when this run is killed.
        command
            .env_remove(process::VARIABLE)
            .stdin(Stdio::null())
            .stdout(file)
            .stderr(errors)
            .process_group(0);
        // Not waited for: it is meant to go on. Its end shows in the world, not in a status.
        Ok(command.spawn().map_err(failed)?.id())
    }

    /// Starts a child that is waited for, and knows it from now on.
    fn spawn(&self, cmd: &Cmd, apart: bool, started: Instant) -> Result<Child, CmdFailure> {
        let input = cmd.stdin.as_ref().map(|stdin| match stdin {
            Stdin::Text(text) => text.clone().into_bytes(),
            Stdin::Secret(secret) => secret.reveal().as_bytes().to_vec(),
        });
        let child = Child::start(self.command(cmd)?, input, apart)
            .map_err(|error| io_failure(cmd, &error, started))?;
        self.running().insert(child.group(), Running::new(true));
        Ok(child)
    }

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
        let mut printed = Printed::begin(cmd, log, line)?;
        let mut child = self.spawn(cmd, false, started)?;
        if self.interrupted() {
            // The signal came between the decision to start and the start.
            self.end(child.group());
        }
        let mut out = |_: usize, bytes: &[u8]| printed.bytes(bytes);
        let (ended, given_up) = match hopeless {
            None => (self.wait(&mut child, timeout, &mut out), false),
            Some(hopeless) => self.wait_watched(&mut child, timeout, &mut out, hopeless),
        };
        printed.end();
        let reason = match ended {
            // What has ended well has succeeded, whatever was thought of it meanwhile.
            Ok((status, false)) if status.success() => return Ok(()),
            Ok((_, false)) if given_up => Reason::GivenUp,
            Ok((status, late)) => reason_of(status, late, timeout),
            Err(error) => Reason::Io(error.to_string()),
        };
        Err(printed.failure(cmd, reason, started))
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

impl CmdFailure {
    /// Of a command that has not run: it could not be found or started, or not be completed.
    pub(crate) fn before_start<A: Word>(cmd: &Cmd<A>, reason: Reason) -> Self {
        Self {
            purpose: cmd.purpose.clone(),
            command: cmd.headline(),
            program: cmd.program.to_string_lossy().into_owned(),
            reason,
            elapsed: Duration::ZERO,
            tail: Vec::new(),
            first_error: None,
            lines: 0,
            log: None,
        }
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
        // Asked while we are being stopped, it is part of cleaning up and may go on; cut off in between,
        // it ends like all that ran.
        let stopping = self.interrupted();
        let mut child = self.spawn(cmd, true, started)?;
        if !stopping && self.interrupted() {
            self.end(child.group());
        }
        let mut texts = [Vec::new(), Vec::new()];
        let ended = self.wait(&mut child, timeout, &mut |at, bytes| {
            texts[at].extend_from_slice(bytes);
        });
        let [stdout, stderr] = texts;
        let reason = match ended {
            Ok((status, false)) if status.success() => {
                return Ok(String::from_utf8_lossy(&stdout).into_owned());
            }
            Ok((status, late)) => reason_of(status, late, timeout),
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

/// Why a child did not succeed. `late`: it had to be ended at its limit.
fn reason_of(status: ExitStatus, late: bool, limit: Option<Duration>) -> Reason {
    match (limit, status.code(), status.signal()) {
        (Some(limit), _, _) if late => Reason::TimedOut(limit),
        (_, Some(code), _) => Reason::Status(code),
        (_, None, signal) => Reason::Signal(signal.unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests;
