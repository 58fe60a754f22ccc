// SPDX-License-Identifier: Apache-2.0
//! `versions`: what the extensions are pinned to, beside the newest that their base images can install.

mod row;
mod update;

use std::{collections::BTreeMap, sync::Arc};

use self::{
    row::{Pinned, Row, State},
    update::{Update, Written},
};
use crate::{
    cli,
    context::Context,
    engine::Access,
    extension::Extension,
    plan::{AfterFailure, Plan, Step, StepId},
    stage::{
        archive::Question,
        begin::Begun,
        newest::{Answer, Ask, Compared, PATIENCE, asked, script},
    },
    target::{Filter, Target},
    ui::{Form, Table},
    value::Server,
    workspace::{Aim, Selection},
};

pub(super) fn run(args: &cli::Versions, context: &mut Context) -> anyhow::Result<()> {
    let filter = Filter::from(&args.filters);
    let begun = Begun::open(
        context,
        &Selection::from(&args.extensions),
        Aim::Images,
        &filter,
        Access::Work.or_look(args.dry_run),
    )?;
    let targets = begun.targets(&filter, context)?;
    let chosen = targets.chosen().filter(|target| target.is_built());
    let chosen: Vec<&Target> = chosen.collect();
    let mut plan = Plan {
        // One base image that cannot be asked is no reason not to ask the others.
        after_failure: AfterFailure::KeepGoing,
        ..Plan::default()
    };
    let questions = questions(&mut plan, context, &chosen);
    let mut planned: Vec<Planned> = chosen
        .iter()
        .map(|target| Planned::of(target, &questions))
        .collect();
    if args.update {
        add_updates(&mut plan, context, &mut planned);
    }
    if begun.engine.is_looked_at() {
        context.print(&begun.engine, &plan);
        return Ok(begun.check_read()?);
    }
    let report = context.run(&begun.engine.exec, &plan)?;
    planned.sort_by(|a, b| (&a.extension.name, &a.server).cmp(&(&b.extension.name, &b.server)));
    let rows: Vec<Row> = planned.iter().map(Planned::row).collect();
    let (form, shown) = if args.pr_body {
        (Form::Markdown, row::body(&rows))
    } else {
        (Form::of(args.json, false), Table::of(&rows).into())
    };
    context.report(form, serde_json::to_value(&rows)?, &shown);
    context.verdict(&report, "looking for newer versions")?;
    begun.check_read()?;
    context.ui.conclusion(&conclusion(&rows));
    Ok(())
}

/// What is asked in a base image.
struct Asking<'a> {
    target: &'a Target,
    pins: Vec<String>,
}

/// A question in a base image, and where its answer will be.
struct Asked {
    step: StepId,
    answer: Answer,
}

/// By what tells base images apart.
type Bases<T> = BTreeMap<(Server, String), T>;

fn base(target: &Target) -> (Server, String) {
    (target.server.clone(), target.base.to_string())
}

/// The targets that are built on one base image are asked for in one container: it reads the index of packages once.
fn questions(plan: &mut Plan, context: &Context, chosen: &[&Target]) -> Bases<Asked> {
    let mut bases: Bases<Asking<'_>> = Bases::new();
    for target in chosen {
        let Some(pin) = target.extension.pin(&target.server).and_then(asked) else {
            continue;
        };
        let asking = bases.entry(base(target)).or_insert_with(|| Asking {
            target,
            pins: Vec::new(),
        });
        if !asking.pins.contains(&pin) {
            asking.pins.push(pin);
        }
    }
    let script = script();
    let asked = bases.into_iter().enumerate();
    let asked = asked.map(|(number, (base, asking))| {
        let (server, image) = &base;
        let question = Question {
            kind: "versions",
            about: format!("{server}-{number}"),
            purpose: format!("ask what is newest in `{image}`"),
            script: &script,
        };
        let read = question.cmd(&context.run_id, asking.target);
        let answer = Answer::default();
        let ask = Ask {
            read: read.args(&asking.pins),
            asked: asking.pins,
            patience: PATIENCE,
            answer: answer.clone(),
        };
        let step = Step::work(format!("versions {server}"), ask);
        let step = plan.add(step.undo(question.removal(&context.run_id)));
        (base, Asked { step, answer })
    });
    asked.collect()
}

