// SPDX-License-Identifier: Apache-2.0
//! Who may use an engine or a cluster: one run at a time, and first what a killed one has left there is ended.
//!
//! The lock belongs to what is used, not to a checkout: whoever shares the engine shares the lock. It says
//! who holds it. Text that is still there when the lock is free is from a run that was killed: what carries
//! that run's id is ended and removed before anything else is done.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::Duration,
};

use sha2::{Digest, Sha256};

use super::{Opener, holder::Holder};
use crate::{
    exec::{Exec, Real},
    failure::Failure,
    own::{LockFile, RunId, folder},
    plan::{Kind, Owned},
    run::removal,
    sandbox::Sandbox,
    tool::{
        docker::{LABEL, RUN_LABEL},
        kubectl::{ClusterAccess, Removal},
    },
};

/// How long a question about what was left may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Held while an engine or a cluster is used; released when dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    file: LockFile,
    holder: Holder,
}

/// Waits until no other run of this user uses the engine of that identity, to which `exec` leads, and removes
/// what a killed one has left in it.
pub(super) fn engine(opener: &dyn Opener, exec: &Real, identity: &str) -> anyhow::Result<Lock> {
    let path = path("engine", identity)?;
    let mut lock = Lock::take(opener, &path, "uses the same engine")?;
    lock.clear_engine(opener, exec)?;
    Ok(lock)
}

/// The same where there is no engine: a builder elsewhere leaves nothing here.
pub(super) fn no_engine(opener: &dyn Opener) -> anyhow::Result<Lock> {
    let mut lock = Lock::take(opener, &path("engine", "none")?, "builds elsewhere")?;
    lock.cleared()?;
    Ok(lock)
}

/// Waits until nobody else uses, makes or removes the sandbox.
pub(crate) fn sandbox(opener: &dyn Opener, sandbox: &Sandbox) -> anyhow::Result<Lock> {
    sandbox.refuse_foreign()?;
    Lock::take(opener, &sandbox.lock_file(), "uses the same sandbox")
}

/// Waits until no other run of this user uses the cluster of that identity, and removes what a killed one has
/// left in it.
pub(crate) fn cluster(
    opener: &dyn Opener,
    exec: &Real,
    access: &ClusterAccess,
    identity: &str,
) -> anyhow::Result<Lock> {
    let path = path("cluster", identity)?;
    let mut lock = Lock::take(opener, &path, "uses the same cluster")?;
    for gone in lock.left() {
        let remove = access.remove_namespaces(
            format!("remove what the killed run {gone} has left in the cluster"),
            &[(RUN_LABEL, &gone.to_string())],
            Removal::Begun,
        );
        exec.read(&remove, Some(PATIENCE)).map_err(Failure::from)?;
    }
    lock.cleared()?;
    Ok(lock)
}

impl Lock {
    /// Waits until nobody else has it, and ends the processes that a killed holder has left. `what` says what
    /// the other one does, for whom it is waited.
    fn take(opener: &dyn Opener, path: &Path, what: &str) -> anyhow::Result<Self> {
        let exec = opener.exec();
        let mut file = LockFile::take(path, &|| exec.interrupted(), &mut |text| {
            let who = Holder::read(text).map_or_else(String::new, |who| format!(": {who}"));
            opener.note(&format!("waiting for another xtask that {what}{who}"));
        })?;
        let text = file.text();
        let before = Holder::read(&text).map_or_else(Vec::new, Holder::all);
        if before.is_empty() && !text.trim().is_empty() {
            opener.warn(&format!(
                "`{}` does not say which run was killed: what it left is not known",
                path.display()
            ));
        }
        let holder = Holder::own(opener.run_id(), opener.root(), before);
        let mut lock = Self { file, holder };
        lock.say()?;
        for gone in &lock.holder.before {
            let Some(remains) = gone.remains() else {
                continue;
            };
            remains.end(&|| exec.interrupted(), &mut || {
                opener.note(&format!(
                    "a run of xtask was killed ({gone}): the processes that it left are stopped"
                ));
            })?;
        }
        Ok(lock)
    }

