// SPDX-License-Identifier: Apache-2.0
//! Compiles the source of a new extension in the base image of each server that it is to be built for, and asks what has come of it.

use super::Questions;
use crate::{
    context::Context,
    engine::Engine,
    failure::Failure,
    image::ImageRef,
    plan::{Action, Location, Plan, Step},
    stage::{
        creation::{ANSWER, Asked, Bases, Draft, Known, Request, Source, say_stand_ins},
        package::{Answer, Found, Package, Read},
    },
    tool::buildx,
    value::{Digest, Licence, Server},
    workspace::Workspace,
};

/// Where answers are copied to, below `target/xtask`.
const PLACE: &str = "target/xtask/compiled";

/// The draft, as what was built says it. None: the engine was only looked at, and the builds were printed.
pub(super) fn ask(
    context: &mut Context,
    engine: &Engine,
    workspace: &Workspace,
    (request, source): (&Request, &Source),
) -> anyhow::Result<Option<Draft>> {
    let bases = Bases::of(context, engine, workspace, request)?;
    let questions = Questions {
        engine,
        workspace,
        request,
        bases: &bases,
        purpose: "compiling it",
    };
    let add = |plan: &mut Plan, context: &Context, others: &[String], of: (&Server, &ImageRef)| {
        add(plan, context, (request, source), others, of)
    };
    let Some(asked) = questions.ask(context, add)? else {
        return Ok(None);
    };
    let mut built = Vec::new();
    for one in &asked {
        built.push((one, self::built(source, one)?));
    }
    let checksum = checksum(source, &built)?;
    if source.checksum.is_none() {
        context.ui.note(&format!(
            "the checksum is that of what is at `{}` now: {checksum}; compare it with what its makers say, if they do",
            source.url
        ));
    }
    let known: Vec<Known<'_>> = built
        .iter()
        .flat_map(|(asked, package)| bases.known(request, asked, package))
        .collect();
    say_stand_ins(context, &known, |suite| {
        format!("compiled and tried on {suite}, whose base image is the one in reach")
    });
    let mut draft = Draft::known(request, &known, workspace.extensions())?;
    let own = built
        .first()
        .and_then(|(_, package)| package.licences.first());
    draft.source = Some(Source {
        checksum: Some(checksum),
        licence: own.filter(|text| text.parse::<Licence>().is_ok()).cloned(),
        ..source.clone()
    });
    // The source is the same for all distros.
    draft.pins.values_mut().for_each(|pin| pin.of = None);
    Ok(Some(draft))
}

/// Plans the build in a base image, and reads what it leaves.
fn add(
    plan: &mut Plan,
    context: &Context,
    (request, source): (&Request, &Source),
    others: &[String],
    (server, base): (&Server, &ImageRef),
) -> Answer {
    let folder = Location::output(format!("{PLACE}/{}-{server}", request.name));
    let words = [&*server.major, &*request.name, "--"].map(str::to_owned);
    let words = [&words[..], others].concat();
    let version = source.version().map(|version| version.to_string());
    let mut args = vec![("PG_MAJOR", server.major.to_string())];
    args.extend(version.map(|version| ("EXT_VERSION", version)));
    let build = buildx::into_folder_cmd(
        &format!("compile `{}` in `{base}`", request.name),
        source.question(&request.name, &base.to_string(), &words),
        &args,
        &context.config,
        &folder,
    );
    let cleared = Step::new(
        format!("clear {server}"),
        Action::RemoveFolder(folder.clone()),
    );
    let cleared = plan.add(cleared.quiet());
    let compile = Step::run(format!("compile {server}"), build);
    let compiled = plan.add(compile.after([cleared]));
    let answer = Answer::default();
    let read = Read {
        folder: folder.clone(),
        file: ANSWER,
        answer: answer.clone(),
    };
    let read = Step::work(format!("read {server}"), read);
    let read = plan.add(read.quiet().after([compiled]));
    let removed = Step::new(format!("remove {server}"), Action::RemoveFolder(folder));
    plan.add(removed.quiet().after_end_of([read]));
    answer
}

/// What was built for a server, of a version that is known.
fn built(source: &Source, asked: &Asked) -> Result<Package, Failure> {
    let Some(Found::Package(package)) = asked.answer.get() else {
        return Err(Failure::failed(format!(
            "what was built for {} has not said what it is",
            asked.server
        )));
    };
    let mut package = (**package).clone();
    package.release = source.version().or(package.release);
    if package.release.is_none() {
        return Err(Failure::invalid(format!(
            "of what version the source is, neither its address says nor a control file: `{}`",
            source.url
        ))
        .hint("name an archive with its version in its name, like `x-1.0.tar.gz`"));
    }
    Ok(package)
}

/// The checksum of the archive, which is the same wherever it was compiled.
fn checksum(source: &Source, built: &[(&Asked, Package)]) -> Result<Digest, Failure> {
    let mut all = built
        .iter()
        .filter_map(|(_, package)| package.checksum.clone());
    let first = all.next().or_else(|| source.checksum.clone());
    let first = first.ok_or_else(|| Failure::failed("the archive's checksum is not known"))?;
    match all.find(|other| *other != first) {
        Some(other) => Err(Failure::failed(format!(
            "`{}` is not the same each time it is asked for: {first}, {other}",
            source.url
        ))
        .hint("name an archive that stays as it is: one of a tag or a release")),
        None => Ok(first),
    }
}