/// One step for each metadata file.
fn add_updates(plan: &mut Plan, context: &Context, planned: &mut [Planned]) {
    let mut files: BTreeMap<String, (Update, Vec<StepId>)> = BTreeMap::new();
    for one in planned.iter() {
        let Some(asked) = &one.asked else { continue };
        let (update, after) = files.entry(one.extension.name.clone()).or_insert_with(|| {
            let update = Update {
                root: context.root.clone(),
                extension: Arc::clone(&one.extension),
                pins: Vec::new(),
                written: Written::default(),
            };
            (update, Vec::new())
        });
        // Bake may build several images for one server, which have one pin.
        if update.pins.iter().all(|(server, _)| *server != one.server) {
            update.pins.push((one.server.clone(), asked.answer.clone()));
        }
        after.push(asked.step);
    }
    let added = files.into_iter().map(|(name, (update, after))| {
        let written = update.written.clone();
        // What is known is written, whatever has become of the other questions.
        let step = Step::work(format!("update {name}"), update).after_end_of(after);
        plan.add(step);
        (name, written)
    });
    let added: BTreeMap<String, Written> = added.collect();
    for one in planned {
        one.written = added.get(&one.extension.name).cloned();
    }
}

/// An image's pin, with the step that asks what is newest, and the one that writes it.
struct Planned {
    extension: Arc<Extension>,
    server: Server,
    asked: Option<Asked>,
    /// None: nothing is to be written.
    written: Option<Written>,
}

impl Planned {
    fn of(target: &Target, questions: &Bases<Asked>) -> Self {
        let pin = target.extension.pin(&target.server).and_then(asked);
        let question = pin.and_then(|_| questions.get(&base(target)));
        Self {
            extension: Arc::clone(&target.extension),
            server: target.server.clone(),
            asked: question.map(|question| Asked {
                step: question.step,
                answer: question.answer.clone(),
            }),
            written: None,
        }
    }

    fn row(&self) -> Row {
        let pin = self.extension.pin(&self.server);
        let answer = self.asked.as_ref().map(|asked| &asked.answer);
        let compared = answer.and_then(|answer| answer.compared(&self.extension, pin?));
        let newest = compared.as_ref().and_then(Compared::newest);
        let written = self.written.as_ref();
        let is_written = written.is_some_and(|written| written.has(&self.server));
        Row {
            state: State::of(pin, self.asked.is_some(), compared.as_ref(), is_written),
            name: self.extension.name.clone(),
            distro: self.server.distro.clone(),
            pg_major: self.server.major.clone(),
            debian_package: pin.and_then(|pin| pin.package_name().cloned()),
            pinned: pin.map(Pinned::of),
            update_path: newest.and_then(|newest| newest.update_path.clone()),
            sizes: newest.map(|newest| newest.sizes),
            newest: newest.cloned(),
        }
    }
}

fn conclusion(rows: &[Row]) -> String {
    let count = |states: &[State]| {
        rows.iter()
            .filter(|row| states.contains(&row.state))
            .count()
    };
    let behind = count(&[State::Outdated, State::OtherSql]);
    let updated = count(&[State::Updated]);
    let newest = count(&[State::Current, State::Ahead]);
    let from_source = count(&[State::FromSource]);
    let all = behind + updated + newest;
    let said = if updated > 0 {
        format!("{updated} of {all} pins were updated: `cargo xtask bake` builds them")
    } else if behind > 0 {
        format!("{behind} of {all} pins are behind: `--update` writes what is newest")
    } else if all > 0 {
        format!("{newest} of {all} pins are the newest")
    } else if from_source == rows.len() {
        return "nothing here is from the archive: what is built from source is pinned by its checksum, and newer versions are for a person to look for"
            .to_owned();
    } else {
        "no pin can be compared: the archive of their base images has none of the packages"
            .to_owned()
    };
    let rest = [
        (from_source, "built from source, which no archive has"),
        (
            rows.len() - all - from_source,
            "not compared with the archive",
        ),
    ];
    let rest = rest.iter().filter(|(count, _)| all > 0 && *count > 0);
    rest.fold(said, |said, (count, what)| {
        let whose = match count {
            1 => "that of 1 image is".to_owned(),
            many => format!("those of {many} images are"),
        };
        format!("{said}; {whose} {what}")
    })
}
