// SPDX-License-Identifier: Apache-2.0
//! Asks the archive for a new extension's package, in the base image of each server that it is to be built for.

use std::collections::BTreeMap;

use crate::{
    context::Context,
    engine::{Engine, base},
    failure::Failure,
    image::ImageRef,
    plan::{AfterFailure, Plan, Step},
    stage::{
        archive::Question,
        creation::{Draft, Known, Request},
        package::{Answer, Ask, Found, Package, SCRIPT},
    },
    value::Server,
    workspace::Workspace,
};

/// A question in a base image.
struct Asked {
    /// What its archive is for.
    server: Server,
    answer: Answer,
}

/// The draft, as the archive says it. None: the engine was only looked at, and the questions were printed.
pub(super) fn ask(
    context: &mut Context,
    engine: &Engine,
    workspace: &Workspace,
    request: &Request,
) -> anyhow::Result<Option<Draft>> {
    let bases = base::for_servers(context, engine, workspace, &request.servers)?;
    let mut plan = Plan {
        // What one distro has is known without the other.
        after_failure: AfterFailure::KeepGoing,
        ..Plan::default()
    };
    let mut asked: BTreeMap<Server, Asked> = BTreeMap::new();
    for base in bases.values() {
        let (server, _) = base;
        if !asked.contains_key(server) {
            let one = add(&mut plan, context, request, workspace, base);
            asked.insert(server.clone(), one);
        }
    }
    if engine.is_looked_at() {
        plan.note(format!(
            "what these print becomes `{}`: a run writes it when they have ended",
            workspace.shown(&request.name).display()
        ));
        context.print(engine, &plan);
        return Ok(None);
    }
    let report = context.run(&engine.exec, &plan)?;
    context.verdict(&report, "asking the archive")?;
    let known = known(context, request, &bases, &asked)?;
    if known.is_empty() {
        return Err(nowhere(request, asked.values()).into());
    }
    Ok(Some(Draft::known(request, &known, workspace.extensions())?))
}

/// The packages of the servers that are asked for; where another distro's archive has answered, that is said.
fn known<'a>(
    context: &Context,
    request: &Request,
    bases: &BTreeMap<Server, (Server, ImageRef)>,
    asked: &'a BTreeMap<Server, Asked>,
) -> Result<Vec<Known<'a>>, Failure> {
    let mut known = Vec::new();
    for one in asked.values() {
        let Some(package) = found(context, request, one)? else {
            continue;
        };
        let stands_for = |wanted: &&Server| {
            bases
                .get(*wanted)
                .is_some_and(|(server, _)| *server == one.server)
        };
        known.extend(
            request
                .servers
                .iter()
                .filter(stands_for)
                .map(|wanted| Known {
                    server: wanted.clone(),
                    package,
                    of: (one.server != *wanted).then(|| one.server.distro.clone()),
                }),
        );
    }
    for one in &known {
        if let Some(suite) = &one.of {
            context.ui.note(&format!(
                "{}: the version is that of {suite}, whose archive is the one in reach",
                one.server
            ));
        }
    }
    Ok(known)
}

fn add(
    plan: &mut Plan,
    context: &Context,
    request: &Request,
    workspace: &Workspace,
    (server, base): &(Server, ImageRef),
) -> Asked {
    let question = Question {
        kind: "package",
        about: format!("{}-{server}", request.name),
        purpose: format!(
            "ask what `{}` holds in `{base}`",
            request.package.package(&server.major)
        ),
        script: SCRIPT,
    };
    let read = question
        .cmd_in(&context.run_id, base, None)
        .args([&*server.major, &*request.name])
        .arg(&*request.package.package(&server.major))
        .arg("--")
        .args(others(workspace, server));
    let answer = Answer::default();
    let ask = Ask {
        read,
        answer: answer.clone(),
    };
    let step = Step::work(format!("package {server}"), ask);
    plan.add(step.undo(question.removal(&context.run_id)));
    Asked {
        server: server.clone(),
        answer,
    }
}

/// What extensions of the repository create, as `name=package`: a trial needs what it requires of them.
fn others(workspace: &Workspace, server: &Server) -> Vec<String> {
    let mut all = Vec::new();
    for extension in workspace
        .extensions()
        .iter()
        .filter(|one| one.create_extension)
    {
        let packages = extension.package_names(&server.major);
        let names = extension.sql_extensions.iter().map(|one| &one.name);
        for name in std::iter::once(&extension.sql_name).chain(names) {
            all.extend(packages.iter().map(|package| format!("{name}={package}")));
        }
    }
    all
}

/// The package for a server. None: its archive has none, which is said.
fn found<'a>(
    context: &Context,
    request: &Request,
    asked: &'a Asked,
) -> Result<Option<&'a Package>, Failure> {
    let wanted = request.package.package(&asked.server.major);
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
        if request.is_named {
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
fn nowhere<'a>(request: &Request, asked: impl Iterator<Item = &'a Asked>) -> Failure {
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