    /// Removes the containers of killed runs from the engine, which answers by now.
    pub(super) fn clear_engine(&mut self, opener: &dyn Opener, exec: &Real) -> anyhow::Result<()> {
        let mut removed = 0;
        for gone in self.left() {
            let label = format!("{RUN_LABEL}={gone}");
            let purpose = "remove what a killed run has left";
            let of_run = Owned::new(Kind::Container, label, purpose);
            // What belongs to an environment stays.
            let of_environment = of_run.clone().label(LABEL);
            removed += removal::remove(exec, &of_run, Some(&of_environment), PATIENCE)
                .map_err(Failure::from)?;
        }
        if removed > 0 {
            let several = if removed == 1 {
                "1 container"
            } else {
                "containers"
            };
            opener.note(&format!("removed {several} of a killed run"));
        }
        self.cleared()
    }

    /// The killed runs of which something may be there.
    fn left(&self) -> Vec<RunId> {
        let runs = self.holder.before.iter();
        runs.filter_map(|gone| RunId::parse(&gone.run)).collect()
    }

    /// Nothing of them is there any more.
    fn cleared(&mut self) -> anyhow::Result<()> {
        if self.holder.before.is_empty() {
            return Ok(());
        }
        self.holder.before.clear();
        self.say()
    }

    fn say(&mut self) -> anyhow::Result<()> {
        self.file.write(&serde_json::to_string(&self.holder)?)
    }
}

/// Where the lock of an engine or a cluster lies: with the user, whatever the shell says of itself. With
/// the environment's word for it, a login and a cron job would have two locks for one engine.
fn path(kind: &str, identity: &str) -> anyhow::Result<PathBuf> {
    let name = crate::value::hex(&Sha256::digest(identity.as_bytes())[..8]);
    Ok(user_folder()?.join(format!("{kind}-{name}.lock")))
}

/// The folder of this user, and of nobody else, in which things of ours outlive a run. Fails where there is no place for it.
pub(super) fn user_folder() -> anyhow::Result<PathBuf> {
    let user = nix::unistd::geteuid();
    // In the sandbox `/run` is its own, and the machine's is below `/host`.
    let run = ["/host/run", "/run"].map(Path::new);
    let inside = Path::new("/etc/xtask/docker").is_dir();
    let places = run
        .into_iter()
        .skip(usize::from(!inside))
        .take_while(|_| user.is_root());
    let home = nix::unistd::User::from_uid(user)
        .ok()
        .flatten()
        .map(|user| user.dir)
        .or_else(|| std::env::var_os("HOME").map(PathBuf::from));
    // A folder of the login would come and go, and with it the lock: anybody but root has one place.
    let place = places
        .into_iter()
        .find(|place| is_ours(place))
        .map(Path::to_owned);
    let state = home.map(|home| home.join(".local/state"));
    let mut last = None;
    for folder in place.into_iter().chain(state) {
        let folder = folder.join("xtask");
        match folder::make_private(&folder) {
            Ok(()) if is_ours(&folder) => return Ok(folder),
            Ok(()) => {
                return Err(Failure::unavailable(format!(
                    "`{}` is not a folder of this user alone",
                    folder.display()
                ))
                .hint("the locks of engines and a key go there: remove it, or make it yours")
                .into());
            }
            Err(error) => last = Some(format!("`{}`: {error:#}", folder.display())),
        }
    }
    let why = last.unwrap_or_else(|| "this user has no home".into());
    Err(
        Failure::unavailable(format!("no folder for what is of this user alone: {why}"))
            .hint("make `~/.local/state` writable")
            .into(),
    )
}

/// A folder, no link to one, of our own user, which nobody else may write to.
fn is_ours(folder: &Path) -> bool {
    fs_err::symlink_metadata(folder).is_ok_and(|found| {
        let own = nix::unistd::geteuid().as_raw();
        found.is_dir() && found.uid() == own && found.mode() & 0o022 == 0
    })
}
