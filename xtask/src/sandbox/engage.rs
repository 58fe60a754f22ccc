// SPDX-License-Identifier: Apache-2.0
//! From `--sandbox` to an engine that a command can use: up, this repository shown to it, base images
//! and pins decided.

use std::{path::Path, sync::Arc};

use super::{
    Sandbox, State,
    archive::{self, Archive, Repinned},
    base, entries, up,
    up::Mmdebstrap,
};
use crate::{
    config,
    context::Context,
    exec::Exec,
    failure::Failure,
    image::ImageRef,
    own::{Lock, file, source},
    plan::{Cmd, Plan, StepId},
    target::{self, Filter, Targets},
    tool::{apt, docker, imagetools},
    turn::Turn,
    value::{Major, Server},
    workspace::Workspace,
};

/// What commands do with an engine: the workspace as it will be built, and the files that say so.
pub(crate) struct Engaged {
    pub workspace: Workspace,
    /// Metadata files to write before a bake; empty with published base images.
    pub repinned: Vec<Repinned>,
    /// Base images that were made here, which no registry has.
    pub bases: Vec<ImageRef>,
    /// Inside the sandbox; its programs stand on PATH.
    pub sandbox: Option<Sandbox>,
    /// Bakes move tags and drop what they supersede, so two runs on one engine would take each other's
    /// images away: the second waits.
    _turns: Vec<Turn>,
}

/// An engine that can be used, and the turn on it.
pub(crate) struct Entered {
    pub sandbox: Option<Sandbox>,
    /// None for a dry run, and where no engine is used. On the sandbox's folder and on its engine, in this
    /// order: the engine can be reached without the folder, by its programs on PATH.
    pub turns: Vec<Turn>,
}

impl Context {
    /// Makes sure that there is an engine to work with: with `--sandbox` the private one, started when
    /// needed. A dry run starts nothing and waits for nobody.
    pub(crate) fn engage(
        &mut self,
        workspace: Workspace,
        dry_run: bool,
    ) -> anyhow::Result<Engaged> {
        let entered = self.enter(dry_run, true)?;
        self.engage_entered(entered, workspace, dry_run, true)
    }

    /// The same for a command that builds nothing: the archive is not asked for its pins, and Docker need
    /// not be there unless it is `needed`.
    pub(crate) fn engage_unpinned(
        &mut self,
        workspace: Workspace,
        dry_run: bool,
        needed: bool,
    ) -> anyhow::Result<Engaged> {
        let entered = self.enter(dry_run, needed)?;
        self.engage_entered(entered, workspace, dry_run, false)
    }

    fn engage_entered(
        &mut self,
        entered: Entered,
        workspace: Workspace,
        dry_run: bool,
        pins: bool,
    ) -> anyhow::Result<Engaged> {
        let mut engaged = Engaged {
            workspace,
            repinned: Vec::new(),
            bases: Vec::new(),
            sandbox: entered.sandbox,
            _turns: entered.turns,
        };
        if let Some(sandbox) = engaged.sandbox.clone()
            && self.builds_from_debian(&sandbox, &engaged.workspace, dry_run)?
        {
            let majors = archive::majors(engaged.workspace.extensions());
            let bases = majors.iter().map(|major| self.base(&sandbox, major));
            engaged.bases = bases.collect::<Result<_, _>>()?;
            if !dry_run {
                self.sandbox_base(&sandbox, &engaged.workspace)?;
            }
            if pins {
                self.repin(&mut engaged, &sandbox, dry_run)?;
            }
        }
        Ok(engaged)
    }

