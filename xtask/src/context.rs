// SPDX-License-Identifier: Apache-2.0
//! What every command gets: the settings, the repository, a way to run commands and a way to report.

pub(crate) mod choice;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use serde_json::Value;

use crate::{
    cli::Global,
    config::{self, Config},
    engine::Opener,
    exec::{Exec, Real},
    failure::{Failure, Kind},
    own::{RunFolder, RunId, file, output},
    plan::{Location, Plan},
    run::{self, Options, Report, record::RunRecord},
    sandbox::Sandbox,
    tool,
    ui::{Row, Table, Ui, junit},
    workspace::{self, Workspace},
};

pub(crate) struct Context {
    pub global: Global,
    pub config: Config,
    pub root: PathBuf,
    /// Where the user stands: what relative paths in arguments mean.
    pub here: PathBuf,
    /// Starts this machine's own programs; those that work on an engine are for [`crate::engine::Engine::exec`].
    pub exec: Real,
    pub ui: Ui,
    /// Who we are, to those that come after.
    pub run_id: RunId,
    /// What has become of this run so far.
    pub record: RunRecord,
    run_folder: Option<RunFolder>,
}

fn env(name: &str) -> Option<OsString> {
    std::env::var_os(name)
}

impl Context {
    /// `arguments`: the command line, as it was given.
    pub(crate) fn new(global: Global, arguments: &[OsString]) -> anyhow::Result<Self> {
        let here = std::env::current_dir().context("the current folder cannot be told")?;
        let root = workspace::find_root(&here)?;
        if root.to_str().is_none() {
            return Err(Failure::invalid(format!(
                "the repository's path `{}` is not UTF-8",
                root.display()
            ))
            .hint("rename the folder, or work in a copy elsewhere: its path is in environment variables and JSON")
            .into());
        }
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
            global.base.map(config::Base::name),
        )?;
        let folder = global
            .sandbox_folder
            .as_ref()
            .map(|path| here.join(path).into_os_string().into_string());
        let folder = folder.transpose().map_err(|path| {
            Failure::invalid(format!(
                "`--sandbox-folder {}` is not UTF-8",
                path.display()
            ))
        })?;
        config.set_flag(
            config::SANDBOX_FOLDER,
            "--sandbox-folder",
            folder.as_deref(),
        )?;
        let run_id = RunId::draw().context("no random numbers to name this run with")?;
        Ok(Self {
            ui: Ui::new(global.format, global.verbose),
            exec: Real::listening(&run_id)?,
            record: RunRecord::begun(&run_id, arguments),
            global,
            config,
            root,
            here,
            run_id,
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
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        let absolute = self.here.join(path);
        absolute
            .strip_prefix(&self.root)
            .map(Path::to_owned)
            .unwrap_or(absolute)
    }

    /// This run's folder below `target/xtask/runs`, made when first asked for; older ones are dropped.
    pub(crate) fn run_folder(&mut self) -> anyhow::Result<PathBuf> {
        if let Some(folder) = &self.run_folder {
            return Ok(folder.path.clone());
        }
        // Messages name logs by paths that work where the user stands.
        let shown = if self.here == self.root {
            PathBuf::new()
        } else {
            self.root.clone()
        };
        let mut warnings = Vec::new();
        let made = RunFolder::make(&self.root, &shown, &self.run_id, &mut |text| {
            warnings.push(text);
        });
        let made = made.and_then(|made| {
            let ignore = Location::output("target/xtask/.gitignore");
            if !ignore.exists() {
                file::write_atomically(&ignore, "*\n")?;
            }
            output::refuse_links(&self.root)?;
            Ok(made)
        });
        for warning in warnings {
            self.ui.warning(&warning);
        }
        let made = made.map_err(|error| match error.downcast::<Failure>() {
            Ok(failure) => failure,
            Err(error) => output::unwritable(&self.root, &error),
        })?;
        let path = made.path.clone();
        self.run_folder = Some(made);
        let root = self.root.clone();
        self.exec.before_leaving(move || {
            // There is no time to say that some files still belong to root.
            let _late = output::hand_over(&root);
        });
        Ok(path)
    }

    /// Runs a plan, when all the programs are there that it needs, and reports each event. `exec` starts its
    /// processes, mostly an engine's; `jobs` is from the flag, the setting, or eight.
    pub(crate) fn run(
        &mut self,
        exec: &Real,
        plan: &Plan,
        jobs: Option<u32>,
        keep_going: bool,
    ) -> anyhow::Result<Report> {
        tool::require(exec, plan.programs())?;
        let jobs = jobs.unwrap_or_else(|| self.config.get(config::JOBS));
        let options = Options {
            jobs: if jobs == 0 { 8 } else { jobs as usize },
            keep_going,
            logs: self.run_folder()?,
        };
        self.record.plan_begins(plan);
        self.keep_record();
        let ui = &self.ui;
        let report = run::run(plan, exec, &options, &mut |event| ui.event(&event));
        ui.idle();
        self.record.plan_ends(&report);
        self.keep_record();
        Ok(report)
    }

    /// Shows what a command has found, each row for people and for scripts, and keeps it.
    pub(crate) fn rows<R: Row>(&mut self, json: bool, rows: &[R]) {
        self.result(json, serde_json::json!(rows), &Table::of(rows));
    }

    /// The same, where scripts get more than the rows of a table.
    pub(crate) fn result(&mut self, json: bool, value: Value, table: &Table) {
        self.ui.result(json, &value, table);
        self.record.result = Some(value);
    }

    /// Says how the run has ended, where there is a record of it.
    pub(crate) fn end(&mut self, exit_code: u8, error: Option<&anyhow::Error>) {
        self.record.ends(exit_code, error);
        self.keep_record();
        if let Err(error) = self.keep_proofs() {
            self.ui
                .warning(&format!("the proofs of this run are not kept: {error:#}"));
        }
    }

    /// What the run was to prove, for CI systems.
    fn keep_proofs(&self) -> anyhow::Result<()> {
        let (Some(folder), Some(text)) = (&self.run_folder, junit(&self.record)) else {
            return Ok(());
        };
        let place = Location::ours(&folder.path, folder.path.join("junit.xml"));
        file::write_atomically(&place, &text?)
    }

    /// Keeps the record where this run has a folder: what a killed run leaves says how far it came.
    fn keep_record(&self) {
        let Some(folder) = &self.run_folder else {
            return;
        };
        if let Err(error) = self.record.write(&folder.path) {
            self.ui
                .warning(&format!("there is no record of this run: {error:#}"));
        }
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
            .filter(|step| matches!(step.outcome, crate::event::Outcome::NotRun) && !step.quiet)
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
            failure = failure.hint(format!("full logs: {}", folder.path.display()));
        }
        Err(failure)
    }
}

