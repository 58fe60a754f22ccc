// SPDX-License-Identifier: Apache-2.0
//! `update-os-libs`: the lists of the system libraries that come with an extension's packages, as the archive has them
//! now. A list that changes in a repository is why its images are built again.

mod list;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Serialize;

use self::list::{Compared, List, Purpose};
use crate::{
    cli,
    context::Context,
    engine::Access,
    extension::{Extension, Origin},
    failure::Failure,
    plan::{AfterFailure, Location, Plan, Step, StepId},
    run::Report,
    stage::{archive::Question, begin::Begun},
    target::{Filter, Target},
    tool::apt,
    ui,
    value::{Major, PackageName, PackagePattern, Server, Suite},
    verdict::Verdict,
    workspace::{Aim, Selection},
};

pub(super) fn run(args: &cli::UpdateOsLibs, context: &mut Context) -> anyhow::Result<()> {
    let selection = Selection::from(&args.extensions);
    let filter = Filter::from(&args.filters);
    let begun = Begun::open(
        context,
        &selection,
        Aim::Images,
        &filter,
        Access::Work.or_look(args.dry_run),
    )?;
    let targets = begun.targets(&filter, context)?;
    let chosen: Vec<&Target> = targets.chosen().collect();
    refuse_without_lists(&selection, &chosen)?;
    let purpose = if args.check {
        Purpose::Compare
    } else {
        Purpose::Write
    };
    let mut plan = Plan {
        after_failure: match purpose {
            // Each list that is out of date is to be seen.
            Purpose::Compare => AfterFailure::KeepGoing,
            Purpose::Write => args.running.after_failure(&selection),
        },
        ..Plan::default()
    };
    let mut lists = Vec::new();
    for target in chosen {
        // Bake may build several images for one server, which have one list.
        let is_planned = lists.iter().any(|list: &Planned| list.is_of(target));
        if target.is_built() && target.extension.auto_update_os_libs && !is_planned {
            let folder = begun.sources.workspace.shown(&target.extension.name);
            lists.push(Planned::add(&mut plan, context, target, &folder, purpose)?);
        }
    }
    if begun.engine.is_looked_at() {
        context.print(&begun.engine, &plan);
        return Ok(begun.check_read()?);
    }
    let report = context.run(&begun.engine.exec, &plan)?;
    let rows: Vec<Row> = lists.iter().map(|list| list.row(&report)).collect();
    context.rows(args.json, &rows)?;
    context.verdict(&report, "updating the lists of system libraries")?;
    begun.check_read()?;
    context.ui.conclusion(&conclusion(&rows));
    Ok(())
}

/// A named extension is to have such lists.
fn refuse_without_lists(selection: &Selection, chosen: &[&Target]) -> Result<(), Failure> {
    let without = |name: &&String| {
        chosen
            .iter()
            .any(|target| target.extension.name == **name && !target.extension.auto_update_os_libs)
    };
    match selection.names().iter().find(without) {
        None => Ok(()),
        Some(name) => Err(Failure::invalid(format!(
            "`{name}` keeps no list of system libraries: `auto_update_os_libs` is false in its metadata.hcl"
        ))
        .hint("`cargo xtask targets --os-libs` names those that do")),
    }
}

/// A list with the step that looks after it.
struct Planned {
    extension: Arc<Extension>,
    server: Server,
    path: PathBuf,
    compared: Compared,
    step: StepId,
}

