// SPDX-License-Identifier: Apache-2.0
//! `e2e`: images in CloudNativePG, on a kind cluster or an existing one. Beside the way to its commands, what they
//! say in the same words.

mod cleanup;
mod export_kubeconfig;
mod generate_values;
mod psql;
mod setup_env;
mod status;
mod test;
mod test_full;
mod upgrade;

use std::{path::PathBuf, time::Duration};

use crate::{
    cli::e2e::{self as cli, E2eCommand},
    config,
    context::Context,
    engine::Engine,
    environment::{Environment, Place},
    failure::Failure,
    plan::shell,
    run::Report,
    stage::{
        environment,
        results::{self, Tested},
        suites::{Runner, Subject, SuiteSteps},
    },
    ui::{Row, seconds},
    verdict::Verdict,
};

pub(super) fn run(command: E2eCommand, context: &mut Context) -> anyhow::Result<u8> {
    match command {
        E2eCommand::SetupEnv(args) => setup_env::run(&args, context)?,
        E2eCommand::ExportKubeconfig(args) => export_kubeconfig::run(&args, context)?,
        E2eCommand::GenerateValues(args) => generate_values::run(&args, context)?,
        E2eCommand::Test(args) => test::run(&args, context)?,
        E2eCommand::TestFull(args) => test_full::run(&args, context)?,
        E2eCommand::UpgradeTest(args) => upgrade::run(&args, context)?,
        E2eCommand::Status(args) => return status::run(&args, context),
        E2eCommand::Psql(args) => return psql::run(&args, context),
        E2eCommand::Cleanup(args) => cleanup::run(&args, context)?,
    }
    Ok(0)
}

/// The one extension that was named.
fn one<'a>(targets: &'a [String], more: &'a [String]) -> Result<&'a str, Failure> {
    let mut names = targets.iter().chain(more);
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(name.trim_end_matches('/')),
        (None, _) => {
            Err(Failure::invalid("which extension?")
                .hint("name one: `cargo xtask targets` lists them"))
        }
        _ => Err(Failure::invalid("one extension at a time")),
    }
}

/// How suites are run, as the flags say; a dry run makes no folder for their reports.
fn runner(
    context: &mut Context,
    environment: &Environment,
    args: &cli::SuiteOptions,
    dry_run: bool,
) -> anyhow::Result<Runner> {
    let reports = if dry_run {
        PathBuf::from("target/xtask/e2e/reports")
    } else {
        context.run_folder()?.join("reports")
    };
    let runner = Runner::new(environment, &context.config, &context.root, reports)?;
    let mut runner = runner.with_flags(&args.flags);
    runner.skip_delete |= args.skip_delete;
    Ok(runner)
}

/// Shows what became of the suites.
fn show(
    context: &mut Context,
    subjects: &[(Subject, SuiteSteps)],
    report: &Report,
    json: bool,
) -> anyhow::Result<()> {
    let tested = results::of(subjects, report);
    context.rows(json, &tested);
    results::note(&context.run_folder()?)?;
    context.verdict(report, "the tests")?;
    let passed = tested.iter().filter(|row| row.result == Verdict::Passed);
    let (passed, all) = (passed.count(), tested.len());
    context.ui.conclusion(&format!("{passed} of {all} passed"));
    Ok(())
}

impl Row for Tested {
    const HEADINGS: &'static [&'static str] = &[
        "RESULT",
        "EXTENSION",
        "IMAGE",
        "CNPG",
        "SHARED",
        "OWN",
        "TIME",
    ];

    fn cells(&self) -> Vec<String> {
        let result = self.result.word();
        vec![
            match self.retried {
                None => result.to_owned(),
                Some(_) => format!("{result} (retried)"),
            },
            self.extension.clone(),
            short(&self.image),
            self.cnpg_release.clone(),
            self.shared.word().to_owned(),
            self.own.word().to_owned(),
            seconds(Duration::from_secs_f64(self.seconds)),
        ]
    }
}

/// People tell images apart by name, tag and the digest's first digits.
fn short(image: &str) -> String {
    let name = image.rsplit('/').next().unwrap_or_default();
    match name.split_once("@sha256:") {
        Some((name, digest)) => format!("{name}@{}", digest.chars().take(8).collect::<String>()),
        None => name.to_owned(),
    }
}

/// Says what there is now, and what to do with it.
fn conclude(context: &mut Context, environment: &Environment) {
    let cluster = match environment.cluster() {
        Some(name) => format!("cluster `{name}`"),
        None => "the cluster".to_owned(),
    };
    let registry = match environment.port {
        Some(port) => format!(", registry localhost:{port}"),
        None => String::new(),
    };
    context.ui.conclusion(&format!(
        "the environment is up: {cluster}, operator {}{registry}",
        environment.release
    ));
    let access = environment.access();
    context.ui.note(&format!(
        "`export KUBECONFIG={}` for kubectl; `cargo xtask e2e test-full TARGET` tests an extension",
        shell::word(context.root.join(access.kubeconfig))
    ));
    if let (Some(port), true) = (
        environment.port,
        context.config.flag(config::REGISTRY).is_some(),
    ) {
        context.ui.note(&format!("the registry is at another port than the settings say: `export registry=localhost:{port}` for bake"));
    }
}

/// Removes the environment.
fn remove(context: &mut Context, engine: &Engine, environment: &Environment) -> anyhow::Result<()> {
    let plan = environment::cleanup(engine, environment)?;
    if plan.steps.is_empty() {
        for note in &plan.notes {
            context.ui.note(note);
        }
        context.ui.conclusion("there is nothing to remove");
        return Ok(());
    }
    let report = context.run(&engine.exec, &plan)?;
    context.verdict(&report, "cleaning up")?;
    context.ui.conclusion(match environment.place {
        Place::Kind { .. } => "the environment is removed",
        Place::Existing(_) => "what xtask created for databases is removed from the cluster",
    });
    Ok(())
}