impl Opener for Context {
    fn config(&self) -> &Config {
        &self.config
    }

    fn root(&self) -> &Path {
        &self.root
    }

    fn run_id(&self) -> &RunId {
        &self.run_id
    }

    fn exec(&self) -> &Real {
        &self.exec
    }

    fn workspace(&self) -> anyhow::Result<Workspace> {
        self.workspace()
    }

    fn wants_sandbox(&self) -> bool {
        self.global.sandbox
    }

    fn sandbox(&self) -> Result<Sandbox, Failure> {
        self.sandbox()
    }

    fn note(&self, text: &str) {
        self.ui.note(text);
    }

    fn warn(&self, text: &str) {
        self.ui.warning(text);
    }

    fn make_folder(&mut self) -> anyhow::Result<()> {
        self.run_folder().map(|_| ())
    }

    fn carry_out(&mut self, exec: &Real, plan: &Plan, what: &str) -> anyhow::Result<()> {
        let report = self.run(exec, plan, None, false)?;
        Ok(self.verdict(&report, what)?)
    }
}

/// Under sudo, what the tools have written goes to the repository's owner.
impl Drop for Context {
    fn drop(&mut self) {
        if self.run_folder.is_some()
            && let Err(error) = output::hand_over(&self.root)
        {
            self.ui.warning(&format!(
                "some files in `target/xtask` still belong to root: {error:#}"
            ));
        }
    }
}
