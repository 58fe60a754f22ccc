// SPDX-License-Identifier: Apache-2.0
//! This run: its folder, its plans, its record, and what they amount to.

use std::{path::PathBuf, time::Instant};

use serde_json::Value;

use super::Context;
use crate::{
    config::AtOnce,
    engine::Engine,
    event::{Event, Outcome},
    exec::{DEFAULT_PLATFORM, Exec, Real},
    failure::{Failure, FailureRecord, Kind},
    own::{RunFolder, file, output},
    plan::{Location, Plan, Step, shell},
    run::{self, Options, account::Account, kept::KeptRun, record::LeftOut, waiting::Waiting},
    stage::{
        proofs,
        results::{self, Tested},
        suites,
    },
    tool,
    ui::{Form, Report, Row, Table, html, junit},
    verdict::Verdict,
};

/// The report in a run's folder.
const REPORT: &str = "report.html";

impl Context {
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
        // `--rerun-failed` wants to read it.
        let tests = results::last_run(&self.root);
        let warn = &mut |text| warnings.push(text);
        let made = RunFolder::make(&self.root, &shown, &self.run_id, tests.as_deref(), warn);
        let made = made.and_then(|made| {
            output::ignore()?;
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
        let leave_the_terminal = self.ui.leaving();
        self.exec.before_leaving(move || {
            leave_the_terminal();
            // There is no time to say that some files still belong to root.
            let _late = output::hand_over(&root);
        });
        Ok(path)
    }

    /// Runs a plan, when all the programs are there that it needs, and reports each event. `exec` starts its
    /// processes, mostly an engine's.
    pub(crate) fn run(&mut self, exec: &Real, plan: &Plan) -> anyhow::Result<run::Report> {
        tool::require(exec, plan.programs())?;
        let options = Options {
            at_once: AtOnce::steps(&self.config),
            logs: self.run_folder()?,
        };
        let at_once = plan.at_once.unwrap_or(options.at_once);
        self.journal.plan_begins(plan, at_once);
        self.keep_record();
        let report = run::run(plan, exec, &options, &mut |event| {
            self.ui.event(&event);
            match &event {
                Event::Started { id, .. } => self.journal.step_begins(*id),
                Event::Finished(step) => self.journal.step_ends(step),
                _ => {}
            }
            if self.journal.is_due(Instant::now()) {
                self.keep_record();
            }
        });
        self.ui.idle();
        self.journal.plan_ends();
        self.keep_record();
        if let Some(waiting) = Waiting::of(self.journal.record()) {
            self.ui.waiting(&waiting);
        }
        Ok(report)
    }

    /// Notes that a step is in no plan, and why.
    pub(crate) fn left_out(&mut self, step: &Step, why: LeftOut<'_>) -> anyhow::Result<()> {
        self.run_folder()?;
        self.journal.left_out(step, why);
        self.keep_record();
        Ok(())
    }

    /// Shows what a command has found, each row for people and for scripts, and keeps it.
    pub(crate) fn rows<R: Row>(&mut self, json: bool, rows: &[R]) -> anyhow::Result<()> {
        let value = serde_json::to_value(rows)?;
        let report = Report::from(Table::of(rows));
        self.ui.result(Form::of(json, false), &value, &report);
        self.journal.proved(value);
        self.keep_record();
        Ok(())
    }

    /// Shows what became of the images in the suites, and notes that this run is the last one of tests.
    pub(crate) fn tested(&mut self, json: bool, tested: &[Tested]) -> anyhow::Result<()> {
        let value = serde_json::to_value(tested)?;
        let report = Report::from(Table::of(tested));
        self.ui.result(Form::of(json, false), &value, &report);
        self.journal.proved(value);
        self.keep_record();
        results::note(&self.run_folder()?)
    }

    /// The same of the suites that every image is to pass: what they say of it is kept with its digest. That an image has passed is
    /// not, where `options` may have left tests out.
    pub(crate) fn proved(
        &mut self,
        json: bool,
        tested: &[Tested],
        options: &suites::Options,
    ) -> anyhow::Result<()> {
        self.tested(json, tested)?;
        if !options.may_narrow() {
            return proofs::keep(tested, &self.run_id);
        }
        let is_passed = |one: &&Tested| one.result == Verdict::Passed;
        if tested.iter().filter(is_passed).count() > 0 {
            self.ui.warning(
                "what has passed is no proof for `promote`: flags behind `--` may have left tests out",
            );
        }
        proofs::keep(tested.iter().filter(|one| !is_passed(one)), &self.run_id)
    }

    /// The same, where scripts get more than the rows of a table.
    pub(crate) fn result(&mut self, json: bool, value: Value, table: &Table) {
        self.report(Form::of(json, false), value, &table.clone().into());
    }

    /// The same, where people get several tables, as Markdown too.
    pub(crate) fn report(&mut self, form: Form, value: Value, report: &Report) {
        self.ui.result(form, &value, report);
        self.journal.found(value);
        self.keep_record();
    }

    /// Says how the run has ended, where there is a record of it.
    pub(crate) fn end(&mut self, exit_code: u8, failure: Option<&FailureRecord>) {
        self.journal.ends(exit_code, failure);
        self.keep_record();
        let said =
            |error: &anyhow::Error| format!("the results of this run were not saved: {error:#}");
        if let Err(error) = self.keep_proofs() {
            self.ui.warning(&said(&error));
        }
        match self.keep_report() {
            Ok(None) => {}
            Ok(Some(report)) => self.ui.reported(self.journal.record(), &report),
            Err(error) => self.ui.warning(&said(&error)),
        }
    }

    /// Makes the report of a run and gives its path, below the root.
    pub(crate) fn write_report(&self, run: KeptRun) -> anyhow::Result<PathBuf> {
        let folder = run.folder();
        let page = html(&Account::of(&self.root, run));
        let place = Location::ours(&folder, folder.join(REPORT));
        file::write_private(&place, &page)?;
        Ok(place.to_path_buf())
    }

    /// The report of this run, where it has had anything to do. None: there is none.
    fn keep_report(&self) -> anyhow::Result<Option<PathBuf>> {
        let record = self.journal.record();
        let name = self
            .run_folder
            .as_ref()
            .and_then(|folder| folder.path.file_name());
        let (Some(name), false) = (name, record.steps.is_empty()) else {
            return Ok(None);
        };
        let run = KeptRun {
            name: name.to_string_lossy().into_owned(),
            is_held: true,
            record: record.clone(),
        };
        self.write_report(run).map(Some)
    }

    /// What the run was to prove, for CI systems.
    fn keep_proofs(&self) -> anyhow::Result<()> {
        let (Some(folder), Some(text)) = (&self.run_folder, junit(self.journal.record())) else {
            return Ok(());
        };
        let place = Location::ours(&folder.path, folder.path.join("junit.xml"));
        file::write_private(&place, &text?)
    }

    /// Keeps the record where this run has a folder: what a killed run leaves says how far it came.
    fn keep_record(&mut self) {
        let Some(folder) = &self.run_folder else {
            return;
        };
        if let Err(error) = self.journal.write(&folder.path)
            && !std::mem::replace(&mut self.journal.lost, true)
        {
            self.ui
                .warning(&format!("this run was not recorded: {error:#}"));
        }
    }

    /// Prints a plan as lines for a shell; they are for the root, with the sandbox's programs on PATH.
    pub(crate) fn print(&self, engine: &Engine, plan: &Plan) {
        let mut text = self.to_the_root();
        if let Some(sandbox) = &engine.sandbox {
            text += &format!("export PATH={}:\"$PATH\"\n", shell::word(sandbox.bin()));
        }
        if super::env(DEFAULT_PLATFORM).is_some() {
            // A run keeps it from its children.
            text += &format!("unset {DEFAULT_PLATFORM}\n");
        }
        text += &plan.to_string();
        self.ui.data(&text);
    }

    /// The same, of a plan that needs no engine.
    pub(crate) fn print_local(&self, plan: &Plan) {
        self.ui.data(&(self.to_the_root() + &plan.to_string()));
    }

    /// The line that goes to the root; none where the user stands there.
    fn to_the_root(&self) -> String {
        if self.here == self.root {
            return String::new();
        }
        format!("cd {}\n", shell::word(&self.root))
    }

    /// The error that a run's report amounts to, if any: `what` failed.
    pub(crate) fn verdict(&self, report: &run::Report, what: &str) -> Result<(), Failure> {
        let Some(kind) = report.failure(self.exec.interrupted()) else {
            return Ok(());
        };
        if kind == Kind::Interrupted {
            return Err(Failure::interrupted());
        }
        let failed = report
            .steps
            .iter()
            .filter(|step| matches!(step.outcome, Outcome::Failed(_)))
            .count();
        let not_run = report
            .steps
            .iter()
            .filter(|step| matches!(step.outcome, Outcome::NotRun) && !step.quiet)
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
            let folder = folder.path.display();
            failure = failure.hint(format!(
                "full logs: {folder}; on one page: `cargo xtask report --open`"
            ));
        }
        Err(failure)
    }
}
