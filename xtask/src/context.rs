// SPDX-License-Identifier: Apache-2.0
//! What every command gets: the settings, the repository, a way to run commands and a way to report.

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context as _;

use crate::{
    cli::Global,
    config::{self, Config},
    exec::{Exec, Real},
    failure::{Failure, Kind},
    plan::Plan,
    run::{self, Options, Report},
    sandbox::{
        self, Sandbox, State,
        archive::{Archive, Repinned},
        up::Mmdebstrap,
    },
    tool::{apt, buildx, docker},
    ui::Ui,
    workspace::{self, Workspace},
};

/// Finished runs whose logs are kept.
const KEPT_RUNS: usize = 20;

pub(crate) struct Context {
    pub global: Global,
    pub config: Config,
    pub root: PathBuf,
    /// Where the user stands: what relative paths in arguments mean.
    pub here: PathBuf,
    pub exec: Real,
    pub ui: Ui,
    run_folder: Option<PathBuf>,
}

/// What commands do with an engine: the workspace as it will be built, and the files that say so.
pub(crate) struct Engaged {
    pub workspace: Workspace,
    /// Metadata files to write before a bake; empty with published base images.
    pub repinned: Vec<Repinned>,
    /// Inside the sandbox; its programs stand on PATH.
    pub sandbox: Option<Sandbox>,
}

fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

