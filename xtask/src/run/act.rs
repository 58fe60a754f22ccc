// SPDX-License-Identifier: Apache-2.0
//! What each action does: the one place where a plan touches the world.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{Walk, log_name, removal};
use crate::{
    event::{Event, Outcome},
    exec::{CmdFailure, Reason, Supervision},
    failure::{self, Failure},
    own::{file, source},
    plan::{Action, Again, Arg, Cmd, Console, Owned, Probe, Step, Undo, Work},
};

/// How long it may take to take one step back.
const UNDO: Duration = Duration::from_secs(30);
/// How long a removal may take that has no limit of its own.
const REMOVAL: Duration = Duration::from_secs(120);

impl Walk<'_> {
    pub(super) fn act(
        &self,
        step: &Step,
        output: &mut dyn FnMut(&str),
        warn: &mut dyn FnMut(String),
    ) -> anyhow::Result<Outcome> {
        if let Some((probe, why)) = &step.skip_if
            && self.holds(probe)?
        {
            return Ok(Outcome::Skipped(why.clone()));
        }
        match &step.action {
            Action::Run(cmd) => {
                self.run_cmd(step, cmd, output)?;
            }
            Action::Folder(path) => file::make_folder(path)?,
            Action::Write { path, contents } => file::write_atomically(path, contents)?,
            Action::WriteNew { path, contents } => file::write_new(path, contents)?,
            Action::Script { path, contents } => file::write_program(path, contents)?,
            Action::Start { cmd, log } => {
                self.exec.start(cmd, log).map_err(Failure::from)?;
            }
            Action::WaitFor {
                what,
                probe,
                every,
                patience,
                log,
            } => self.wait(what, probe, *every, *patience, log.as_deref())?,
            Action::Save { cmd, path } => {
                let text = self.exec.read(cmd, step.timeout).map_err(Failure::from)?;
                file::write_private(path, &text)?;
            }
            Action::Rename { from, to } => file::rename(from, to)?,
            Action::RemoveFolder(path) => file::remove_folder(path)?,
            Action::Remove(owned) => {
                self.remove(owned, step.timeout.unwrap_or(REMOVAL))
                    .map_err(Failure::from)?;
            }
            Action::Work(work) => {
                let mut console = Console {
                    line: output,
                    warning: warn,
                };
                // A thread that is gone would be waited for for ever.
                let performed =
                    catch_unwind(AssertUnwindSafe(|| work.perform(self.exec, &mut console)));
                return Ok(performed.map_err(|_| broken(work.as_ref()))??.into());
            }
            // Parts are carried out together, see `joint`.
            Action::Part(part) => anyhow::bail!("`{part}` was to be run with other steps"),
        }
        Ok(Outcome::Done(None))
    }

    /// Why a failure may be none the next time. What was given up is no such failure.
    pub(super) fn is_passing(
        &self,
        step: &Step,
        error: &anyhow::Error,
        elapsed: Duration,
    ) -> Option<String> {
        let judged = error
            .downcast_ref::<Failure>()
            .is_some_and(|failure| failure.cause.is_some());
        let late = step.timeout.is_some_and(|limit| elapsed >= limit);
        if judged || late || self.exec.interrupted() {
            return None;
        }
        let again = step.again.as_ref()?;
        let log = source::read_log(&self.options.logs.join(log_name(&step.name)))?;
        again.retry.why(&String::from_utf8_lossy(&log))
    }

    pub(super) fn once_more(
        &self,
        again: &Again,
        output: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Outcome> {
        let (needs, every) = (again.needs, Duration::from_secs(1));
        let ready = self.wait(needs, &again.ready, every, again.patience, None);
        ready.map_err(|error| {
            let mut failure = Failure::from(error);
            if failure.kind != failure::Kind::Interrupted {
                let why = &failure.message;
                failure.message = format!("{needs} still does not answer: {why}");
            }
            failure
        })?;
        let limit = Some(Duration::from_secs(60));
        self.exec
            .read(&again.prepare, limit)
            .map_err(Failure::from)?;
        self.act(&again.step, output, &mut |_| {})
    }

    fn run_cmd(
        &self,
        step: &Step,
        cmd: &Cmd<Arg>,
        output: &mut dyn FnMut(&str),
    ) -> Result<(), Failure> {
        let known = cmd.known().map_err(|failure| {
            CmdFailure::before_start(cmd, Reason::Argument(failure.to_string()))
        })?;
        // People know an image by its tag.
        let named = |failed: CmdFailure| {
            Failure::from(CmdFailure {
                command: cmd.headline(),
                ..failed
            })
        };
        let log = self.options.logs.join(log_name(&step.name));
        let how = Supervision {
            log: Some(&log),
            timeout: step.timeout,
            hopeless: None,
        };
        let Some(watch) = &step.watch else {
            let ended = self.exec.run(&known, how, output);
            return ended.map_err(named);
        };
        let watching = Mutex::new((watch.begin(), None));
        let is_hopeless = || {
            let mut state = watching.lock().unwrap_or_else(PoisonError::into_inner);
            state.1 = state.0.look(self.exec);
            state.1.is_some()
        };
        let how = Supervision {
            hopeless: Some(&is_hopeless),
            ..how
        };
        let ended = self.exec.run(&known, how, output);
        ended.map_err(|failed| {
            let given_up = matches!(failed.reason, Reason::GivenUp);
            let mut failure = named(failed);
            let state = watching
                .into_inner()
                .unwrap_or_else(PoisonError::into_inner);
            if let Some(hopeless) = state.1.filter(|_| given_up) {
                failure = failure.detail(hopeless.seen);
                failure.cause = Some(hopeless.cause);
            }
            failure
        })
    }

    fn holds(&self, probe: &Probe) -> Result<bool, Failure> {
        match probe {
            Probe::Exists(path) => Ok(path.exists()),
            Probe::Holds { path, text } => {
                let (folder, name) = (path.parent(), path.file_name());
                let found = folder
                    .zip(name)
                    .map(|(folder, name)| source::read_own(folder, Path::new(name)));
                // What cannot be read is not it.
                Ok(matches!(found, Some(Ok(Some(found))) if &found == text))
            }
            Probe::Answers { address, path } => Ok(answers(address, path)),
            Probe::Succeeds(cmd) => match self.exec.run(cmd, Supervision::default(), &mut |_| {}) {
                Ok(()) => Ok(true),
                Err(CmdFailure {
                    reason: Reason::Status(_),
                    ..
                }) => Ok(false),
                Err(failed) => Err(failed.into()),
            },
        }
    }

    fn wait(
        &self,
        what: &str,
        probe: &Probe,
        every: Duration,
        patience: Duration,
        log: Option<&Path>,
    ) -> anyhow::Result<()> {
        let started = Instant::now();
        while !self.holds(probe)? {
            if self.exec.interrupted() {
                return Err(Failure::interrupted().into());
            }
            let text = log
                .and_then(source::read_log)
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .unwrap_or_default();
            // What is waited for may have given up already.
            let gave_up = text.lines().any(|line| line.starts_with("error: "));
            if gave_up || started.elapsed() > patience {
                let mut failure = Failure::failed(format!(
                    "{what} is not ready after {:.0}s",
                    started.elapsed().as_secs_f64()
                ));
                if let Some(log) = log {
                    failure = failure.detail(format!("log: {}", log.display()));
                }
                if let Probe::Succeeds(cmd) = probe
                    && let Err(failed) = self.exec.read(cmd, None)
                    && let Some(cause) = failed.cause()
                {
                    failure = failure.detail(format!("last answer: {cause}"));
                }
                let lines: Vec<&str> = text.lines().collect();
                for line in &lines[lines.len().saturating_sub(8)..] {
                    failure = failure.detail(format!("  | {line}"));
                }
                return Err(failure.into());
            }
            std::thread::sleep(every);
        }
        Ok(())
    }

    /// Takes back what a step has made, as far as that can be done.
    pub(super) fn undo(&self, step: &Step, on: &mut dyn FnMut(Event)) {
        for undo in &step.undo {
            if let Some(why) = self.undo_one(undo) {
                on(Event::Warning(format!(
                    "could not clean up after `{}`: {why}",
                    step.name
                )));
            }
        }
    }

    /// Why it could not be done; None: it was.
    fn undo_one(&self, undo: &Undo) -> Option<String> {
        let limit = Some(UNDO);
        let failed = |failed: CmdFailure| {
            let cause = failed.cause().unwrap_or("did not succeed");
            format!("`{}` {cause}", failed.command)
        };
        match undo {
            Undo::Run(cmd) => self.exec.read(cmd, limit).err().map(failed),
            Undo::RemoveFolder(path) => file::remove_folder(path)
                .err()
                .map(|error| format!("{error:#}")),
            Undo::Remove(owned) => self.remove(owned, UNDO).err().map(failed),
        }
    }

    /// Removes what carries the label, if there is any.
    fn remove(&self, owned: &Owned, patience: Duration) -> Result<(), CmdFailure> {
        removal::remove(self.exec, owned, None, patience).map(|_| ())
    }
}

/// Whether an HTTP server answers a GET with status 200.
fn answers(address: &str, path: &str) -> bool {
    let patience = Duration::from_secs(2);
    let ask = || -> std::io::Result<bool> {
        let mut last = Err(std::io::ErrorKind::NotFound.into());
        for address in address.to_socket_addrs()? {
            last = TcpStream::connect_timeout(&address, patience);
            if last.is_ok() {
                break;
            }
        }
        let mut stream = last?;
        stream.set_read_timeout(Some(patience))?;
        write!(stream, "GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n")?;
        let mut status = [0; 12];
        stream.read_exact(&mut status)?;
        Ok(status.starts_with(b"HTTP/1.") && status.ends_with(b" 200"))
    };
    ask().unwrap_or(false)
}

/// What has come of work that panicked.
fn broken(work: &dyn Work) -> Failure {
    Failure::failed(format!("xtask itself has a fault: `{work}` panicked"))
        .hint("please report it, with what it says above and what it was given")
}
