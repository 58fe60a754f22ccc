// SPDX-License-Identifier: Apache-2.0
//! Whose turn it is on an engine or on a cluster, and what a killed run has left there.
//!
//! The lock belongs to what is used, not to a checkout: whoever shares the engine shares the lock. It says
//! who holds it. Text that is still there when the lock is free is from a run that was killed: what carries
//! that run's id is ended and removed before anything else is done.

use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    context::Context,
    exec::Exec,
    failure::Failure,
    own::{
        Lock, RunId, folder,
        process::{self, Remains, Session},
    },
    run::removal,
    sandbox::{Sandbox, State},
    tool::{docker, kubectl::Access},
};

/// How long a question about what was left may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Held while an engine or a cluster is used; let go when dropped.
#[derive(Debug)]
pub(crate) struct Turn {
    lock: Lock,
    record: Record,
}

/// Who holds a turn, as its file says it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Record {
    run: String,
    pid: u32,
    started: u64,
    session: i32,
    namespace: String,
    command: String,
    folder: PathBuf,
    /// Seconds since 1970.
    since: u64,
    /// Runs that were killed, of which something may still be there.
    #[serde(default)]
    before: Vec<Record>,
}

impl Record {
    fn own(context: &Context) -> Self {
        let words: Vec<String> = std::env::args_os()
            .skip(1)
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        let pid = std::process::id();
        let session = Session::own();
        Self {
            run: context.run_id.to_string(),
            pid,
            started: i32::try_from(pid)
                .ok()
                .and_then(process::start_time)
                .unwrap_or_default(),
            session: session.number,
            namespace: session.namespace,
            command: shown(&words),
            folder: context.root.clone(),
            since: now(),
            before: Vec::new(),
        }
    }

    /// What stands first in a lock's text: behind it there may be the end of an earlier one.
    fn read(text: &str) -> Option<Self> {
        let mut records = serde_json::Deserializer::from_str(text).into_iter();
        records.next()?.ok()
    }

    fn remains(&self) -> Option<Remains> {
        Some(Remains {
            run: RunId::parse(&self.run)?,
            session: Session {
                number: self.session,
                namespace: self.namespace.clone(),
            },
        })
    }

    /// This one and those that came before it, each alone.
    fn all(mut self) -> Vec<Self> {
        let mut all = std::mem::take(&mut self.before);
        all.push(self);
        all
    }
}

/// `for whom, in which folder, since when`, for a note.
impl std::fmt::Display for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of_day = self.since % 86400;
        write!(
            f,
            "`{}` in `{}`, process {}, since {:02}:{:02}:{:02} UTC ({}s)",
            self.command,
            self.folder.display(),
            self.pid,
            of_day / 3600,
            of_day / 60 % 60,
            of_day % 60,
            now().saturating_sub(self.since)
        )
    }
}

/// The words of a command as far as others may read them: neither long, nor with somebody's login.
fn shown(words: &[String]) -> String {
    let words = words.iter().map(|word| {
        if word.contains("://") && word.contains('@') {
            "…"
        } else {
            word
        }
    });
    let line: String = words.collect::<Vec<_>>().join(" ");
    let line: String = line.chars().filter(|c| !c.is_control()).collect();
    match line.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs()
}

impl Context {
    /// Waits until no other run of this user uses the engine that `docker` speaks to.
    pub(crate) fn engine_turn(&mut self) -> anyhow::Result<Turn> {
        let identity = self.engine()?.identity.clone();
        self.turn_on_engine(&identity)
    }

    /// The same for the sandbox's engine, when it answers: it may be used by way of its programs on PATH.
    pub(crate) fn answering_engine_turn(
        &mut self,
        sandbox: &Sandbox,
    ) -> anyhow::Result<Option<Turn>> {
        if !matches!(sandbox.state(), State::Running(_)) {
            return Ok(None);
        }
        let exec = self.exec.clone().with_programs(&sandbox.bin())?;
        // From a folder that is surely visible inside.
        match docker::Engine::survey(&exec.in_folder(Path::new("/"))) {
            Ok(engine) => self.turn_on_engine(&engine.identity).map(Some),
            // Nobody can use it.
            Err(_) => Ok(None),
        }
    }

    fn turn_on_engine(&mut self, identity: &str) -> anyhow::Result<Turn> {
        let path = lock_path("engine", identity)?;
        let mut turn = self.turn(&path, "uses the same engine")?;
        self.clear_engine(&mut turn)?;
        Ok(turn)
    }

    /// Waits until no other run of this user uses the cluster.
    pub(crate) fn cluster_turn(&mut self, access: &Access, identity: &str) -> anyhow::Result<Turn> {
        let path = lock_path("cluster", identity)?;
        let mut turn = self.turn(&path, "uses the same cluster")?;
        for gone in turn.left() {
            let remove = access.remove_namespaces(
                format!("remove what the killed run {gone} has left in the cluster"),
                &[(crate::environment::RUN_LABEL, &gone.to_string())],
                false,
            );
            self.exec
                .read(&remove, Some(PATIENCE))
                .map_err(Failure::from)?;
        }
        turn.cleared()?;
        Ok(turn)
    }

