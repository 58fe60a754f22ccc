// SPDX-License-Identifier: Apache-2.0
//! `e2e test`: the suites, with values that are there.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    cli::e2e::Test,
    context::{Context, choice},
    environment::{FOLDER, in_use::InUse, survey::Survey},
    extension::Extension,
    failure::Failure,
    image::Image,
    plan::Plan,
    stage::{
        begin,
        environment::check_usable,
        results::{self, Tested},
        suites::{self, Options, Runner, Subject},
        values::image_in,
    },
    verdict::Verdict,
    workspace::{Aim, Selection, Unread, Workspace},
};

pub(super) fn run(args: &Test, context: &mut Context) -> anyhow::Result<()> {
    let place = choice::place(context, &args.cluster)?;
    let workspace = begin::workspace(context)?;
    let (chosen, unread) = if args.rerun_failed {
        (failed_last(&workspace)?, Vec::new())
    } else {
        choose(args, context, &workspace)?
    };
    begin::warn_unread(context, &unread);
    // Without the flag an empty choice was refused.
    if chosen.is_empty() {
        context.ui.conclusion("nothing failed the last time");
        return Ok(());
    }
    let wanted = choice::environment(context, place, choice::release(context, None)?)?;
    let access = wanted.engine_access().or_look(args.dry_run);
    let in_use = InUse::open(context, &wanted, access)?;
    let engine = &in_use.engine;
    let (environment, survey) = if engine.is_looked_at() {
        (wanted, Survey::default())
    } else {
        wanted.existing(context, engine)?
    };
    let runner = Runner::open(context, engine, &environment, Options::from(&args.suites))?;
    if !engine.is_looked_at() {
        check_usable(&environment, &survey, &engine.exec)?;
    }
    let mut plan = Plan::default();
    let mut before = suites::add_leftovers(&mut plan, &environment, &survey);
    before.extend(runner.add_needs(&mut plan, &[]));
    let release = release(survey);
    let mut subjects = Vec::new();
    for one in chosen {
        let subject = Subject {
            image: image_in(&one.values)?.map(Image::Given),
            server: None,
            extension: one.extension,
            name: one.name,
            release: release.clone(),
            values: one.values,
        };
        let suites = runner.add(&mut plan, &subject, &before);
        subjects.push((subject, suites));
    }
    suites::side_by_side(&mut plan, &context.config, subjects.len());
    if engine.is_looked_at() {
        context.print(engine, &plan);
        return Ok(begin::check_read(&unread, subjects.len())?);
    }
    let report = context.run(&engine.exec, &plan)?;
    let mut tested = results::of(&runner, &subjects, &report);
    tested.extend(unread.iter().map(Tested::unread));
    context.proved(args.json, &tested, &Options::from(&args.suites))?;
    context.verdict(&report, "the tests")?;
    begin::check_read(&unread, subjects.len())?;
    context.ui.conclusion(&results::passed(&tested));
    Ok(())
}

/// What is said of the operator that was found: its release, or else its image.
fn release(survey: Survey) -> String {
    let operator = survey.api.and_then(|api| api.operator);
    operator.map_or_else(String::new, |operator| {
        operator.release.unwrap_or(operator.image)
    })
}

/// An extension with the values to test it with, and what tells it from others in this run.
struct Chosen {
    extension: Arc<Extension>,
    name: String,
    values: PathBuf,
}

/// The extensions that were named, with the values in their directories; of all those too that no server can be made with.
fn choose(
    args: &Test,
    context: &Context,
    workspace: &Workspace,
) -> anyhow::Result<(Vec<Chosen>, Vec<Unread>)> {
    let selection = Selection::from(&args.extensions);
    let given = args.values.as_deref().map(|path| context.resolve(path));
    if given.is_some() && !selection.is_one() {
        return Err(Failure::invalid("`--values` is for one extension: name it").into());
    }
    let wanted = workspace.choose(&selection, Aim::Servers)?;
    let chosen = wanted.extensions.into_iter().map(|extension| {
        let own = || workspace.shown(&extension.name).join("values.yaml");
        let values = given.clone().unwrap_or_else(own);
        check_values(&extension.name, &values)?;
        Ok(Chosen {
            name: extension.name.clone(),
            extension,
            values,
        })
    });
    let chosen = chosen.collect::<anyhow::Result<_>>()?;
    Ok((chosen, wanted.unread))
}

/// What did not pass the last time, each of it once.
fn failed_last(workspace: &Workspace) -> anyhow::Result<Vec<Chosen>> {
    let mut chosen: Vec<Chosen> = Vec::new();
    for row in results::last()? {
        let values: &Path = row.values.as_ref();
        if row.result == Verdict::Passed || chosen.iter().any(|one| one.values == values) {
            continue;
        }
        let extension = workspace.select(&Selection::one(&row.extension), Aim::Servers)?;
        check_values(&row.extension, values)?;
        chosen.extend(extension.into_iter().map(|extension| {
            // Several images of one extension are told apart by the files of their values.
            let several = values.starts_with(FOLDER);
            let stem = values.file_stem().unwrap_or_default();
            Chosen {
                name: if several {
                    stem.to_string_lossy().into_owned()
                } else {
                    extension.name.clone()
                },
                extension,
                values: values.to_owned(),
            }
        }));
    }
    Ok(chosen)
}

fn check_values(name: &str, values: &Path) -> Result<(), Failure> {
    if values.to_str().is_none() {
        // It is to stand in the results, which are JSON.
        let path = values.display();
        return Err(
            Failure::invalid(format!("the path of the values `{path}` is not UTF-8"))
                .hint("rename the file"),
        );
    }
    if values.is_file() {
        return Ok(());
    }
    let missing = format!("the values `{}` do not exist", values.display());
    let fix =
        format!("`cargo xtask e2e generate-values {name} --extension-image REFERENCE` writes them");
    Err(Failure::invalid(missing).hint(fix))
}
