// SPDX-License-Identifier: Apache-2.0
//! From a command to a child.

use std::{
    io::{ErrorKind, IsTerminal},
    os::unix::process::{CommandExt, ExitStatusExt},
    path::Path,
    process::{Command, Stdio},
    time::Instant,
};

use super::{
    CmdFailure, Exec, Real, Reason,
    child::{self, Child},
    real::Running,
    respelled,
};
use crate::{
    own::{file, process, source},
    plan::{Cmd, DOCKER_LOGINS, PASSWORD, SIGNER, Stdin},
};

/// The platform of images for docker where no option says one. What is built is for this machine or for what `--platform`
/// says, and what runs must be the same: no child that is waited for gets it. Fact: docker/cli, `cli/command/cli.go`.
pub(crate) const DEFAULT_PLATFORM: &str = "DOCKER_DEFAULT_PLATFORM";

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
        command.envs(respelled());
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
        self.of_the_signer().for_each(|name| {
            command.env_remove(name);
        });
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
    pub(super) fn spawn(
        &self,
        cmd: &Cmd,
        apart: bool,
        started: Instant,
    ) -> Result<Child, CmdFailure> {
        let input = match &cmd.stdin {
            None => None,
            Some(Stdin::Text(text)) => Some(text.clone().into_bytes()),
            Some(Stdin::Secret(secret)) => Some(secret.reveal().as_bytes().to_vec()),
            Some(Stdin::File(path)) => Some(contents(cmd, path)?),
        };
        let mut command = self.command(cmd)?;
        command.env_remove(DEFAULT_PLATFORM);
        if cmd.program != SIGNER {
            self.of_the_signer().for_each(|name| {
                command.env_remove(name);
            });
        }
        let child = Child::start(command, input, apart)
            .map_err(|error| io_failure(cmd, &error, started))?;
        self.running().insert(child.group(), Running::new(true));
        Ok(child)
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

pub(super) fn io_failure(cmd: &Cmd, error: &std::io::Error, started: Instant) -> CmdFailure {
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
