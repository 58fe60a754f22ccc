// SPDX-License-Identifier: Apache-2.0
//! `ci bench`: how long commands take, beside another way to do the same. Both run in turn on this machine, so that whatever else
//! it does meanwhile meets both; what counts is the median.

mod measured;
mod rows;

use std::path::{Path, PathBuf};

use self::{
    measured::{Comparison, Machine, Way},
    rows::ROWS,
};
use crate::{
    cli::Bench,
    context::Context,
    engine::{Access, Engine},
    failure::Failure,
    own::source,
    plan::{Action, AfterFailure, Cmd, Location, Plan, Step, StepId, shell},
    stage::begin::Begun,
    target::{Filter, Target},
    tool::{self, hyperfine},
    ui::{Form, Table},
    workspace::{Aim, Selection},
};

/// Below the root: a folder for each row.
const FOLDER: &str = "target/xtask/bench";

/// What the table's commands are made of.
const FUNCTIONS: &str = include_str!("bench/images.sh");

/// How the reference builds an image.
const DOCKERFILE: &str = include_str!("bench/reference.Dockerfile");
const BAKE_FILE: &str = include_str!("bench/reference.hcl");

/// What must be there for a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// An engine that builds, and images of all extensions.
    Engine,
    /// The same; it takes many minutes, so it is measured only when it is named.
    EngineAndTime,
}

/// Something to do in two ways.
#[derive(Debug)]
struct Row {
    name: &'static str,
    /// What is measured, for people.
    what: &'static str,
    /// What it is compared to, for people.
    against: &'static str,
    needs: Needs,
    /// A program that the reference alone needs.
    reference_needs: Option<&'static str>,
    /// How often both are run when nobody says it.
    rounds: u32,
    /// The part of the reference's time that is to be enough.
    goal: f64,
    /// Run once before; empty: nothing is to be prepared.
    before: &'static str,
    reference: &'static str,
    ours: &'static str,
}

pub(super) fn run(args: &Bench, context: &mut Context) -> anyhow::Result<()> {
    let rows = chosen(&args.rows)?;
    let begun = begin(&rows, args.dry_run, context)?;
    let exec = begun
        .as_ref()
        .map_or(&context.exec, |begun| &begun.engine.exec);
    let exec = exec.clone();
    let (rows, left_out): (Vec<&Row>, _) = rows.into_iter().partition(|row| {
        let needs = row.reference_needs;
        needs.is_none_or(|program| exec.finds(program).is_some())
    });
    for row in left_out {
        context.ui.warning(&format!(
            "`{}` is not measured: its reference needs `{}`, which is not on PATH",
            row.name,
            row.reference_needs.unwrap_or_default()
        ));
    }
    let images = match &begun {
        Some(begun) => images(begun, context)?,
        None => String::new(),
    };
    let program = std::env::current_exe()?;
    let mut plan = Plan {
        after_failure: AfterFailure::KeepGoing,
        ..Plan::default()
    };
    let mut measured = Vec::new();
    for row in rows {
        let rounds = args.rounds.unwrap_or(row.rounds);
        let bench = Measuring {
            row,
            program: &program,
            rounds,
        };
        let last = measured
            .last()
            .map(|(_, steps): &(&Row, Vec<StepId>)| steps.clone());
        let steps = bench.add(&mut plan, &images, &last.unwrap_or_default());
        measured.push((row, steps));
    }
    if args.dry_run {
        match &begun {
            Some(begun) => context.print(&begun.engine, &plan),
            None => context.print_local(&plan),
        }
        return Ok(());
    }
    let mut machine = Machine::look()?;
    let report = context.run(&exec, &plan)?;
    machine.look_again()?;
    let mut results = Vec::new();
    for (row, steps) in &measured {
        let ended = steps.iter().filter(|step| report.step(**step).succeeded());
        results.push(result(row, ended.count())?);
    }
    let form = Form::of(args.json, args.markdown);
    let value = serde_json::json!({ "machine": machine, "rows": results });
    context.report(form, value, &Table::of(&results).into());
    context.verdict(&report, "bench")?;
    context.ui.conclusion(&machine.to_string());
    Ok(())
}

/// The rows of these names; without names all that take no cluster and few minutes.
fn chosen(names: &[String]) -> Result<Vec<&'static Row>, Failure> {
    if names.is_empty() {
        let quick = ROWS.iter().filter(|row| row.needs != Needs::EngineAndTime);
        return Ok(quick.collect());
    }
    let of_name = |name: &String| {
        let known: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        let row = ROWS.iter().find(|row| row.name == name);
        row.ok_or_else(|| {
            Failure::invalid(format!(
                "`{name}` is no row of the table: {}",
                known.join(", ")
            ))
        })
    };
    names.iter().map(of_name).collect()
}

