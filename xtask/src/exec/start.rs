// SPDX-License-Identifier: Apache-2.0
//! From a command to a child, and from the child to its result.

use std::{
    io::{ErrorKind, IsTerminal},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    time::{Duration, Instant},
};

use super::{
    CmdFailure, Exec, Real, Reason, Supervision,
    child::{self, Child},
    printed::Printed,
    real::Running,
    tail::Tail,
};
use crate::{
    own::{file, process, source},
    plan::{Cmd, DOCKER_LOGINS, PASSWORD, Stdin},
};

/// The platform of images for docker where no option says one. What is built is for this machine or for what `--platform`
/// says, and what runs must be the same: no child that is waited for gets it. Fact: docker/cli, `cli/command/cli.go`.
pub(crate) const DEFAULT_PLATFORM: &str = "DOCKER_DEFAULT_PLATFORM";

/// How often a step that is watched is asked after.
const WATCH: Duration = if cfg!(test) {
    Duration::from_millis(100)
} else {
    Duration::from_secs(4)
};

/// What is asked once we are told to stop is for the clean-up, and may take no longer: nobody would stop it again.
const CLEAN_UP: Duration = if cfg!(test) {
    Duration::from_millis(500)
} else {
    Duration::from_secs(30)
};

impl Real {
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
        if let Some(login) = &self.docker_login {
            command.env(DOCKER_LOGINS, login.reveal());
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
        let input = match &cmd.stdin {
            None => None,
            Some(Stdin::Text(text)) => Some(text.clone().into_bytes()),
            Some(Stdin::Secret(secret)) => Some(secret.reveal().as_bytes().to_vec()),
            Some(Stdin::File(path)) => Some(contents(cmd, path)?),
        };
        let mut command = self.command(cmd)?;
        command.env_remove(DEFAULT_PLATFORM);
        let child = Child::start(command, input, apart)
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
        let mut printed = Printed::begin(cmd, how.log, line)?;
        let mut child = self.spawn(cmd, false, started)?;
        if self.interrupted() {
            // The signal came between the decision to start and the start.
            self.end(child.group());
        }
        let mut out = |_: usize, bytes: &[u8]| printed.bytes(bytes);
        let (ended, given_up) = match how.hopeless {
            None => (self.wait(&mut child, how.timeout, &mut out), false),
            Some(hopeless) => self.wait_watched(&mut child, how.timeout, &mut out, hopeless),
        };
        printed.end();
        let reason = match ended {
            // What has ended well has succeeded, whatever was thought of it meanwhile.
            Ok((status, false)) if status.success() => return Ok(()),
            Ok((_, false)) if given_up => Reason::GivenUp,
            Ok((status, late)) => reason_of(status, late, how.timeout),
            Err(error) => Reason::Io(error.to_string()),
        };
        Err(printed.failure(cmd, reason, started))
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
        let mut texts = [Vec::new(), Vec::new()];
        let ended = self.wait(&mut child, limit, &mut |at, bytes| {
            texts[at].extend_from_slice(bytes);
        });
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

/// What a file holds that goes to a command's standard input.
fn contents(cmd: &Cmd, path: &Path) -> Result<Vec<u8>, CmdFailure> {
    let failed = |why| CmdFailure::before_start(cmd, Reason::Argument(why));
    match source::read_named(path) {
        Ok(Some(text)) => Ok(text.into_bytes()),
        Ok(None) => Err(failed(format!("`{}` does not exist", path.display()))),
        Err(error) => Err(failed(error.to_string())),
    }
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
