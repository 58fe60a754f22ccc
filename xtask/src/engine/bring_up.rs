// SPDX-License-Identifier: Apache-2.0
//! From a sandbox's folder, whatever is in it, to an engine that answers and sees this repository.

use std::path::Path;

use super::{Opener, ask, lock, lock::Lock, lock_if_answering};
use crate::{
    exec::Real,
    failure::Failure,
    own::LockFile,
    plan::Plan,
    sandbox::{
        Sandbox, State, down,
        mmdebstrap::Mmdebstrap,
        repository,
        up::{self, Caller},
    },
    tool::docker::Info,
};

/// Brings the sandbox up beside whoever else uses it, and gives what its engine says of itself. `exec` has its programs on PATH.
pub(super) fn shared(
    opener: &mut dyn Opener,
    sandbox: &Sandbox,
    exec: &Real,
) -> anyhow::Result<Info> {
    sandbox.refuse_foreign()?;
    let usable = matches!(sandbox.state(), State::Running(_)) && up::is_current(sandbox);
    // What a killed run has left in it goes with the lock, for which nobody is waited for then.
    if usable && !LockFile::is_left(&sandbox.lock_file()) {
        repository::reveal(sandbox, opener.root(), exec)?;
        if let Some(info) = answer(sandbox, exec) {
            return Ok(info);
        }
    }
    let (_, info) = locked(opener, sandbox, exec)?;
    Ok(info)
}

/// Brings the sandbox up when nobody else uses, makes or removes it, and gives the lock that says so, with what its engine says
/// of itself.
pub(super) fn locked(
    opener: &mut dyn Opener,
    sandbox: &Sandbox,
    exec: &Real,
) -> anyhow::Result<(Lock, Info)> {
    // Before anything of it is made or stopped: others may be using it.
    let mut lock = lock::sandbox(opener, sandbox)?;
    let info = bring_up(opener, sandbox, exec)?;
    lock.clear_engine(opener, exec)?;
    Ok((lock, info))
}

/// Brings the sandbox up, says so when there was something to do, and shows it this repository.
fn bring_up(opener: &mut dyn Opener, sandbox: &Sandbox, exec: &Real) -> anyhow::Result<Info> {
    sandbox.refuse_foreign()?;
    let running = matches!(sandbox.state(), State::Running(_));
    if running && !up::is_current(sandbox) {
        opener.note("the sandbox was made by another version or for another suite: it is rebuilt");
    }
    // Whoever was killed may have left an engine that is just starting, which works on the root too.
    if !running {
        down::stop(sandbox)?;
    }
    let mut _engine = None;
    if sandbox.root().exists() && !up::is_current(sandbox) {
        // Others may be using it by its programs on PATH.
        _engine = lock_if_answering(opener, sandbox)?;
        down::remove_root(sandbox)?;
    }
    // The wrappers run in the current folder, so it must be visible before anything is asked.
    let running = matches!(sandbox.state(), State::Running(_));
    if running {
        repository::reveal(sandbox, opener.root(), exec)?;
    }
    let known = running.then(|| answer(sandbox, exec)).flatten();
    let info = if let Some(info) = known {
        info
    } else {
        make(opener, sandbox, exec)?;
        say(exec)?
    };
    repository::reveal(sandbox, opener.root(), exec)?;
    Ok(info)
}

/// Makes what is missing of the sandbox, and starts its engine.
fn make(opener: &mut dyn Opener, sandbox: &Sandbox, exec: &Real) -> anyhow::Result<()> {
    let mut plan = Plan::default();
    let tools = Mmdebstrap::survey(sandbox, exec)?;
    up::add(&mut plan, sandbox, &tools, &Caller::of(opener.root())?);
    opener.carry_out(exec, &plan, "starting the sandbox")
}

/// What the engine says of itself; None where it does not answer.
fn answer(sandbox: &Sandbox, exec: &Real) -> Option<Info> {
    let is_whole = sandbox.bin().join("enter").exists();
    is_whole.then(|| say(exec).ok()).flatten()
}

/// Asks the engine, from a folder that is surely visible inside.
fn say(exec: &Real) -> Result<Info, Failure> {
    ask(&exec.clone().in_folder(Path::new("/")))
}
