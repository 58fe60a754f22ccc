// SPDX-License-Identifier: Apache-2.0
//! What each action does: the one place where a plan touches the world.

use std::{
    io::{Read, Write},
    net::{TcpStream, ToSocketAddrs},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{Walk, log_name, removal};
use crate::{
    diagnosis::{Outlook, Watcher},
    event::{Event, Outcome},
    exec::{CmdFailure, Reason},
    extension::Extension,
    failure::{self, Failure},
    image::{ImageRef, Metadata},
    mount::{Mounted, Mounts},
    own::{file, folder, source},
    plan::{
        Action, Again, Cmd, Location, Needed, Owned, Probe, Promised, Rotation, Step, Undo, Values,
        values::Source,
    },
    tool::{assertion, imagetools::Described},
    yaml,
};

/// How long it may take to take one step back.
const UNDO: Duration = Duration::from_secs(30);
/// How long a cluster's API may take to answer again: the kubelet waits ever longer before it starts one
/// that was killed.
const READY: Duration = Duration::from_secs(180);
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
                if let Some(targets) = &step.builds {
                    has_built(targets)?;
                }
            }
            Action::Folder(path) => file::make_folder(path)?,
            Action::Claim(path) => folder::take(path)?,
            Action::Write { path, contents } => file::write_atomically(path, contents)?,
            Action::MergeJson { from, into } => merge(from, into)?,
            Action::Rotate(rotation) => return self.rotate(rotation, warn),
            Action::Script { path, contents } => file::write_program(path, contents)?,
            Action::Extract { from, into } => self.extract(from, into, &mut *output)?,
            Action::Start { cmd, log } => {
                self.exec.start(cmd, log).map_err(Failure::from)?;
            }
            Action::WaitFor {
                probe,
                every,
                patience,
                log,
            } => self.wait(probe, *every, *patience, log.as_deref())?,
            Action::Save { cmd, path } => {
                let text = self.exec.read(cmd, step.timeout).map_err(Failure::from)?;
                file::write_private(path, &text)?;
            }
            Action::Values(values) => self.write_values(values)?,
            Action::Rename { from, to } => file::rename(from, to)?,
            Action::RemoveFolder(path) => file::remove_folder(path)?,
            Action::RemoveFile(path) => file::remove_file(path)?,
            Action::Remove(owned) => {
                self.remove(owned, step.timeout.unwrap_or(REMOVAL))
                    .map_err(Failure::from)?;
            }
        }
        Ok(Outcome::Done(None))
    }

    /// Why a failure may be none the next time: an assertion could not be made, because the cluster's API
    /// did not answer it. What was given up is no such failure.
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
        assertion::unanswered(&String::from_utf8_lossy(&log), again.shortest)
    }

    pub(super) fn once_more(
        &self,
        again: &Again,
        output: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Outcome> {
        self.wait(&again.ready, Duration::from_secs(1), READY, None)
            .map_err(|error| {
                let mut failure = Failure::from(error);
                if failure.kind != failure::Kind::Interrupted {
                    let why = &failure.message;
                    failure.message = format!("the cluster's API does not answer again: {why}");
                }
                failure
            })?;
        let limit = Some(Duration::from_secs(60));
        self.exec
            .read(&again.prepare, limit)
            .map_err(Failure::from)?;
        self.act(&again.step, output, &mut |_| {})
    }

    fn run_cmd(&self, step: &Step, cmd: &Cmd, output: &mut dyn FnMut(&str)) -> Result<(), Failure> {
        let log = self.options.logs.join(log_name(&step.name));
        let Some(watch) = &step.watch else {
            let ended = self.exec.run(cmd, Some(&log), step.timeout, output);
            return ended.map_err(Failure::from);
        };
        let watcher = Mutex::new((Watcher::default(), None));
        let is_hopeless = || {
            let ask = |cmd: &Cmd| self.exec.read(cmd, Some(Duration::from_secs(20))).ok();
            let objects = ask(&watch.objects);
            let mut state = watcher.lock().unwrap_or_else(PoisonError::into_inner);
            let outlook = state
                .0
                .look(objects.as_deref(), &|pod| ask(&watch.log.clone().arg(pod)));
            if let Outlook::Hopeless(hopeless) = outlook {
                state.1 = Some(hopeless);
            }
            state.1.is_some()
        };
        let ended = self
            .exec
            .run_watched(cmd, Some(&log), step.timeout, output, &is_hopeless);
        ended.map_err(|failed| {
            let given_up = matches!(failed.reason, Reason::GivenUp);
            let mut failure = Failure::from(failed);
            let state = watcher.into_inner().unwrap_or_else(PoisonError::into_inner);
            if let Some(hopeless) = state.1.filter(|_| given_up) {
                let (object, looks) = (&hopeless.object, hopeless.looks);
                failure = failure.detail(format!("{object} said the same in {looks} looks"));
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
            Probe::Succeeds(cmd) => match self.exec.run(cmd, None, None, &mut |_| {}) {
                Ok(()) => Ok(true),
                Err(CmdFailure {
                    reason: Reason::Status(_),
                    ..
                }) => Ok(false),
                Err(failed) => Err(failed.into()),
            },
        }
    }

    fn extract(
        &self,
        from: &Path,
        into: &Location,
        output: &mut dyn FnMut(&str),
    ) -> anyhow::Result<()> {
        file::make_folder(into)?;
        for entry in fs_err::read_dir(from)? {
            let package = entry?.path();
            if package
                .extension()
                .is_some_and(|extension| extension == "deb")
            {
                let cmd = Cmd::new("dpkg-deb", format!("extract `{}`", package.display()))
                    .args(["-x", "--"])
                    .arg(&package)
                    .arg(&**into);
                self.exec
                    .run(&cmd, None, None, output)
                    .map_err(Failure::from)?;
            }
        }
        Ok(())
    }

    fn wait(
        &self,
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
                    "not ready after {:.0}s",
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

    fn rotate(&self, rotation: &Rotation, warn: &mut dyn FnMut(String)) -> anyhow::Result<Outcome> {
        // As steps are run, not as questions are asked: an interruption ends them whenever it comes.
        let mut tags: Vec<String> = Vec::new();
        self.exec
            .run(&rotation.list(), None, None, &mut |line| {
                tags.push(line.trim().to_owned());
            })
            .map_err(Failure::from)?;
        let superseded = rotation.superseded(tags.iter().map(String::as_str));
        if superseded.is_empty() {
            return Ok(Outcome::Skipped("nothing superseded".into()));
        }
        match self
            .exec
            .run(&Rotation::remove(&superseded), None, None, &mut |_| {})
        {
            Ok(()) => {}
            // Two bakes of the same target drop the same images: the other one was faster.
            Err(failed) if failed.mentions("No such image") => {}
            // A container uses one, say: the next bake finds it again, and the new image is there.
            Err(failed) if !self.exec.interrupted() => {
                let why = failed
                    .cause()
                    .unwrap_or("docker did not say why")
                    .to_owned();
                warn(format!(
                    "a superseded image of {} stays: {why}",
                    rotation.repository
                ));
                return Ok(Outcome::Done(None));
            }
            Err(failed) => return Err(Failure::from(failed).into()),
        }
        Ok(Outcome::Done(Some(format!("{} dropped", superseded.len()))))
    }

    pub(super) fn undo(&self, step: &Step, undo: &Undo, on: &mut dyn FnMut(Event)) {
        let limit = Some(UNDO);
        let failed = |failed: CmdFailure| {
            let cause = failed.cause().unwrap_or("did not succeed");
            format!("`{}` {cause}", failed.command)
        };
        let why = match undo {
            Undo::Run(cmd) => self.exec.read(cmd, limit).err().map(failed),
            Undo::RemoveFolder(path) => file::remove_folder(path)
                .err()
                .map(|error| format!("{error:#}")),
            Undo::Remove(owned) => self.remove(owned, UNDO).err().map(failed),
        };
        if let Some(why) = why {
            on(Event::Warning(format!(
                "could not clean up after `{}`: {why}",
                step.name
            )));
        }
    }

    /// Removes what carries the label, if there is any.
    fn remove(&self, owned: &Owned, patience: Duration) -> Result<(), CmdFailure> {
        removal::remove(self.exec, owned, None, patience).map(|_| ())
    }

    /// An image that the nodes can run, as its registry describes it.
    fn described(&self, image: &ImageRef, values: &Values) -> Result<Described, Failure> {
        let described = Described::read(image, self.exec)?;
        described.check_platform(&values.platform, self.exec)?;
        Ok(described)
    }

    /// The first image there is of something that is needed.
    fn found(&self, needed: &Needed, values: &Values) -> anyhow::Result<Described> {
        let mut missing = Failure::invalid(format!(
            "`{}` needs `{}`, of which there is no image",
            values.extension.name, needed.extension.name
        ));
        for image in &needed.images {
            match Described::read(&image.tagged()?, self.exec) {
                Ok(described) => {
                    described.check_platform(&values.platform, self.exec)?;
                    return Ok(described);
                }
                Err(failure) => missing = missing.detail(failure.message),
            }
        }
        let name = &needed.extension.name;
        Err(missing
            .hint(format!("build it first: `cargo xtask bake {name} --push`"))
            .into())
    }

    /// Asks each image what it says of itself, and writes the document.
    fn write_values(&self, values: &Values) -> anyhow::Result<()> {
        let mounted = |extension: &Arc<Extension>, image: Described| Mounted {
            extension: Arc::clone(extension),
            source: Source {
                reference: values.naming.in_cluster(&image.reference),
                annotations: image.annotations,
            },
        };
        let own = self.described(&values.image.tagged()?, values)?;
        let mut needed = Vec::new();
        for one in &values.needed {
            needed.push(mounted(&one.extension, self.found(one, values)?));
        }
        let mounts = Mounts::new(mounted(&values.extension, own), needed);
        let document = match &values.newer {
            None => values.document(&mounts)?,
            Some(newer) => {
                let newer = self.described(&newer.tagged()?, values)?;
                let mut after = mounts.clone();
                *after.own_mut() = mounted(&values.extension, newer);
                values.upgrade(&mounts, &after)?
            }
        };
        let text = yaml::to_text(&document)?;
        let heading = "# Written by `cargo xtask e2e generate-values`; read by the Chainsaw suites as $values.\n";
        file::write_atomically(&values.output, &format!("{heading}{text}\n"))
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

/// Fails when a bake that ended well has not built what it was to build: a bake file may leave a target out.
fn has_built(promised: &Promised) -> anyhow::Result<()> {
    let said = Metadata::read(&promised.metadata)?;
    let missing: Vec<String> = promised
        .names
        .iter()
        .filter(|name| !said.has_built(name, promised.pushed))
        .map(|name| format!("`{name}`"))
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let file = promised.metadata.display();
    Err(
        Failure::failed(format!("bake has not built {}", missing.join(", ")))
            .detail(format!("`{file}` has no digest for it"))
            .hint("see that the bake file has a target with exactly this name in its default group")
            .into(),
    )
}

fn merge(from: &[PathBuf], into: &Location) -> anyhow::Result<()> {
    let mut all = Metadata::default();
    for path in from {
        all.extend(Metadata::read(path)?);
    }
    file::write_atomically(into, &all.to_json())
}