    /// Waits until nobody else holds the lock, and ends the processes that a killed holder has left.
    pub(crate) fn turn(&mut self, path: &Path, what: &str) -> anyhow::Result<Turn> {
        let (exec, ui) = (&self.exec, &mut self.ui);
        let interrupted = || exec.interrupted();
        let mut lock = Lock::take(path, &interrupted, &mut |text| {
            let who = Record::read(text).map_or_else(String::new, |who| format!(": {who}"));
            ui.note(&format!("waiting for another xtask that {what}{who}"));
        })?;
        let text = lock.text();
        let before = match Record::read(&text) {
            Some(gone) => gone.all(),
            None => Vec::new(),
        };
        if before.is_empty() && !text.trim().is_empty() {
            self.ui.warning(&format!(
                "`{}` does not say which run was killed: what it left is not known",
                path.display()
            ));
        }
        let mut turn = Turn {
            lock,
            record: Record {
                before,
                ..Record::own(self)
            },
        };
        turn.say()?;
        for gone in &turn.record.before {
            let Some(remains) = gone.remains() else {
                continue;
            };
            let (exec, ui) = (&self.exec, &mut self.ui);
            remains.end(&|| exec.interrupted(), &mut || {
                ui.note(&format!(
                    "a run of xtask was killed ({gone}): what it left running is ended"
                ));
            })?;
        }
        Ok(turn)
    }

    /// Removes the containers of killed runs from the engine, which answers by now.
    pub(crate) fn clear_engine(&mut self, turn: &mut Turn) -> anyhow::Result<()> {
        let mut removed = 0;
        for gone in turn.left() {
            let removal = |ids: &[String]| {
                docker::remove_containers_cmd("remove what a killed run has left", ids)
            };
            let listed = |of_environment| {
                let list = docker::containers_of_run_cmd(&gone, of_environment);
                let text = self.exec.read(&list, Some(PATIENCE))?;
                Ok(docker::identities(&text))
            };
            // What belongs to an environment stays.
            let list = || {
                let mut all: Vec<String> = listed(false)?;
                if !all.is_empty() {
                    let kept = listed(true)?;
                    all.retain(|id| !kept.contains(id));
                }
                Ok(all)
            };
            removed +=
                removal::remove(&self.exec, &list, &removal, PATIENCE).map_err(Failure::from)?;
        }
        if removed > 0 {
            let several = if removed == 1 {
                "1 container"
            } else {
                "containers"
            };
            self.ui
                .note(&format!("{several} of a run that was killed: removed"));
        }
        turn.cleared()
    }
}

impl Turn {
    /// The killed runs of which something may be there.
    fn left(&self) -> Vec<RunId> {
        let runs = self.record.before.iter();
        runs.filter_map(|gone| RunId::parse(&gone.run)).collect()
    }

    /// Nothing of them is there any more.
    fn cleared(&mut self) -> anyhow::Result<()> {
        if self.record.before.is_empty() {
            return Ok(());
        }
        self.record.before.clear();
        self.say()
    }

    fn say(&mut self) -> anyhow::Result<()> {
        self.lock.write(&serde_json::to_string(&self.record)?)
    }
}

/// Where the lock of an engine or a cluster lies: with the user, whatever the shell says of itself. With
/// the environment's word for it, a login and a cron job would have two locks for one engine.
fn lock_path(kind: &str, identity: &str) -> anyhow::Result<PathBuf> {
    let name = crate::value::hex(&Sha256::digest(identity.as_bytes())[..8]);
    Ok(user_folder()?.join(format!("{kind}-{name}.lock")))
}

fn user_folder() -> anyhow::Result<PathBuf> {
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
                .hint("the locks of engines go there: remove it, or make it yours")
                .into());
            }
            Err(error) => last = Some(format!("`{}`: {error:#}", folder.display())),
        }
    }
    let why = last.unwrap_or_else(|| "this user has no home".into());
    Err(
        Failure::unavailable(format!("no folder for the lock of the engine: {why}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_holder_is_named_without_logins_and_without_end() {
        let words = ["bake".to_owned(), "https://me:secret@mirror".to_owned()];
        assert_eq!(shown(&words), "bake …");
        assert_eq!(shown(&["x".repeat(400)]).chars().count(), 101);
        assert_eq!(shown(&["a\u{1b}[2Jb\nc".to_owned()]), "a[2Jbc");
    }

    #[test]
    fn a_record_reads_itself_and_no_other_text() {
        let record = Record {
            run: "0123456789abcdef".into(),
            pid: 1,
            started: 2,
            session: 3,
            namespace: "pid:[4]".into(),
            command: "bake x".into(),
            folder: "/r".into(),
            since: 3723,
            before: Vec::new(),
        };
        let text = serde_json::to_string(&record).unwrap();
        let read = Record::read(&text).unwrap();
        assert!(
            read.to_string()
                .starts_with("`bake x` in `/r`, process 1, since 01:02:03 UTC ("),
            "{read}"
        );
        assert!(read.remains().is_some());
        // Killed while it wrote over a longer one.
        let torn = Record::read(&format!("{text}\"since\":1,\"before\":[]}}")).unwrap();
        assert_eq!(torn.run, record.run);
        assert!(Record::read("4711 12").is_none());
        let foreign = Record {
            run: "x,y".into(),
            ..record
        };
        assert!(foreign.remains().is_none());
    }
}