/// Where a row needs an engine: it is there with the images of all extensions, and nobody's way is barred.
fn begin(rows: &[&Row], dry_run: bool, context: &mut Context) -> anyhow::Result<Option<Begun>> {
    if !dry_run {
        tool::require(&context.exec, ["hyperfine"])?;
    }
    if rows.iter().all(|row| row.needs == Needs::Nothing) {
        return Ok(None);
    }
    if !dry_run {
        let engine = Engine::open(context, Access::Share)?;
        let mut bake = Plan::default();
        let program = std::env::current_exe()?;
        let cmd = Cmd::new(program, "bake all images").args(["bake", "--all"]);
        bake.add(Step::run("images", cmd));
        let report = context.run(&engine.exec, &bake)?;
        context.verdict(&report, "bench")?;
    }
    let filter = Filter::default();
    let begun = Begun::open(context, &Selection::All, Aim::Images, &filter, Access::Look)?;
    Ok(Some(begun))
}

/// A line for each image that the commands know of: one for each extension, for one server.
fn images(begun: &Begun, context: &Context) -> anyhow::Result<String> {
    let targets = begun.targets(&Filter::default(), context)?;
    let mut lines: Vec<String> = Vec::new();
    let mut seen: Vec<&str> = Vec::new();
    for target in targets.chosen() {
        let name = target.extension.name.as_str();
        if !seen.contains(&name) {
            seen.push(name);
            lines.push(line(target));
        }
    }
    Ok(lines.join("\n") + "\n")
}

fn line(target: &Target) -> String {
    let (extension, major) = (&target.extension, &target.server.major);
    let version = target.package.as_deref().unwrap_or_default();
    // A package for all architectures has not the number of the build.
    let version = version
        .split_once("+b")
        .map_or(version, |(version, _)| version);
    let packages = extension.package_names(major);
    let packages: Vec<String> = packages
        .iter()
        .map(|name| format!("{name}={version}*"))
        .collect();
    let fields = [
        extension.name.clone(),
        target.tag.to_string(),
        target.base.to_string(),
        major.to_string(),
        target.name.clone(),
        packages.join(" "),
    ];
    fields.join("\t")
}

/// A row that is measured.
struct Measuring<'a> {
    row: &'a Row,
    program: &'a Path,
    rounds: u32,
}

impl Measuring<'_> {
    fn folder(&self) -> PathBuf {
        Path::new(FOLDER).join(self.row.name)
    }

    /// Adds the steps that measure it, once those `before` have ended; gives the rounds.
    fn add(&self, plan: &mut Plan, images: &str, before: &[StepId]) -> Vec<StepId> {
        let name = |what: &str| format!("{}: {what}", self.row.name);
        let context = self.folder().join("context");
        let folder = Step::new(name("folder"), Action::Folder(Location::output(&context)));
        let mut last = plan.add(folder.after_end_of(before.iter().copied()).quiet());
        let files = [
            ("images", images.to_owned()),
            ("context/Dockerfile", DOCKERFILE.to_owned()),
            ("context/reference.hcl", BAKE_FILE.to_owned()),
            ("before.sh", self.script(self.row.before)),
            ("reference.sh", self.script(self.row.reference)),
            ("ours.sh", self.script(self.row.ours)),
        ];
        for (file, contents) in files {
            let path = Location::output(self.folder().join(file));
            let write = Step::new(name(file), Action::Write { path, contents });
            last = plan.add(write.after([last]).quiet());
        }
        if !self.row.before.is_empty() {
            let cmd = Cmd::new("sh", format!("prepare `{}`", self.row.name));
            let cmd = cmd.args(["-eu", "--"]).arg(self.folder().join("before.sh"));
            last = plan.add(Step::run(name("prepare"), cmd).after([last]));
        }
        let mut rounds = Vec::new();
        for round in 1..=self.rounds {
            let step = Step::run(name(&format!("round {round}")), self.round(round));
            last = plan.add(step.after([last]));
            rounds.push(last);
        }
        rounds
    }

    /// Both ways once; who is first is who was second in the round before.
    fn round(&self, round: u32) -> Cmd {
        let files = Way::BOTH.map(|way| self.folder().join(format!("{}.sh", way.name())));
        let mut scripts = [0, 1].map(|place| (Way::BOTH[place].name(), files[place].as_path()));
        if round.is_multiple_of(2) {
            scripts.reverse();
        }
        let purpose = format!("measure `{}`", self.row.name);
        hyperfine::round_cmd(purpose, scripts, &exported(self.row, round))
    }

    fn script(&self, text: &str) -> String {
        let folder = self.folder();
        let images = folder.join("images");
        format!(
            "XTASK={} BENCH=$PWD/{} IMAGES=$PWD/{}\n{FUNCTIONS}\n{text}\n",
            shell::word(self.program),
            shell::word(&folder),
            shell::word(&images)
        )
    }
}

/// Where a round's measurements are.
fn exported(row: &Row, round: u32) -> PathBuf {
    Path::new(FOLDER)
        .join(row.name)
        .join(format!("round-{round}.json"))
}

/// What was measured of a row in its first rounds.
fn result(row: &'static Row, rounds: usize) -> Result<Comparison, Failure> {
    let mut result = Comparison::of(row);
    for round in (1..).take(rounds) {
        let path = exported(row, round);
        let text = source::read_own(Path::new("."), &path)?.unwrap_or_default();
        result.take(hyperfine::parse(&text)?);
    }
    Ok(result)
}