impl Planned {
    /// Asks apt in the target's base image, where the packages of an image are installed when it is built.
    fn add(
        plan: &mut Plan,
        context: &Context,
        target: &Target,
        folder: &Path,
        purpose: Purpose,
    ) -> Result<Self, Failure> {
        let extension = Arc::clone(&target.extension);
        let server = target.server.clone();
        let path = folder
            .join("system-libs")
            .join(format!("{server}-os-libs.txt"));
        let packages = packages(&extension, &server)?;
        let question = Question {
            kind: "libraries",
            about: format!("{}-{server}", extension.name),
            purpose: format!("ask what `{}` would download", target.title()),
            script: apt::WOULD_DOWNLOAD,
        };
        let read = question.cmd(&context.run_id, target).args(&packages);
        let compared = Compared::default();
        let list = List {
            read,
            packages,
            root: context.root.clone(),
            file: Location::Repository(path.clone()),
            purpose,
            compared: compared.clone(),
        };
        let step = Step::work(format!("libraries {}", target.title()), list);
        let step = step.undo(question.removal(&context.run_id));
        Ok(Self {
            extension,
            server,
            path,
            compared,
            step: plan.add(step),
        })
    }

    fn is_of(&self, target: &Target) -> bool {
        self.extension.name == target.extension.name && self.server == target.server
    }

    fn row(&self, report: &Report) -> Row {
        let compared = self.compared.get();
        let of =
            |lines: fn(&list::Difference) -> Vec<String>| compared.map(lines).unwrap_or_default();
        Row {
            result: report.step(self.step).outcome.verdict(),
            name: self.extension.name.clone(),
            distro: self.server.distro.clone(),
            pg_major: self.server.major.clone(),
            file: self.path.display().to_string(),
            libraries: compared.map(|found| found.now.len()),
            changed: compared.map(list::Difference::is_one),
            added: of(list::Difference::added),
            removed: of(list::Difference::removed),
        }
    }
}

/// What is installed in an image for a server. The name that old repositories leave out is the one that Debian's
/// packages of extensions have.
fn packages(extension: &Extension, server: &Server) -> Result<Vec<PackageName>, Failure> {
    if !extension.packages.is_empty() {
        let packages = extension.packages.iter();
        return Ok(packages.map(|one| one.package(&server.major)).collect());
    }
    match extension.pin(server).map(|pin| &pin.origin) {
        Some(Origin::Archive(name)) => return Ok(vec![name.clone()]),
        Some(Origin::Elsewhere) => {
            return Err(Failure::invalid(format!(
                "`{}` is made of no Debian package: its Dockerfile says which libraries come along",
                extension.name
            )));
        }
        Some(Origin::Unsaid) | None => {}
    }
    let usual = format!("postgresql-{{pg}}-{}", extension.name.replace('_', "-"));
    let pattern: PackagePattern = usual.parse().map_err(|_| {
        Failure::invalid(format!("no package of `{}` is known", extension.name))
            .hint("name it in `packages` of metadata.hcl")
    })?;
    Ok(vec![pattern.package(&server.major)])
}

fn conclusion(rows: &[Row]) -> String {
    let changed = rows.iter().filter(|row| row.changed == Some(true)).count();
    match (rows.len(), changed) {
        (0, _) => "no extension keeps a list of system libraries".to_owned(),
        (1, 0) => "the list is up to date".to_owned(),
        (all, 0) => format!("all {all} lists are up to date"),
        (all, changed) => format!("{changed} of {all} lists changed"),
    }
}

/// A list, and what has become of it.
#[derive(Serialize)]
struct Row {
    result: Verdict,
    name: String,
    distro: Suite,
    pg_major: Major,
    file: String,
    libraries: Option<usize>,
    changed: Option<bool>,
    added: Vec<String>,
    removed: Vec<String>,
}

impl ui::Row for Row {
    const HEADINGS: &'static [&'static str] = &["RESULT", "LIST", "LIBRARIES", "CHANGE"];

    fn cells(&self) -> Vec<String> {
        let change = match self.changed {
            None => "-".to_owned(),
            Some(false) => "unchanged".to_owned(),
            Some(true) => format!("+{} -{}", self.added.len(), self.removed.len()),
        };
        let libraries = self.libraries.map(|count| count.to_string());
        vec![
            self.result.word().to_owned(),
            self.file.clone(),
            libraries.unwrap_or_else(|| "-".to_owned()),
            change,
        ]
    }
}