impl Context {
    pub(crate) fn new(global: Global) -> anyhow::Result<Self> {
        let here = std::env::current_dir().context("the current folder cannot be told")?;
        let root = workspace::find_root(&here)?;
        // Once, before any thread: plans speak of files relative to the root, and printed lines are for it.
        #[expect(
            clippy::disallowed_methods,
            reason = "the one change of folder, from which all paths follow"
        )]
        std::env::set_current_dir(&root)
            .with_context(|| format!("cannot enter `{}`", root.display()))?;
        let mut config = Config::load(&root, &env)?;
        config.set_flag(
            config::SANDBOX_BASE,
            "--base",
            global.base.map(crate::cli::Base::name),
        )?;
        Ok(Self {
            ui: Ui::new(global.format, global.verbose),
            exec: Real::listening()?,
            global,
            config,
            root,
            here,
            run_folder: None,
        })
    }

    pub(crate) fn workspace(&self) -> anyhow::Result<Workspace> {
        Workspace::load(&self.root, &self.config)
    }

    pub(crate) fn sandbox(&self) -> Result<Sandbox, Failure> {
        Sandbox::new(&self.config, &env)
    }

    /// A path from the command line, as the children see it, which run in the root.
    pub(crate) fn from_here(&self, path: &Path) -> PathBuf {
        let absolute = self.here.join(path);
        absolute
            .strip_prefix(&self.root)
            .map(Path::to_owned)
            .unwrap_or(absolute)
    }

    /// This run's folder below `target/xtask/runs`, made when first asked for; older ones are dropped.
    pub(crate) fn run_folder(&mut self) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.run_folder {
            return Ok(folder.clone());
        }
        let base = PathBuf::from("target/xtask");
        let unwritable = |error: std::io::Error| {
            Failure::unavailable(format!("cannot write below `target/xtask`: {error}"))
                .hint("logs and results go there: free some disk or make it writable")
        };
        let runs = base.join("runs");
        fs_err::create_dir_all(&runs).map_err(unwritable)?;
        let ignore = base.join(".gitignore");
        if !ignore.exists() {
            crate::file::write_atomically(&ignore, "*\n")
                .map_err(|error| unwritable(std::io::Error::other(format!("{error:#}"))))?;
        }
        drop_old_runs(&runs).map_err(unwritable)?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let folder = runs.join(format!("{:010}-{}", now.as_secs(), std::process::id()));
        fs_err::create_dir_all(&folder).map_err(unwritable)?;
        self.run_folder = Some(folder.clone());
        Ok(folder)
    }

    /// Runs a plan and reports each event. `jobs` from the flag, the setting, or eight.
    pub(crate) fn run(
        &mut self,
        plan: &Plan,
        jobs: Option<u32>,
        keep_going: bool,
    ) -> anyhow::Result<Report> {
        let jobs = jobs.unwrap_or_else(|| self.config.number(config::JOBS));
        let options = Options {
            jobs: if jobs == 0 { 8 } else { jobs as usize },
            keep_going,
            logs: self.run_folder()?,
        };
        let (exec, ui) = (&self.exec, &mut self.ui);
        Ok(run::run(plan, exec, &options, &mut |event| ui.event(event)))
    }

    /// The error that a run's report amounts to, if any: `what` failed.
    pub(crate) fn verdict(&self, report: &Report, what: &str) -> Result<(), Failure> {
        let Some(kind) = report.failure(self.exec.interrupted()) else {
            return Ok(());
        };
        if kind == Kind::Interrupted {
            return Err(Failure::interrupted());
        }
        let failed = report
            .steps
            .iter()
            .filter(|step| matches!(step.outcome, crate::event::Outcome::Failed(_)))
            .count();
        let not_run = report
            .steps
            .iter()
            .filter(|step| matches!(step.outcome, crate::event::Outcome::NotRun))
            .count();
        let rest = if not_run > 0 {
            format!(", {not_run} not run")
        } else {
            String::new()
        };
        let steps = if failed == 1 {
            "1 step".to_owned()
        } else {
            format!("{failed} steps")
        };
        let mut failure = Failure::failed(format!("{what} failed: {steps}{rest}"));
        failure.kind = kind;
        if let Some(folder) = &self.run_folder {
            failure = failure.hint(format!("full logs: {}", folder.display()));
        }
        Err(failure)
    }

    /// Makes sure that there is an engine to work with: with `--sandbox` the private one, started when
    /// needed. `names` are the extensions that will be built (for the base image's majors).
    pub(crate) fn engage(
        &mut self,
        workspace: Workspace,
        dry_run: bool,
    ) -> anyhow::Result<Engaged> {
        if !self.global.sandbox {
            if self.config.get(config::SANDBOX_BASE) == "debian" {
                return Err(Failure::invalid(
                    "`--base debian` makes its base image in the sandbox",
                )
                .hint("add `--sandbox`")
                .into());
            }
            return Ok(Engaged {
                workspace,
                repinned: Vec::new(),
                sandbox: None,
            });
        }
        sandbox::up::refuse()?;
        let sandbox = self.sandbox()?;
        let running = if dry_run {
            self.exec = self.exec.clone().with_programs(&sandbox.bin())?;
            matches!(sandbox.state(), State::Running(_))
        } else {
            self.sandbox_up(&sandbox)?;
            true
        };
        let debian = match self.config.get(config::SANDBOX_BASE) {
            "debian" => true,
            "published" => false,
            _ => running && self.base_is_debian(&sandbox, &workspace, dry_run)?,
        };
        if !debian {
            return Ok(Engaged {
                workspace,
                repinned: Vec::new(),
                sandbox: Some(sandbox),
            });
        }
        let archive = self.archive(&sandbox, &workspace, dry_run)?;
        if !dry_run {
            self.sandbox_base(&sandbox, &workspace)?;
        }
        let mut repinned = Vec::new();
        for extension in workspace.extensions() {
            match sandbox::archive::repin(extension, &archive, &sandbox.suite)? {
                Some(copy) => repinned.push(copy),
                None => self.ui.note(&format!(
                    "Debian {} has no package for `{}`: left out",
                    sandbox.suite, extension.name
                )),
            }
        }
        let extensions = repinned.iter().map(|copy| copy.extension.clone()).collect();
        Ok(Engaged {
            workspace: workspace.with_extensions(extensions),
            repinned,
            sandbox: Some(sandbox),
        })
    }

    /// Brings the sandbox up, says so when there was something to do, and shows it this repository.
    pub(crate) fn sandbox_up(&mut self, sandbox: &Sandbox) -> anyhow::Result<()> {
        sandbox::up::refuse()?;
        self.exec = self.exec.clone().with_programs(&sandbox.bin())?;
        let _lock = sandbox.lock()?;
        if !self.sandbox_answers(sandbox) {
            let mut plan = Plan::default();
            let tools = Mmdebstrap::survey(sandbox, &self.exec)?;
            let (before, engine) =
                sandbox::up::add(&mut plan, sandbox, &tools, &std::env::current_exe()?);
            // Where the base image will have to be made, its root is made beside the sandbox's own.
            if self.config.get(config::SANDBOX_BASE) == "debian"
                && let Ok(workspace) = self.workspace()
            {
                self.add_bases(&mut plan, sandbox, &tools, &workspace, &before, engine);
            }
            let report = self.run(&plan, Some(3), false)?;
            self.verdict(&report, "starting the sandbox")?;
        }
        self.reveal(sandbox)
    }

    fn sandbox_answers(&self, sandbox: &Sandbox) -> bool {
        if !matches!(sandbox.state(), State::Running(_)) || !sandbox.bin().join("enter").exists() {
            return false;
        }
        let ask = crate::plan::Cmd::new(sandbox.bin().join("docker"), "ask the engine").args([
            "version",
            "--format",
            "{{.Server.Version}}",
        ]);
        self.exec
            .read(&ask, Some(std::time::Duration::from_secs(20)))
            .is_ok()
    }

    /// Makes this repository visible inside under its own name, where the sandbox has a folder of its
    /// own in that place (`/var`, `/usr`).
    fn reveal(&self, sandbox: &Sandbox) -> anyhow::Result<()> {
        use std::os::unix::fs::MetadataExt;
        let State::Running(engine) = sandbox.state() else {
            return Err(Failure::failed("the sandbox's engine has ended")
                .detail(format!("log: {}", sandbox.engine_log().display()))
                .into());
        };
        let identity = |path: &Path| {
            fs_err::metadata(path)
                .map(|file| (file.dev(), file.ino()))
                .ok()
        };
        let inside = Path::new("/proc")
            .join(engine.pid.to_string())
            .join("root")
            .join(self.root.strip_prefix("/")?);
        if identity(&inside) == identity(&self.root) {
            return Ok(());
        }
        let enter = |purpose: &str| {
            crate::plan::Cmd::new("nsenter", purpose).args([
                "--target",
                &engine.pid.to_string(),
                "--mount",
                "--root",
                "--",
            ])
        };
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
        let file = sandbox.folder.join("base");
        let fresh = fs_err::metadata(&file)
            .and_then(|file| file.modified())
            .is_ok_and(|at| at.elapsed().is_ok_and(|age| age.as_secs() < 3600));
        if fresh {
            return Ok(fs_err::read_to_string(&file)?.trim() == "debian");
        }
        let builds = crate::matrix::builds(
            workspace.extensions(),
            &crate::matrix::Filter::default(),
            &self.config,
        )?;
        let Some(build) = builds.first() else {
            return Ok(false);
        };
        let ask = buildx::manifest_cmd(&build.base);
        let published = self
            .exec
            .read(&ask, Some(std::time::Duration::from_secs(20)))
            .is_ok();
        if !published {
            self.ui.note(&format!("`{}` cannot be had from here: base images are made from Debian's packages (`--base debian`)", build.base));
        }
        if !dry_run {
            crate::file::write_atomically(
                &file,
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
        let file = sandbox.folder.join("archive.json");
        if dry_run {
            let text = fs_err::read_to_string(&file).map_err(|_| {
                Failure::unavailable("the archive's versions are not known yet").hint(
                    "run `cargo xtask sandbox up --base debian` first: a dry run starts nothing",
                )
            })?;
            return Ok(serde_json::from_str(&text)?);
        }
        let inside = |cmd: crate::plan::Cmd| {
            let program = cmd.program.clone();
            let mut entered =
                crate::plan::Cmd::new(sandbox.bin().join("enter"), cmd.purpose.clone())
                    .arg(program);
            entered.args.extend(cmd.args);
            self.exec.read(&entered, None).map_err(Failure::from)
        };
        inside(
            crate::plan::Cmd::new("apt-get", "read Debian's package index").args([
                "-q",
                "update",
                "--error-on=any",
            ]),
        )?;
        let text = inside(apt::versions_cmd(&sandbox::archive::packages(
            workspace.extensions(),
        )))?;
        let archive = apt::parse_versions(&text);
        crate::file::write_atomically(&file, &crate::ui::pretty(&serde_json::to_value(&archive)?))?;
        Ok(archive)
    }

    fn add_bases(
        &self,
        plan: &mut Plan,
        sandbox: &Sandbox,
        tools: &Mmdebstrap,
        workspace: &Workspace,
        before: &[crate::plan::StepId],
        engine: crate::plan::StepId,
    ) {
        for major in sandbox::archive::majors(workspace.extensions()) {
            let reference = self
                .config
                .get(config::BASE_IMAGE)
                .replace("{pg}", &major)
                .replace("{distro}", &sandbox.suite);
            sandbox::base::add(plan, sandbox, tools, &major, &reference, before, engine);
        }
    }

    /// Makes sure that the engine has the base images made from Debian's packages.
    fn sandbox_base(&mut self, sandbox: &Sandbox, workspace: &Workspace) -> anyhow::Result<()> {
        let missing = sandbox::archive::majors(workspace.extensions())
            .into_iter()
            .any(|major| {
                let reference = self
                    .config
                    .get(config::BASE_IMAGE)
                    .replace("{pg}", &major)
                    .replace("{distro}", &sandbox.suite);
                self.exec
                    .read(&docker::has_image_cmd(&reference), None)
                    .is_err()
            });
        if !missing {
            return Ok(());
        }
        let _lock = sandbox.lock()?;
        let tools = Mmdebstrap::survey(sandbox, &self.exec)?;
        let mut plan = Plan::default();
        let (before, engine) =
            sandbox::up::add(&mut plan, sandbox, &tools, &std::env::current_exe()?);
        self.add_bases(&mut plan, sandbox, &tools, workspace, &before, engine);
        let report = self.run(&plan, Some(3), false)?;
        Ok(self.verdict(&report, "making the base image")?)
    }
}

fn drop_old_runs(runs: &Path) -> std::io::Result<()> {
    let mut folders: Vec<PathBuf> = fs_err::read_dir(runs)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    folders.sort();
    let old = folders.len().saturating_sub(KEPT_RUNS - 1);
    for folder in &folders[..old] {
        match fs_err::remove_dir_all(folder) {
            // Another run of ours was faster.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            other => other?,
        }
    }
    Ok(())
}
