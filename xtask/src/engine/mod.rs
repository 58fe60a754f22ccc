// SPDX-License-Identifier: Apache-2.0
//! The one way to an engine: opened for what it is wanted for, it says how to call its programs, what
//! Docker says of itself, and holds the locks on it until it is dropped.

mod archive;
pub(crate) mod base;
mod bring_up;
pub(crate) mod builder;
mod holder;
pub(crate) mod lock;
pub(crate) mod note;
mod opener;
pub(crate) mod print;
pub(crate) mod sources;

use std::{cell::OnceCell, path::Path, time::Duration};

pub(crate) use self::opener::Opener;

use self::lock::Lock;
use crate::{
    exec::{Exec, Real},
    failure::Failure,
    own::source,
    sandbox::{Sandbox, State, up},
    tool::docker,
};

/// How long an engine may take to say what it is.
const PATIENCE: Duration = Duration::from_secs(30);

/// Docker's own configuration, of the sandbox or else of this user. Empty where there is none; one that cannot be read docker
/// does not use either.
pub(crate) fn docker_configuration(sandbox: Option<&Sandbox>) -> String {
    let file = match sandbox {
        Some(sandbox) => Some(sandbox.docker_configuration()),
        None => docker::own_folder().map(|folder| folder.join(docker::CONFIGURATION)),
    };
    let text = file.and_then(|file| source::read_named(&file).ok()?);
    text.unwrap_or_default()
}

/// What an engine is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Questions alone: nothing is started, nobody is waited for.
    Look,
    /// Beside whoever else uses it: a sandbox is up, and no lock is held.
    Share,
    /// Programs for work that is done elsewhere, on an existing cluster: Docker need not be there. A sandbox,
    /// which these programs are in, is up and nobody else uses it meanwhile.
    Programs,
    /// Work whose results go elsewhere: nobody else uses it meanwhile, and where a builder elsewhere does the work it need
    /// not be there.
    Push,
    /// It is there, and nobody else uses it meanwhile.
    Work,
}

impl Access {
    /// The same, or questions alone when nothing is to be done.
    pub(crate) fn or_look(self, dry_run: bool) -> Self {
        if dry_run { Self::Look } else { self }
    }
}

/// An engine that can be used.
pub(crate) struct Engine {
    /// Starts processes, with the sandbox's programs on their PATH when there is one.
    pub exec: Real,
    /// None: it is the engine that the machine's own `docker` speaks to.
    pub sandbox: Option<Sandbox>,
    access: Access,
    info: OnceCell<docker::Info>,
    /// On the sandbox's folder and on its engine, in this order: the engine can be reached without the folder,
    /// by its programs on PATH.
    locks: Vec<Lock>,
}

impl Engine {
    /// The engine that the user has chosen: with `--sandbox` the private one.
    pub(crate) fn open(opener: &mut dyn Opener, access: Access) -> anyhow::Result<Self> {
        if opener.wants_sandbox() {
            up::refuse()?;
            let sandbox = opener.sandbox()?;
            return Self::in_sandbox(opener, sandbox, access);
        }
        if !matches!(access, Access::Look | Access::Share) {
            // Said before anything is started: without a place for logs nothing will run.
            opener.run_folder()?;
        }
        let mut engine = Self::new(opener.exec().clone(), None, access);
        match access {
            Access::Work => engine.lock(opener)?,
            Access::Push => match engine.info() {
                Ok(_) => engine.lock(opener)?,
                // Who needs it asks again, and says why it does not answer.
                Err(_) => engine.locks.push(lock::no_engine(opener)?),
            },
            Access::Look | Access::Share | Access::Programs => {}
        }
        Ok(engine)
    }

    /// The sandbox's engine, whatever the user has chosen: started when needed, and shown this repository.
    pub(crate) fn in_sandbox(
        opener: &mut dyn Opener,
        sandbox: Sandbox,
        access: Access,
    ) -> anyhow::Result<Self> {
        up::refuse()?;
        let exec = with_programs(opener, &sandbox)?;
        match access {
            Access::Look => {
                sandbox.refuse_foreign()?;
                let engine = Self::new(exec, Some(sandbox), access);
                if engine.is_stopped() {
                    opener.note(
                        "the sandbox does not run; a run of these commands would start it first",
                    );
                }
                Ok(engine)
            }
            Access::Share => {
                let info = bring_up::shared(opener, &sandbox, &exec)?;
                Ok(Self::new(exec, Some(sandbox), access).knowing(info))
            }
            Access::Programs | Access::Push | Access::Work => {
                // Said before anything is started: without a place for logs nothing will run.
                opener.run_folder()?;
                let (lock, info) = bring_up::locked(opener, &sandbox, &exec)?;
                let mut engine = Self::new(exec, Some(sandbox), access).knowing(info);
                engine.locks.push(lock);
                engine.lock(opener)?;
                Ok(engine)
            }
        }
    }

    fn new(exec: Real, sandbox: Option<Sandbox>, access: Access) -> Self {
        Self {
            exec,
            sandbox,
            access,
            info: OnceCell::new(),
            locks: Vec::new(),
        }
    }

    /// The same, which has said that of itself already.
    fn knowing(self, info: docker::Info) -> Self {
        Self {
            info: OnceCell::from(info),
            ..self
        }
    }

    /// What Docker says of itself, asked once.
    pub(crate) fn info(&self) -> Result<&docker::Info, Failure> {
        if let Some(info) = self.info.get() {
            return Ok(info);
        }
        let info = ask(&self.exec)?;
        Ok(self.info.get_or_init(|| info))
    }

    /// It is a sandbox that does not run, so nothing can be asked of it.
    pub(crate) fn is_stopped(&self) -> bool {
        let runs = |sandbox: &Sandbox| matches!(sandbox.state(), State::Running(_));
        self.sandbox.as_ref().is_some_and(|sandbox| !runs(sandbox))
    }

    /// Whether it was opened for questions alone.
    pub(crate) fn is_looked_at(&self) -> bool {
        self.access == Access::Look
    }

    /// Waits until no other run of this user uses the engine.
    fn lock(&mut self, opener: &mut dyn Opener) -> anyhow::Result<()> {
        let identity = self.info()?.identity.clone();
        let lock = lock::engine(opener, &self.exec, &identity)?;
        self.locks.push(lock);
        Ok(())
    }
}

/// Asks an engine what it is. No engine is a failure with what to do about it.
pub(crate) fn ask(exec: &dyn Exec) -> Result<docker::Info, Failure> {
    let text = exec.read(&docker::info_cmd(), Some(PATIENCE));
    docker::Info::parse(&text.map_err(docker::no_answer)?)
}

/// The lock on a sandbox's engine, when it answers: it may be used by way of its programs on PATH. None: nobody
/// can use it.
pub(crate) fn lock_if_answering(
    opener: &mut dyn Opener,
    sandbox: &Sandbox,
) -> anyhow::Result<Option<Lock>> {
    if !matches!(sandbox.state(), State::Running(_)) {
        return Ok(None);
    }
    let exec = with_programs(opener, sandbox)?;
    // From a folder that is surely visible inside.
    match ask(&exec.clone().in_folder(Path::new("/"))) {
        Ok(info) => lock::engine(opener, &exec, &info.identity).map(Some),
        Err(_) => Ok(None),
    }
}

/// Starts processes that find the sandbox's programs before any other.
fn with_programs(opener: &dyn Opener, sandbox: &Sandbox) -> anyhow::Result<Real> {
    opener.exec().clone().with_programs(&sandbox.bin())
}