    /// The engine alone, and the turn on it: with `--sandbox` the private one, its programs on PATH.
    /// `needed`: Docker must be there, and no other run may use it meanwhile.
    pub(crate) fn enter(&mut self, dry_run: bool, needed: bool) -> anyhow::Result<Entered> {
        if self.global.sandbox {
            up::refuse()?;
        }
        if !dry_run {
            // Said before anything is started: without a place for logs nothing will run.
            self.run_folder()?;
        }
        if !self.global.sandbox {
            if self.config.get(config::SANDBOX_BASE) == "debian" {
                return Err(Failure::invalid(
                    "`--base debian` makes its base image in the sandbox",
                )
                .hint("add `--sandbox`")
                .into());
            }
            let mut turns = Vec::new();
            if needed && !dry_run {
                turns.push(self.engine_turn()?);
            }
            return Ok(Entered {
                sandbox: None,
                turns,
            });
        }
        let sandbox = self.sandbox()?;
        let mut turns = Vec::new();
        if dry_run {
            // Its programs answer the questions of the plan.
            sandbox.refuse_foreign()?;
            self.exec = self.exec.clone().with_programs(&sandbox.bin())?;
            if !matches!(sandbox.state(), State::Running(_)) {
                self.ui
                    .note("the sandbox does not run; a run of these commands would start it first");
            }
        } else {
            // Before anything of it is made or stopped: others may be using it.
            let mut own = self.sandbox_turn(&sandbox)?;
            self.sandbox_up_in_turn(&sandbox)?;
            self.clear_engine(&mut own)?;
            turns = vec![own, self.engine_turn()?];
        }
        Ok(Entered {
            sandbox: Some(sandbox),
            turns,
        })
    }

    /// Waits until nobody else uses, makes or removes the sandbox.
    pub(crate) fn sandbox_turn(&mut self, sandbox: &Sandbox) -> anyhow::Result<Turn> {
        sandbox.refuse_foreign()?;
        self.turn(&sandbox.lock_file(), "uses the same sandbox")
    }

    fn builds_from_debian(
        &mut self,
        sandbox: &Sandbox,
        workspace: &Workspace,
        dry_run: bool,
    ) -> anyhow::Result<bool> {
        let running = !dry_run || matches!(sandbox.state(), State::Running(_));
        match self.config.get(config::SANDBOX_BASE) {
            "debian" => return Ok(true),
            "published" => return Ok(false),
            _ if !running => return Ok(false),
            _ => {}
        }
        let debian = self.base_is_debian(sandbox, workspace, dry_run)?;
        if debian {
            self.ui.note(&format!(
                "the published base images cannot be had from here: built for Debian {} and its packages (`--base debian`)",
                sandbox.suite
            ));
        }
        Ok(debian)
    }

    /// The workspace with the pins that Debian's archive has.
    fn repin(
        &mut self,
        engaged: &mut Engaged,
        sandbox: &Sandbox,
        dry_run: bool,
    ) -> anyhow::Result<()> {
        let archive = self.archive(sandbox, &engaged.workspace, dry_run)?;
        for extension in engaged.workspace.extensions() {
            match archive::repin(&self.root, extension, &archive, &sandbox.suite)? {
                Some(copy) => engaged.repinned.push(copy),
                None => self.ui.note(&format!(
                    "Debian {} has no package for `{}`: left out",
                    sandbox.suite, extension.name
                )),
            }
        }
        let extensions = engaged
            .repinned
            .iter()
            .map(|copy| Arc::clone(&copy.extension))
            .collect();
        engaged.workspace = engaged.workspace.with_extensions(extensions);
        Ok(())
    }

    /// The base image for a major, by the name that a published one would have.
    fn base(&self, sandbox: &Sandbox, major: &Major) -> Result<ImageRef, Failure> {
        let server = Server {
            distro: sandbox.suite.clone(),
            major: major.clone(),
        };
        target::base_of(&server, &self.config)
    }

    /// Brings the sandbox up. One that is up already is used beside whoever else uses it.
    pub(crate) fn sandbox_up(&mut self, sandbox: &Sandbox) -> anyhow::Result<()> {
        up::refuse()?;
        sandbox.refuse_foreign()?;
        let usable = matches!(sandbox.state(), State::Running(_)) && up::is_current(sandbox);
        // What a killed run has left in it goes with the turn, for which nobody is waited for then.
        if usable && !Lock::is_left(&sandbox.lock_file()) {
            self.exec = self.exec.clone().with_programs(&sandbox.bin())?;
            self.reveal(sandbox)?;
            if self.sandbox_answers(sandbox) {
                return Ok(());
            }
        }
        let mut turn = self.sandbox_turn(sandbox)?;
        self.sandbox_up_in_turn(sandbox)?;
        self.clear_engine(&mut turn)
    }

