// SPDX-License-Identifier: Apache-2.0
//! What happens to a command that runs: a signal, or its terminal goes.

use std::{
    fs::File,
    io::{Read, Write},
    os::fd::{AsFd, OwnedFd},
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use fastrand::Rng;
use nix::{
    fcntl::{FcntlArg, FdFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::openpty,
    sys::signal::{Signal, kill},
    unistd::Pid,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Blow {
    Interrupt,
    /// Somebody who does not wait.
    InterruptTwice,
    Terminate,
    Kill,
    /// The terminal is closed: the kernel tells the shell, the shell its job, and the kernel the job.
    Hangup,
}

impl Blow {
    pub(crate) fn draw(rng: &mut Rng) -> Self {
        // The one that nothing can be done against is the one that finds most.
        match rng.u32(..10) {
            0 | 1 => Blow::Interrupt,
            2 => Blow::InterruptTwice,
            3 | 4 => Blow::Terminate,
            5..=7 => Blow::Kill,
            _ => Blow::Hangup,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Blow::Interrupt => "SIGINT",
            Blow::InterruptTwice => "SIGINT twice",
            Blow::Terminate => "SIGTERM",
            Blow::Kill => "SIGKILL",
            Blow::Hangup => "terminal closed",
        }
    }
}

/// A command that runs, with its terminal where it has one.
pub(crate) struct Running {
    pub(crate) child: Child,
    /// In its environment, and in that of all that it starts.
    pub(crate) mark: String,
    terminal: Option<Terminal>,
}

impl Running {
    /// Starts it with its output in `log`; on a terminal where that is what will be closed.
    pub(crate) fn start(mut command: Command, mark: String, on_terminal: bool, log: &Path) -> Self {
        let log = File::create(log).unwrap();
        if !on_terminal {
            command.stdout(log.try_clone().unwrap()).stderr(log);
            return Self {
                child: command.spawn().unwrap(),
                mark,
                terminal: None,
            };
        }
        let pair = openpty(None, None).unwrap();
        for end in [&pair.master, &pair.slave] {
            // A terminal that somebody else has open does not close.
            fcntl(end, FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC)).unwrap();
        }
        let mut shell = shell(&command);
        let own = || Stdio::from(pair.slave.try_clone().unwrap());
        shell.stdin(own()).stdout(own()).stderr(own());
        let child = shell.spawn().unwrap();
        Self {
            child,
            mark,
            terminal: Some(Terminal::follow(pair.master, log)),
        }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        // One that has just ended is no error.
        let _gone = kill(
            Pid::from_raw(i32::try_from(self.child.id()).unwrap()),
            signal,
        );
    }

    /// Lets the blow fall. The second one of two comes after `pause`.
    pub(crate) fn strike(&mut self, blow: Blow, pause: Duration) {
        match blow {
            Blow::Interrupt => self.signal(Signal::SIGINT),
            Blow::InterruptTwice => {
                self.signal(Signal::SIGINT);
                thread::sleep(pause);
                if self.child.try_wait().unwrap().is_none() {
                    self.signal(Signal::SIGINT);
                }
            }
            Blow::Terminate => self.signal(Signal::SIGTERM),
            Blow::Kill => self.signal(Signal::SIGKILL),
            Blow::Hangup => drop(self.terminal.take()),
        }
    }
}

/// An interactive shell that leads the terminal's session and has the command as its job, as people
/// have it.
fn shell(command: &Command) -> Command {
    let mut shell = Command::new("setsid");
    let options = ["--ctty", "bash", "--norc", "--noprofile", "-i", "-c"];
    shell.args(options).args(["\"$@\"; exit $?", "bash"]);
    shell.arg(command.get_program()).args(command.get_args());
    if let Some(folder) = command.get_current_dir() {
        shell.current_dir(folder);
    }
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    shell
}

/// The end of a terminal at which a person would sit; what comes out of it is written down.
struct Terminal {
    close: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    fn follow(master: OwnedFd, mut log: File) -> Self {
        let close = Arc::new(AtomicBool::new(false));
        let closes = Arc::clone(&close);
        let reader = thread::spawn(move || {
            let mut master = File::from(master);
            let mut bytes = [0; 4096];
            while !closes.load(Ordering::SeqCst) {
                let mut ready = [PollFd::new(master.as_fd(), PollFlags::POLLIN)];
                if poll(&mut ready, PollTimeout::from(20u8)).unwrap_or_default() == 0 {
                    continue;
                }
                match master.read(&mut bytes) {
                    Ok(count) if count > 0 => log.write_all(&bytes[..count]).unwrap(),
                    // All that had it open have ended.
                    _ => break,
                }
            }
        });
        Self {
            close,
            reader: Some(reader),
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        self.close.store(true, Ordering::SeqCst);
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
    }
}
