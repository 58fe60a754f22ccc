// SPDX-License-Identifier: Apache-2.0
//! `e2e test`: the suites, with values that are there.

use std::path::PathBuf;

use super::{
    choose_cluster, existing, results,
    suite::{self, Runner, Subject},
};
use crate::{
    cli::e2e::Test, context::Context, environment::world::Api, extension::Extension,
    failure::Failure, plan::Plan,
};

pub(super) fn run(args: &Test, context: &mut Context) -> anyhow::Result<()> {
    choose_cluster(context, &args.cluster)?;
    let workspace = context.workspace()?;
    let mut chosen: Vec<(Extension, PathBuf)> = Vec::new();
    let given = args.values.as_deref().map(|path| context.resolve(path));
    if args.rerun_failed {
        for row in results::last()?
            .into_iter()
            .filter(|row| row.result != "passed")
        {
            let found = workspace.select(std::slice::from_ref(&row.extension), false)?;
            chosen.extend(
                found
                    .into_iter()
                    .map(|extension| (extension, row.values.clone())),
            );
        }
        chosen.dedup_by(|a, b| a.0.name == b.0.name && a.1 == b.1);
        if chosen.is_empty() {
            context.ui.conclusion("nothing failed the last time");
            return Ok(());
        }
    } else {
        let names = args.selection.names();
        if given.is_some() && names.len() != 1 {
            return Err(Failure::invalid("`--values` is for one extension: name it").into());
        }
        for extension in workspace.select(&names, args.selection.all)? {
            let values = given
                .clone()
                .unwrap_or_else(|| workspace.shown(&extension.name).join("values.yaml"));
            chosen.push((extension, values));
        }
    }
    check_values(&chosen)?;
    let sandbox = context.enter(args.dry_run)?;
    let _turn = context.turn(sandbox.as_ref(), args.dry_run)?;
    let (environment, world) = if args.dry_run {
        (
            super::environment(context)?,
            crate::environment::world::World::default(),
        )
    } else {
        existing(context)?
    };
    let mut plan = Plan::default();
    let runner = Runner::new(context, &environment, &args.suites, args.dry_run)?;
    if !args.dry_run {
        reachable(&runner, world.api.as_ref(), context)?;
    }
    let mut before = suite::add_leftovers(&mut plan, &environment, &world);
    before.push(runner.add_folder(&mut plan));
    plan.limits
        .push((suite::POOL, suite::limit(context, args.running.jobs)));
    let release = world
        .api
        .and_then(|api| api.operator)
        .map_or_else(String::new, |operator| {
            operator.release.unwrap_or(operator.image)
        });
    let mut subjects = Vec::new();
    for (extension, values) in chosen {
        let image = if args.dry_run {
            String::new()
        } else {
            image_in(&values)?
        };
        let name = if given.is_some() || !args.rerun_failed {
            extension.name.clone()
        } else {
            values
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned()
        };
        let subject = Subject {
            extension,
            name,
            image,
            release: release.clone(),
            values,
        };
        let suites = runner.add(&mut plan, &subject, &before);
        subjects.push((subject, suites));
    }
    if args.dry_run {
        crate::cmd::bake::print_plan(context, sandbox.as_ref(), &plan);
        return Ok(());
    }
    let report = context.run(&plan, Some(jobs(&subjects)), true)?;
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

fn check_values(chosen: &[(Extension, PathBuf)]) -> Result<(), Failure> {
    for (extension, values) in chosen {
        if !values.is_file() {
            return Err(Failure::invalid(format!(
                "the values `{}` are not there",
                values.display()
            ))
            .hint(format!(
                "`cargo xtask e2e generate-values {} --extension-image REFERENCE` writes them",
                extension.name
            )));
        }
    }
    Ok(())
}

/// The cluster must answer and have an operator.
pub(super) fn reachable(
    runner: &Runner,
    api: Option<&Api>,
    context: &Context,
) -> Result<(), Failure> {
    let Some(api) = api else {
        // The failure says why it does not answer.
        return Api::survey(&runner.access, &context.exec)
            .and_then(|api| reachable(runner, Some(&api), context));
    };
    if context.exec.finds("chainsaw").is_none() {
        return Err(crate::tool::missing("chainsaw"));
    }
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
pub(super) fn image_in(values: &std::path::Path) -> anyhow::Result<String> {
    let text = fs_err::read_to_string(values)?;
    let mut lines = text
        .lines()
        .map(|line| line.trim().trim_start_matches("- "));
    let found = lines.find_map(|line| line.split_once("reference:").map(|(_, value)| value));
    Ok(found
        .unwrap_or_default()
        .trim_matches(|c: char| c.is_whitespace() || "'\"}".contains(c))
        .to_owned())
}