    /// Brings the sandbox up, says so when there was something to do, and shows it this repository.
    fn sandbox_up_in_turn(&mut self, sandbox: &Sandbox) -> anyhow::Result<()> {
        up::refuse()?;
        sandbox.refuse_foreign()?;
        self.exec = self.exec.clone().with_programs(&sandbox.bin())?;
        if matches!(sandbox.state(), State::Running(_)) && !up::is_current(sandbox) {
            self.ui.note(
                "the sandbox was made by another version or for another suite: it is made anew",
            );
        }
        // Whoever was killed may have left an engine that is just starting, which works on the root too.
        if !matches!(sandbox.state(), State::Running(_)) {
            super::down::stop(sandbox)?;
        }
        let mut _engine = None;
        if sandbox.root().exists() && !up::is_current(sandbox) {
            // Others may be using it by its programs on PATH.
            _engine = self.answering_engine_turn(sandbox)?;
            super::down::remove_root(sandbox)?;
        }
        // The wrappers run in the current folder, so it must be visible before anything is asked.
        let running = matches!(sandbox.state(), State::Running(_));
        if running {
            self.reveal(sandbox)?;
        }
        if !running || !self.sandbox_answers(sandbox) {
            let mut plan = Plan::default();
            let tools = Mmdebstrap::survey(sandbox, &self.exec)?;
            let (before, engine) = self.add_sandbox(&mut plan, sandbox, &tools)?;
            // Where the base image will have to be made, its root is made beside the sandbox's own.
            let debian = match self.config.get(config::SANDBOX_BASE) {
                "debian" => true,
                "published" => false,
                _ => !registry_answers(self.config.get(config::BASE_IMAGE)),
            };
            if debian && let Ok(workspace) = self.workspace() {
                self.add_bases(&mut plan, sandbox, &tools, &workspace, &before, engine)?;
            }
            let report = self.run(&plan, Some(3), false)?;
            self.verdict(&report, "starting the sandbox")?;
        }
        self.reveal(sandbox)
    }

    fn add_sandbox(
        &self,
        plan: &mut Plan,
        sandbox: &Sandbox,
        tools: &Mmdebstrap,
    ) -> anyhow::Result<(Vec<StepId>, StepId)> {
        let caller = up::Caller {
            program: &std::env::current_exe()?,
            repository: &self.root,
        };
        Ok(up::add(plan, sandbox, tools, &caller))
    }

    fn sandbox_answers(&self, sandbox: &Sandbox) -> bool {
        sandbox.bin().join("enter").exists() && sandbox.engine_version(&self.exec).is_some()
    }

    /// Makes this repository visible inside under its own name, where the sandbox has a folder of its
    /// own in that place (`/var`, `/usr`).
    fn reveal(&self, sandbox: &Sandbox) -> anyhow::Result<()> {
        let State::Running(engine) = sandbox.state() else {
            return Err(Failure::failed("the sandbox's engine has ended")
                .detail(format!("log: {}", sandbox.engine_log().display()))
                .into());
        };
        let inside = Path::new("/proc")
            .join(engine.pid.to_string())
            .join("root")
            .join(self.root.strip_prefix("/")?);
        if super::identity(&inside) == super::identity(&self.root) {
            return Ok(());
        }
        // Without a turn two calls may come here at once. Nothing else is waited for while it is held.
        let _alone = Lock::take(
            &sandbox.folder.join(entries::REPOSITORY_LOCK),
            &|| self.exec.interrupted(),
            &mut |_| {},
        )?;
        if super::identity(&inside) == super::identity(&self.root) {
            return Ok(());
        }
        let enter = |purpose: &str| {
            Cmd::new("nsenter", purpose).args([
                "--target",
                &engine.pid.to_string(),
                "--mount",
                "--root",
                "--",
            ])
        };
        // A checkout that was removed and made again left its old self mounted. Mostly there is none.
        let stale = enter("let go of an earlier repository")
            .args(["umount", "--lazy"])
            .arg(&self.root);
        if let Err(failed) = self.exec.read(&stale, None) {
            tracing::debug!(%failed, "nothing to let go of");
        }
        let host = Path::new("/host").join(self.root.strip_prefix("/")?);
        for cmd in [
            enter("make a place for the repository in the sandbox")
                .args(["mkdir", "-p"])
                .arg(&self.root),
            enter("show the repository to the sandbox")
                .args(["mount", "--rbind"])
                .arg(&host)
                .arg(&self.root),
        ] {
            self.exec.read(&cmd, None).map_err(Failure::from)?;
        }
        Ok(())
    }

