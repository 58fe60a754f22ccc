// SPDX-License-Identifier: Apache-2.0
//! `status`: the repository at a glance. It asks everything at the same time, starts nothing and writes nothing.

mod disk;
mod environment;
mod image;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use serde_json::json;

use self::{
    disk::Used,
    environment::Drift,
    image::{
        Image, Known, Rung, history,
        newest::{self, Answers, Newest},
        shown,
    },
};
use crate::{
    cli,
    context::Context,
    engine::{self, Access, Engine},
    exec::{Exec as _, Real},
    extension::Extension,
    stage::proofs::Proofs,
    tool::docker,
    ui::{Form, Report, counted},
    value::Digest,
    workspace::Workspace,
};

pub(super) fn run(args: &cli::Status, context: &mut Context) -> anyhow::Result<()> {
    let workspace = context.workspace()?;
    if workspace.names().next().is_none() {
        return Err(workspace.without_extensions().into());
    }
    let engine = Engine::open(context, Access::Look)?;
    // A sandbox may not show this repository yet, and these questions need none.
    let exec = engine.exec.clone().in_folder(Path::new("/"));
    let obstacle = obstacle(&engine, &exec);
    let ask = || exec.read(&docker::listed_cmd(), Some(environment::PATIENCE));
    let there = if obstacle.is_none() { ask().ok() } else { None };
    let there = there.map(|said| {
        let listed = docker::parse_listed(&said).into_iter();
        let listed = listed.filter_map(|(name, listed)| Some((name, listed.digest?)));
        listed.collect::<BTreeMap<String, Digest>>()
    });
    let asking = Asking {
        exec: &exec,
        extensions: workspace.extensions(),
        obstacle,
        there: there.as_ref(),
    };
    let asked = asking.all(args, context, &engine)?;
    let told = history::read(&context.root);
    let names: Vec<String> = workspace.names().map(str::to_owned).collect();
    let known = Known {
        told: &told,
        proofs: &Proofs::Own.all(),
        there: there.as_ref(),
        answers: &asked.answers,
        names: &names,
        root: &context.root,
    };
    let folder = |extension: &Arc<Extension>| -> PathBuf {
        let file = &extension.metadata_file;
        file.parent().map(Into::into).unwrap_or_default()
    };
    let extensions = workspace.extensions().iter();
    let images = extensions.flat_map(|extension| known.images(extension, &folder(extension)));
    let images: Vec<Image> = images.collect();
    show(args, context, &workspace, &images, &asked);
    Ok(())
}

/// What others have said.
struct Asked {
    answers: Answers,
    drift: Drift,
    disk: Vec<Used>,
}

/// Why the engine cannot be asked.
fn obstacle(engine: &Engine, exec: &Real) -> Option<String> {
    if engine.is_stopped() {
        return Some("the sandbox does not run".to_owned());
    }
    let failure = engine::ask(exec).err()?;
    let cause = failure.command.as_ref().and_then(|command| command.cause());
    Some(match cause {
        Some(cause) => format!("{}: {cause}", failure.message),
        None => failure.message,
    })
}

/// What the questions are put with.
struct Asking<'a> {
    exec: &'a Real,
    extensions: &'a [Arc<Extension>],
    /// Why the engine cannot be asked.
    obstacle: Option<String>,
    /// The images that it has.
    there: Option<&'a BTreeMap<String, Digest>>,
}

impl Asking<'_> {
    /// Asks archive, environment and disk at the same time.
    fn all(self, args: &cli::Status, context: &Context, engine: &Engine) -> anyhow::Result<Asked> {
        let silence = args.offline.then(|| "--offline".to_owned());
        let none = BTreeMap::new();
        let obstacle = silence.or_else(|| self.obstacle.clone());
        let (questions, mut answers) = if let Some(why) = obstacle {
            (Vec::new(), Answers::none(why))
        } else {
            newest::questions(self.extensions, self.there.unwrap_or(&none), context)
        };
        let wanted = environment::wanted(context)?;
        let places = disk::places(context);
        let here = &engine.exec;
        // A sandbox that has been shown this repository runs programs in it.
        let unseen =
            self.obstacle.is_none() && engine.sandbox.is_some() && engine::ask(here).is_err();
        let obstacle = if unseen {
            let why = "the sandbox has not been shown this repository: nothing of it is up there";
            Some(why.to_owned())
        } else {
            self.obstacle
        };
        let (drift, disk) = std::thread::scope(|scope| {
            let drift = scope.spawn(|| Drift::of(&wanted, here, obstacle));
            let disk = scope.spawn(|| places.iter().map(disk::Place::used).collect::<Vec<_>>());
            answers.failures = newest::ask(&questions, self.exec);
            (drift.join(), disk.join())
        });
        let gone = || anyhow::anyhow!("xtask itself has a fault: a question was not put");
        Ok(Asked {
            answers,
            drift: drift.map_err(|_| gone())?,
            disk: disk.map_err(|_| gone())?,
        })
    }
}

