// SPDX-License-Identifier: Apache-2.0
//! `e2e test`: the suites, with values that are there.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    results,
    suite::{self, Runner, Subject},
};
use crate::{
    cli::e2e::Test,
    context::{Context, choice},
    environment::{FOLDER, api::Api, in_use::InUse, survey::Survey},
    exec::Real,
    extension::Extension,
    failure::Failure,
    own::source,
    plan::Plan,
    verdict::Verdict,
    workspace::Workspace,
};

pub(super) fn run(args: &Test, context: &mut Context) -> anyhow::Result<()> {
    let place = choice::place(context, &args.cluster)?;
    let workspace = context.workspace()?;
    let chosen = if args.rerun_failed {
        failed_last(&workspace)?
    } else {
        choose(args, context, &workspace)?
    };
    // Without the flag an empty choice was refused.
    if chosen.is_empty() {
        context.ui.conclusion("nothing failed the last time");
        return Ok(());
    }
    let wanted = choice::environment(context, place, choice::release(context, None)?)?;
    let in_use = InUse::open(context, &wanted, args.dry_run)?;
    let (environment, survey) = if args.dry_run {
        (wanted, Survey::default())
    } else {
        wanted.existing(context, &in_use.engine)?
    };
    let mut plan = Plan::default();
    let runner = Runner::new(context, &environment, &args.suites, args.dry_run)?;
    if !args.dry_run {
        reachable(&runner, survey.api.as_ref(), &in_use.engine.exec)?;
    }
    let mut before = suite::add_leftovers(&mut plan, &environment, &survey);
    before.push(runner.add_folder(&mut plan));
    plan.limits
        .push((suite::POOL, suite::limit(context, args.running.jobs)));
    let release = survey
        .api
        .and_then(|api| api.operator)
        .map_or_else(String::new, |operator| {
            operator.release.unwrap_or(operator.image)
        });
    let mut subjects = Vec::new();
    for one in chosen {
        let subject = Subject {
            image: image_in(&one.values)?,
            extension: one.extension,
            name: one.name,
            release: release.clone(),
            values: one.values,
        };
        let suites = runner.add(&mut plan, &subject, &before);
        subjects.push((subject, suites));
    }
    if args.dry_run {
        crate::cmd::bake::print(context, &in_use.engine, &plan);
        return Ok(());
    }
    let report = context.run(&in_use.engine.exec, &plan, Some(jobs(&subjects)), true)?;
    let passed = results::show(context, &subjects, &report, args.json)?;
    context.verdict(&report, "the tests")?;
    context
        .ui
        .conclusion(&format!("{passed} of {} passed", subjects.len()));
    Ok(())
}

/// Threads: the pool bounds the suites, and small steps must not wait for them.
pub(super) fn jobs<T>(subjects: &[T]) -> u32 {
    u32::try_from(subjects.len())
        .unwrap_or(u32::MAX)
        .saturating_add(8)
}

/// An extension with the values to test it with, and what tells it from others in this run.
struct Chosen {
    extension: Arc<Extension>,
    name: String,
    values: PathBuf,
}

/// The extensions that were named, with the values in their directories.
fn choose(args: &Test, context: &Context, workspace: &Workspace) -> anyhow::Result<Vec<Chosen>> {
    let names = args.selection.names();
    let given = args.values.as_deref().map(|path| context.resolve(path));
    if given.is_some() && names.len() != 1 {
        return Err(Failure::invalid("`--values` is for one extension: name it").into());
    }
    let extensions = workspace.select(&names, args.selection.all)?;
    let chosen = extensions.into_iter().map(|extension| {
        let own = || workspace.shown(&extension.name).join("values.yaml");
        let values = given.clone().unwrap_or_else(own);
        check_values(&extension.name, &values)?;
        Ok(Chosen {
            name: extension.name.clone(),
            extension,
            values,
        })
    });
    chosen.collect()
}

/// What did not pass the last time, each of it once.
fn failed_last(workspace: &Workspace) -> anyhow::Result<Vec<Chosen>> {
    let mut chosen: Vec<Chosen> = Vec::new();
    for row in results::last()? {
        if row.result == Verdict::Passed || chosen.iter().any(|one| one.values == row.values) {
            continue;
        }
        check_values(&row.extension, &row.values)?;
        let extension = workspace.select(std::slice::from_ref(&row.extension), false)?;
        chosen.extend(extension.into_iter().map(|extension| {
            // Several images of one extension are told apart by the files of their values.
            let several = row.values.starts_with(FOLDER);
            let stem = row.values.file_stem().unwrap_or_default();
            Chosen {
                name: if several {
                    stem.to_string_lossy().into_owned()
                } else {
                    extension.name.clone()
                },
                extension,
                values: row.values.clone(),
            }
        }));
    }
    Ok(chosen)
}

fn check_values(name: &str, values: &Path) -> Result<(), Failure> {
    if values.is_file() {
        return Ok(());
    }
    let missing = format!("the values `{}` are not there", values.display());
    let fix =
        format!("`cargo xtask e2e generate-values {name} --extension-image REFERENCE` writes them");
    Err(Failure::invalid(missing).hint(fix))
}

/// The cluster must answer and have an operator.
pub(super) fn reachable(runner: &Runner, api: Option<&Api>, exec: &Real) -> Result<(), Failure> {
    let Some(api) = api else {
        if runner.node.is_some() && !runner.access.kubeconfig.is_file() {
            return Err(Failure::unavailable("there is no cluster").hint(
                "`cargo xtask e2e setup-env` makes one; `--kubeconfig FILE` uses another one",
            ));
        }
        // The failure says why it does not answer.
        return Api::survey(&runner.access, exec)
            .and_then(|api| reachable(runner, Some(&api), exec));
    };
    match &api.operator {
        None => Err(
            Failure::unavailable("the cluster has no CloudNativePG operator")
                .hint("`cargo xtask e2e setup-env` installs it"),
        ),
        Some(operator) if !operator.available => {
            Err(Failure::unavailable("the operator is not available")
                .hint("`cargo xtask e2e setup-env` mends it"))
        }
        Some(_) => Ok(()),
    }
}

/// The image under test, as the values name it: the first `reference` in them.
pub(super) fn image_in(values: &Path) -> anyhow::Result<String> {
    let text = source::read_named(values)?.unwrap_or_default();
    let mut lines = text
        .lines()
        .map(|line| line.trim().trim_start_matches("- "));
    let found = lines.find_map(|line| line.split_once("reference:").map(|(_, value)| value));
    Ok(found
        .unwrap_or_default()
        .trim_matches(|c: char| c.is_whitespace() || "'\"}".contains(c))
        .to_owned())
}