    /// Whether base images must be made from Debian's packages, because the published ones cannot be
    /// had from here. Asked of the registry, and remembered for an hour.
    fn base_is_debian(
        &mut self,
        sandbox: &Sandbox,
        workspace: &Workspace,
        dry_run: bool,
    ) -> anyhow::Result<bool> {
        let file = sandbox.folder.join(entries::WHICH_BASE);
        let fresh = fs_err::metadata(&file)
            .and_then(|file| file.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() < 3600));
        if fresh {
            let said = source::read_own(&sandbox.folder, Path::new(entries::WHICH_BASE))?;
            return Ok(said.unwrap_or_default().trim() == "debian");
        }
        let targets = Targets::resolve(
            workspace.extensions(),
            &Filter::default(),
            workspace,
            &self.config,
        )?;
        let Some(target) = targets.chosen().next() else {
            return Ok(false);
        };
        let ask = imagetools::manifest_cmd(&target.base);
        let published = self
            .exec
            .read(&ask, Some(std::time::Duration::from_secs(20)))
            .is_ok();
        if !dry_run {
            file::write_atomically(
                &sandbox.location(&file),
                if published { "published\n" } else { "debian\n" },
            )?;
        }
        Ok(!published)
    }

    /// The versions that the archive has now; for a dry run those that it had last time.
    fn archive(
        &self,
        sandbox: &Sandbox,
        workspace: &Workspace,
        dry_run: bool,
    ) -> anyhow::Result<Archive> {
        let file = sandbox.folder.join(entries::ARCHIVE);
        if dry_run {
            let text = source::read_own(&sandbox.folder, Path::new(entries::ARCHIVE))?;
            let text = text.ok_or_else(|| {
                Failure::unavailable("the archive's versions are not known yet").hint(
                    "run `cargo xtask sandbox up --base debian` first: a dry run starts nothing",
                )
            })?;
            return Ok(serde_json::from_str(&text)?);
        }
        let inside = |cmd: Cmd| {
            let program = cmd.program.clone();
            let mut entered =
                Cmd::new(sandbox.bin().join("enter"), cmd.purpose.clone()).arg(program);
            entered.args.extend(cmd.args);
            self.exec.read(&entered, None).map_err(Failure::from)
        };
        inside(Cmd::new("apt-get", "read Debian's package index").args([
            "-q",
            "update",
            "--error-on=any",
        ]))?;
        let text = inside(apt::versions_cmd(&archive::packages(
            workspace.extensions(),
        )))?;
        let archive = apt::parse_versions(&text);
        file::write_atomically(
            &sandbox.location(&file),
            &crate::json::pretty(&serde_json::to_value(&archive)?),
        )?;
        Ok(archive)
    }

    fn add_bases(
        &self,
        plan: &mut Plan,
        sandbox: &Sandbox,
        tools: &Mmdebstrap,
        workspace: &Workspace,
        before: &[StepId],
        engine: StepId,
    ) -> Result<(), Failure> {
        for major in archive::majors(workspace.extensions()) {
            let reference = self.base(sandbox, &major)?;
            base::add(plan, sandbox, tools, &major, &reference, before, engine);
        }
        Ok(())
    }

    /// Makes sure that the engine has the base images made from Debian's packages.
    fn sandbox_base(&mut self, sandbox: &Sandbox, workspace: &Workspace) -> anyhow::Result<()> {
        let mut missing = false;
        for major in archive::majors(workspace.extensions()) {
            let ask = docker::has_image_cmd(&self.base(sandbox, &major)?);
            missing |= self.exec.read(&ask, None).is_err();
        }
        if !missing {
            return Ok(());
        }
        let tools = Mmdebstrap::survey(sandbox, &self.exec)?;
        let mut plan = Plan::default();
        let (before, engine) = self.add_sandbox(&mut plan, sandbox, &tools)?;
        self.add_bases(&mut plan, sandbox, &tools, workspace, &before, engine)?;
        let report = self.run(&plan, Some(3), false)?;
        Ok(self.verdict(&report, "making the base image")?)
    }
}

/// Whether the registry of an image can be connected to at all. Without an engine this is all that can
/// be asked; a yes may still turn out to be a no.
fn registry_answers(image: &str) -> bool {
    use std::net::{TcpStream, ToSocketAddrs};
    let host = image.split('/').next().unwrap_or_default();
    let address = if host.contains(':') {
        host.to_owned()
    } else {
        format!("{host}:443")
    };
    let patience = std::time::Duration::from_secs(3);
    address.to_socket_addrs().is_ok_and(|mut addresses| {
        addresses.any(|address| TcpStream::connect_timeout(&address, patience).is_ok())
    })
}
