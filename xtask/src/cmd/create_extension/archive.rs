// SPDX-License-Identifier: Apache-2.0
//! Asks the archive for a new extension's package, in the base image of each server that it is to be built for.

use super::Questions;
use crate::{
    context::Context,
    engine::Engine,
    failure::Failure,
    image::ImageRef,
    plan::{Plan, Step},
    stage::{
        archive::Question,
        creation::{Asked, Bases, Draft, Request, say_stand_ins},
        package::{Answer, Ask, Found, Package, SCRIPT},
    },
    value::{PackagePattern, Server},
    workspace::Workspace,
};

/// The package that is asked for.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub request: &'a Request,
    pub package: &'a PackagePattern,
    /// It was named, and no other will do.
    pub is_named: bool,
}

/// The draft, as the archive says it. None: the engine was only looked at, and the questions were printed.
pub(super) fn ask(
    context: &mut Context,
    engine: &Engine,
    workspace: &Workspace,
    wanted: Wanted<'_>,
) -> anyhow::Result<Option<Draft>> {
    let request = wanted.request;
    let bases = Bases::of(context, engine, workspace, request)?;
    let questions = Questions {
        engine,
        workspace,
        request,
        bases: &bases,
        purpose: "asking the archive",
    };
    let add = |plan: &mut Plan, context: &Context, others: &[String], of: (&Server, &ImageRef)| {
        add(plan, context, wanted, others, of)
    };
    let Some(asked) = questions.ask(context, add)? else {
        return Ok(None);
    };
    let mut known = Vec::new();
    for one in &asked {
        if let Some(package) = found(context, wanted, one)? {
            known.extend(bases.known(request, one, package));
        }
    }
    say_stand_ins(context, &known, |suite| {
        format!("the version is that of {suite}, whose archive is the one in reach")
    });
    if known.is_empty() {
        return Err(nowhere(wanted, &asked).into());
    }
    Ok(Some(Draft::known(request, &known, workspace.extensions())?))
}

/// Plans the question in a base image.
fn add(
    plan: &mut Plan,
    context: &Context,
    wanted: Wanted<'_>,
    others: &[String],
    (server, base): (&Server, &ImageRef),
) -> Answer {
    let name = &wanted.request.name;
    let package = wanted.package.package(&server.major);
    let question = Question {
        kind: "package",
        about: format!("{name}-{server}"),
        purpose: format!("ask what `{package}` holds in `{base}`"),
        script: SCRIPT,
    };
    let read = question
        .cmd_in(&context.run_id, base, None)
        .args([&*server.major, &**name])
        .arg(&*package)
        .arg("--")
        .args(others);
    let answer = Answer::default();
    let ask = Ask {
        read,
        answer: answer.clone(),
    };
    let step = Step::work(format!("package {server}"), ask);
    plan.add(step.undo(question.removal(&context.run_id)));
    answer
}

/// The package for a server. None: its archive has none, which is said.
fn found<'a>(
    context: &Context,
    wanted: Wanted<'_>,
    asked: &'a Asked,
) -> Result<Option<&'a Package>, Failure> {
    let Wanted {
        request, is_named, ..
    } = wanted;
    let wanted = wanted.package.package(&asked.server.major);
    let package = match asked.answer.get() {
        Some(Found::Package(package)) => package,
        Some(Found::Owners(_)) | None => {
            context.ui.warning(&format!(
                "{} is left out: its archive has no `{wanted}`",
                asked.server
            ));
            return Ok(None);
        }
    };
    let name = package.packages.first().map(|(name, _)| name);
    if let Some(name) = name.filter(|name| **name != wanted) {
        if is_named {
            return Err(Failure::invalid(format!(
                "the archive of {} has no `{wanted}`",
                asked.server
            ))
            .hint(format!(
                "`{name}` has a control file of `{}`: `--package {}`",
                request.name,
                name.replace(&format!("-{}", asked.server.major), "-{pg}")
            )));
        }
        context.ui.note(&format!(
            "there is no `{wanted}`; `{name}` has the control file of `{}`, and is taken (`--package` names another)",
            request.name
        ));
    }
    Ok(Some(package))
}

/// No archive has it.
fn nowhere(wanted: Wanted<'_>, asked: &[Asked]) -> Failure {
    let request = wanted.request;
    let mut owners = Vec::new();
    let mut servers = Vec::new();
    for one in asked {
        servers.push(one.server.to_string());
        if let Some(Found::Owners(names)) = one.answer.get() {
            owners.extend(names.iter().map(ToString::to_string));
        }
    }
    owners.sort();
    owners.dedup();
    let failure = Failure::invalid(format!(
        "no package for `{}` in the archive of {}",
        request.name,
        servers.join(", ")
    ));
    if owners.is_empty() {
        return failure.hint(format!(
            "no package there has a control file of that name either; `--package` names one, and without `--from-archive` the directory is made without facts of `{}`",
            request.name
        ));
    }
    let list = owners
        .iter()
        .map(|name| format!("`{name}` has a control file of it"));
    list.fold(failure, Failure::detail)
        .hint("name one of them with `--package`")
}