fn show(
    args: &cli::Status,
    context: &mut Context,
    workspace: &Workspace,
    images: &[Image],
    asked: &Asked,
) {
    let unread: Vec<&str> = workspace
        .names()
        .filter(|name| workspace.get(name).is_none())
        .collect();
    let value = json!({
        "images": images,
        "unread": unread,
        "environment": asked.drift,
        "disk": asked.disk,
    });
    let report = Report::default()
        .rows("", &shown::in_short(images, SystemTime::now()))
        .pairs("Environment", asked.drift.pairs())
        .rows("", &asked.disk);
    context.report(Form::of(args.json, false), value, &report);
    for name in &unread {
        let fix = "`cargo xtask checks` says what is wrong";
        context.ui.warning(&format!("`{name}` is not read: {fix}"));
    }
    if let Some(note) = not_asked(images) {
        context.ui.note(&note);
    }
    for line in next(images) {
        context.ui.conclusion(&line);
    }
}

/// Of how many pins it is not known what is newest, and why of the first of them.
fn not_asked(images: &[Image]) -> Option<String> {
    let whys = images.iter().filter_map(|image| match &image.newest {
        Some(Newest::NotAsked(why)) => Some(why),
        _ => None,
    });
    let whys: Vec<&String> = whys.collect();
    let pins = counted(whys.len(), "pin");
    let why = whys.first()?;
    Some(format!("what is newest was not asked for {pins}: {why}"))
}

/// What to do next: of the ladder the lowest rung that is not there for what was built, and newer pins.
fn next(images: &[Image]) -> Vec<String> {
    let mut lines = vec![next_rung(images)];
    let is_behind = |image: &&Image| image.newest.as_ref().is_some_and(Newest::is_behind);
    let behind = match images.iter().filter(is_behind).count() {
        0 => return lines,
        1 => "1 pin is".to_owned(),
        many => format!("{many} pins are"),
    };
    lines.push(format!(
        "{behind} behind the archive: `cargo xtask versions --all --update`"
    ));
    lines
}

/// A rung of the ladder: the command that climbs it, and whether an image has.
type Step = (&'static str, fn(&Image) -> bool);

const LADDER: [Step; 3] = [
    ("checks", |image| {
        image.checks.as_ref().is_some_and(Rung::is_proof)
    }),
    ("smoke", |image| {
        image.smoke.as_ref().is_some_and(Rung::is_proof)
    }),
    ("e2e test-full", |image| {
        image.e2e.values().any(Rung::is_proof)
    }),
];

fn next_rung(images: &[Image]) -> String {
    let built = || images.iter().filter(|image| image.built.is_some());
    let count = built().count();
    if count == 0 {
        return "nothing is known to be built here: `cargo xtask checks --all`, then `cargo xtask smoke --all`"
            .to_owned();
    }
    for (command, is_proven) in LADDER {
        let lacking = built().filter(|image| !is_proven(image));
        let mut names: Vec<&str> = lacking.map(|image| image.name.as_str()).collect();
        names.dedup();
        if !names.is_empty() {
            let extensions = counted(names.len(), "extension");
            let mut all: Vec<&str> = images.iter().map(|image| image.name.as_str()).collect();
            all.dedup();
            let names = if names == all && names.len() > 1 {
                "--all".to_owned()
            } else {
                names.join(" ")
            };
            return format!("next for {extensions}: `cargo xtask {command} {names}`");
        }
    }
    format!("{} proven on every rung", counted(count, "image"))
}
