// SPDX-License-Identifier: Apache-2.0
//! What bake itself says of the images: its own check, and whether the rules that stand in for it agree with it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    config::{self, Config},
    context::Context,
    dockerfile::Shared,
    engine::{
        Access, Engine, print,
        sources::{Freshness, Sources},
    },
    event::Outcome,
    extension::{Extension, Open},
    failure::{Failure, FailureRecord, Kind},
    finding::{Finding, Severity},
    plan::{AfterFailure, Plan, Step, StepId},
    stage::bake::{self, Changes},
    symptom::PLACEHOLDER,
    target::{Filter, Target},
    tool::buildx::{self, Bake},
    ui::counted,
    workspace::{Selection, Workspace},
};

/// Why bake could not be asked.
fn not_made(failure: Failure) -> Failure {
    let message = format!("bake's own check was not made: {}", failure.message);
    Failure { message, ..failure }.or_hint("`--no-bake` skips it")
}

/// The engine that bake's check is made with.
pub(super) fn open_engine(context: &mut Context) -> anyhow::Result<Engine> {
    if !context.global.sandbox {
        Engine::open(context, Access::Look)?
            .info()
            .map_err(not_made)?;
    }
    Engine::open(context, Access::Work)
}

/// What bake says that it builds of the chosen extensions. None: none of them can be read.
pub(super) fn sources(
    workspace: &Workspace,
    engine: &Engine,
    chosen: &Selection,
    context: &mut Context,
) -> anyhow::Result<Option<Sources>> {
    let extensions = chosen_of(workspace, chosen);
    if extensions.is_empty() {
        return Ok(None);
    }
    let all = Filter::default();
    Sources::prepare(
        context,
        engine,
        workspace.clone(),
        &extensions,
        &all,
        Freshness::Now,
    )
    .map(Some)
}

fn chosen_of(workspace: &Workspace, chosen: &Selection) -> Vec<Arc<Extension>> {
    let extensions = workspace.extensions().iter();
    let extensions = extensions.filter(|extension| chosen.has(&extension.name));
    extensions.cloned().collect()
}

/// Bake's own `--check` for every image.
pub(super) fn check(
    sources: &Sources,
    engine: &Engine,
    shared: &Shared,
    chosen: &Selection,
    context: &mut Context,
    findings: &mut Vec<Finding>,
) -> anyhow::Result<()> {
    let extensions = chosen_of(&sources.workspace, chosen);
    engine.info().map_err(not_made)?;
    let (targets, refused) = sources.matrix.sound(&extensions);
    for (extension, failure) in &refused {
        let file = metadata_of(sources, &extension.name);
        findings.extend(refusal(file, &FailureRecord::from(*failure)));
    }
    compare(context, engine, sources, &extensions, findings)?;
    let (plan, checked) = planned(&targets, sources, shared, &context.config);
    let report = context.run(&engine.exec, &plan)?;
    for (name, id) in checked {
        if let Outcome::Failed(failure) = &report.step(id).outcome {
            findings.extend(refusal(metadata_of(sources, &name), failure));
        }
    }
    context.verdict(&report, "bake's own check")?;
    if refused.is_empty() {
        return Ok(());
    }
    let of = counted(refused.len(), "extension");
    let failure = Failure::failed(format!("bake does not say what it builds of {of}"));
    let is_lacking = |(_, failure): &(_, &Failure)| failure.kind == Kind::Unavailable;
    Err(if refused.iter().any(is_lacking) {
        failure.or_unavailable().into()
    } else {
        failure.into()
    })
}

/// The checks of all targets, and for each extension the step that makes its own.
fn planned(
    targets: &[&Target],
    sources: &Sources,
    shared: &Shared,
    config: &Config,
) -> (Plan, Vec<(String, StepId)>) {
    let mut plan = Plan {
        after_failure: AfterFailure::KeepGoing,
        ..Plan::default()
    };
    let mut checked = Vec::new();
    for call in bake::calls(targets, &sources.workspace, config, &Changes::of(config)) {
        let defined = call.define(&mut plan);
        for (extension, names) in call.extensions() {
            let check = check_of(extension, names, &defined.path, shared, config);
            let step = Step::run(format!("check {}", extension.name), check.cmd());
            checked.push((extension.name.clone(), plan.add(step.after([defined.step]))));
        }
    }
    (plan, checked)
}

