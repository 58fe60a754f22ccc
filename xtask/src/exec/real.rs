// SPDX-License-Identifier: Apache-2.0
//! The children that run, and their end: by a signal that we are sent, by a limit, or by themselves.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use nix::{
    sys::signal::{Signal, kill, killpg},
    unistd::Pid,
};

use crate::{
    own::{RunId, process},
    plan::{SIGNING_PASSWORD, Secret},
};

/// How long a child may take to end once it has been asked to.
const GRACE: Duration = Duration::from_secs(3);

/// Starts real processes, knows those that run, and ends them when we are told to stop.
#[derive(Clone, Default)]
pub(crate) struct Real {
    pub(super) shared: Arc<Shared>,
    /// Where children run; None: where we do.
    pub(super) folder: Option<PathBuf>,
    /// Their search path; None: ours.
    pub(super) path: Option<OsString>,
    /// The login that docker is to use for a registry, in place of its own.
    pub(super) docker_login: Option<Secret>,
    /// The run's id, by which the next run knows what a killed one has left.
    pub(super) run: Option<String>,
}

#[derive(Default)]
pub(super) struct Shared {
    pub(super) interrupted: AtomicBool,
    /// The children that are not reaped yet, by their numbers.
    running: Mutex<BTreeMap<i32, Running>>,
    /// The variable that holds the key which is signed with.
    signing_key: OnceLock<String>,
    /// What is done even when we leave at once.
    last: OnceLock<Box<dyn Fn() + Send + Sync>>,
}

/// A child that is not reaped yet, so that its number is still its own.
#[derive(Clone, Copy)]
pub(super) struct Running {
    /// Whether it leads a group of its own; one at our terminal is in ours.
    leads: bool,
    /// When it was asked to end.
    asked: Option<Instant>,
}

impl Running {
    pub(super) fn new(leads: bool) -> Self {
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

    /// Keeps a variable, which holds a signing key, from all children but the signer. Only the first one that is given counts.
    pub(crate) fn withhold(&self, variable: &str) {
        self.shared.signing_key.get_or_init(|| variable.to_owned());
    }

    /// The variables that are the signer's alone.
    pub(super) fn of_the_signer(&self) -> impl Iterator<Item = &str> {
        let key = self.shared.signing_key.get().map(String::as_str);
        key.into_iter().chain([SIGNING_PASSWORD])
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

    /// The same, with children to which docker's configuration holds these logins, too: a JSON object like its
    /// `config.json`. It is in no command, so nothing prints it.
    pub(crate) fn with_docker_login(mut self, login: Secret) -> Self {
        self.docker_login = Some(login);
        self
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

    pub(super) fn running(&self) -> MutexGuard<'_, BTreeMap<i32, Running>> {
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
    pub(super) fn end(&self, number: i32) {
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
    pub(super) fn settle(&self, number: i32) {
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
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "the second Ctrl-C means now"
)]
fn force_exit() {
    std::process::exit(130);
}