fn metadata_of(sources: &Sources, name: &str) -> PathBuf {
    sources.workspace.shown(name).join("metadata.hcl")
}

/// In a repository of the default layout: what bake builds otherwise than the rules say that stand in where it cannot be
/// asked.
fn compare(
    context: &Context,
    engine: &Engine,
    sources: &Sources,
    extensions: &[Arc<Extension>],
    findings: &mut Vec<Finding>,
) -> Result<(), Failure> {
    if !context.config.is_default(config::PATHS_BAKE_FILE) {
        return Ok(());
    }
    let printed = print::matrix(context, engine, &sources.workspace, extensions)?;
    for extension in extensions {
        let different = printed.differences(extension, &context.config)?;
        findings.extend(different.into_iter().map(|message| Finding {
            file: extension.metadata_file.clone(),
            line: None,
            severity: Severity::Warning,
            message,
        }));
    }
    Ok(())
}

/// The call of bake that checks an extension. Without an override of the output, index annotations refuse the single
/// platform that a check builds.
fn check_of(
    extension: &Extension,
    targets: Vec<String>,
    definitions: &Path,
    shared: &Shared,
    config: &Config,
) -> Bake {
    // Nothing is exported, so nothing needs the scanner's image, which bake would look up.
    let mut set = vec![
        "*.output=type=cacheonly".to_owned(),
        "*.attest=type=sbom,disabled=true".to_owned(),
    ];
    if shared.archive && shared.dockerfile_of(extension).is_none() {
        // A check does not follow a context to another target: docker/buildx#3343. Nothing of it is read.
        set.push("*.contexts.archive=docker-image://scratch".to_owned());
    }
    Bake {
        purpose: format!("check how `{}` would be baked", extension.name),
        files: vec![definitions.to_owned()],
        targets,
        builder: config.builder().map(str::to_owned),
        variables: buildx::may_read(config),
        set,
        check: true,
        ..Bake::default()
    }
}

/// A check that has failed, as a finding of the file that it was made for; none when it was interrupted.
fn refusal(file: PathBuf, failure: &FailureRecord) -> Option<Finding> {
    (failure.kind != Kind::Interrupted).then(|| refused(file, failure))
}

fn refused(file: PathBuf, failure: &FailureRecord) -> Finding {
    let command = failure.command.as_ref();
    let cause = command.and_then(|command| command.first_error.clone());
    let cause = cause.or_else(|| warned(&command?.tail));
    let cause = cause.unwrap_or_else(|| failure.message.clone());
    let mut message = format!("bake refuses it: {cause}");
    if let Some(hint) = &failure.hint {
        message += &format!("; {hint}");
    }
    Finding {
        file,
        line: None,
        severity: Severity::Error,
        message,
    }
}

/// What a check has warned of, with the place: the two lines above a line of dashes, under which the Dockerfile is shown.
fn warned(lines: &[String]) -> Option<String> {
    let is_place = |line: &str| {
        let number = line.rsplit_once(':').map(|(_, number)| number);
        number.is_some_and(|number| number.parse::<usize>().is_ok())
    };
    lines.windows(3).find_map(|lines| match lines {
        [what, place, dashes] if is_place(place) && dashes.starts_with("-----") => {
            Some(format!("{what} ({place})"))
        }
        _ => None,
    })
}

/// Metadata that bake has not evaluated: it has refused it, or was not asked.
pub(super) fn unread(open: &Open, why: &Failure, shared: &Shared) -> Finding {
    let file = open.metadata_file.clone();
    if let Some(line) = open.unescaped().filter(|_| !shared.image_root) {
        return Finding {
            file,
            line: Some(line),
            severity: Severity::Error,
            message: format!("`${{image_root}}` is no variable of the bake file: {PLACEHOLDER}"),
        };
    }
    match why.kind {
        Kind::Failed | Kind::Invalid => refused(file, &FailureRecord::from(why)),
        Kind::Unavailable | Kind::Interrupted => Finding {
            file,
            line: None,
            severity: Severity::Warning,
            message: format!("not checked: {}", why.message),
        },
    }
}
