// SPDX-License-Identifier: Apache-2.0
//! `e2e psql`: a database with the extension, and psql on it.
//!
//! The database is the one that the shared suite makes, kept; so it is what the tests see. It stays until
//! `--delete` or `e2e cleanup`, and the next call finds it at once.

use std::{
    io::IsTerminal,
    path::{Path, PathBuf},
};

use crate::{
    cli::e2e::Psql,
    context::{Context, choice},
    environment::{
        self, Environment, LABEL, NAME_LABEL, OWNER_LABEL, Place, in_use::InUse, survey::Survey,
    },
    exec::{Exec, Real},
    failure::Failure,
    image::ImageRef,
    plan::{Cmd, Plan, Step},
    stage::{
        begin,
        environment::check_usable,
        results,
        suites::{Options, Runner},
        values::image_in,
    },
    tool::{
        chainsaw,
        kubectl::{ClusterAccess, Console, Removal},
    },
    workspace::{Aim, Selection},
};

pub(super) fn run(args: &Psql, context: &mut Context) -> anyhow::Result<u8> {
    let name = args.extension.name()?.to_owned();
    let place = choice::place(context, &args.cluster)?;
    let workspace = begin::workspace(context)?;
    workspace.select(&Selection::one(&name), Aim::Images)?;
    let values = workspace.shown(&name).join("values.yaml");
    let wanted = choice::environment(context, place, choice::release(context, None)?)?;
    let in_use = InUse::open(context, &wanted, wanted.engine_access())?;
    let exec = in_use.engine.exec.clone();
    let (environment, survey) = wanted.existing(context, &in_use.engine)?;
    let runner = Runner::open(context, &in_use.engine, &environment, Options::default())?;
    check_usable(&environment, &survey, &exec)?;
    let database = Database::of(&name, &environment);
    if database.is_foreign(&survey) {
        let namespace = &database.namespace;
        if args.delete {
            context.ui.note(&format!(
                "the namespace `{namespace}` was not created by xtask from this checkout: it is kept"
            ));
            context.ui.conclusion("there is nothing to remove");
            return Ok(0);
        }
        return Err(foreign(namespace).into());
    }
    if args.delete {
        let mut plan = Plan::default();
        plan.add(database.remove(format!("remove {}", database.namespace)));
        let report = context.run(&exec, &plan)?;
        context.verdict(&report, "removing the database")?;
        context
            .ui
            .conclusion(&format!("the database of `{name}` is removed"));
        return Ok(0);
    }
    let values = find_values(&name, values)?;
    let image = image_in(&values)?;
    if !image.is_some_and(|image| database.is_there(&image, &exec)) {
        let mut plan = Plan::default();
        database.add(&mut plan, &runner, &values);
        let report = context.run(&exec, &plan)?;
        context.verdict(&report, "making the database")?;
    }
    // Others need not wait for a person at a prompt.
    drop(in_use);
    let psql = database.psql(&args.statements);
    let status = exec.interactive(&psql).map_err(Failure::from)?;
    Ok(status)
}

/// The database of one extension.
struct Database {
    resource: String,
    namespace: String,
    access: ClusterAccess,
    /// On a cluster that is shared, each checkout has its own.
    owner: Option<String>,
}

impl Database {
    fn of(extension: &str, environment: &Environment) -> Self {
        let (owner, suffix) = match &environment.place {
            Place::Kind { .. } => (None, String::new()),
            Place::Existing(_) => (
                Some(environment.owner.to_string()),
                format!("-{}", environment.owner.short()),
            ),
        };
        Self {
            namespace: environment::namespace("xtask-psql-", extension, &suffix),
            resource: extension.replace('_', "-"),
            access: environment.access(),
            owner,
        }
    }

    /// Its namespace is there, and somebody else's.
    fn is_foreign(&self, survey: &Survey) -> bool {
        let api = survey.api.as_ref();
        api.is_some_and(|api| api.is_foreign(&self.namespace, "psql", self.owner.as_deref()))
    }

    fn remove(&self, title: String) -> Step {
        let mut labels = vec![(LABEL, "psql"), (NAME_LABEL, self.namespace.as_str())];
        labels.extend(self.owner.as_deref().map(|owner| (OWNER_LABEL, owner)));
        let purpose = format!("remove the namespace `{}`", self.namespace);
        Step::run(
            title,
            self.access
                .remove_namespaces(purpose, &labels, Removal::Awaited),
        )
    }

    /// With another image it would be another database.
    fn is_there(&self, image: &ImageRef, exec: &Real) -> bool {
        let fields = "jsonpath={.spec.postgresql.extensions[0].image.reference} {.status.phase}";
        let current = self
            .access
            .cmd("ask which image the database has")
            .args([
                "--namespace",
                &self.namespace,
                "get",
                "clusters.postgresql.cnpg.io",
                &self.resource,
            ])
            .args(["--output", fields, "--request-timeout", "10s"]);
        let wanted = format!("{image} Cluster in healthy state");
        exec.read(&current, None)
            .is_ok_and(|text| text.trim() == wanted)
    }

    /// Makes it anew, by the shared suite with these values.
    fn add(&self, plan: &mut Plan, runner: &Runner, values: &Path) {
        let namespace = &self.namespace;
        let cleared = plan.add(self.remove(format!("clear {namespace}")).quiet());
        let needs = runner.add_needs(plan, &[]);
        let made = runner.environment.make_namespace(namespace, "psql");
        let made = Step::run(format!("namespace {namespace}"), made);
        let made = plan.add(made.after([cleared]).after(needs).quiet());
        let test = chainsaw::Call {
            chainsaw: &runner.chainsaw,
            purpose: format!("make the database `{}`", self.resource),
            suite: &runner.shared.folder,
            values,
            namespace,
            container: namespace,
            access: &runner.access,
            root: &runner.root,
            report: (runner.reports.clone(), namespace.clone()),
            file: None,
            flags: &[],
        };
        let step = test.step(format!("database {}", self.resource));
        plan.add(
            step.after([made])
                .evidence(runner.evidence(namespace))
                .watch(runner.watch(namespace)),
        );
    }

    fn psql(&self, statements: &[String]) -> Cmd {
        let terminal = std::io::stdin().is_terminal() && statements.is_empty();
        let console = if terminal {
            Console::Terminal
        } else {
            Console::Pipes
        };
        let mut psql = self
            .access
            .cmd_at(console, "open psql")
            .args(["--namespace", &self.namespace, "exec", "--stdin"])
            .args(terminal.then_some("--tty"))
            .args([
                &format!("{}-1", self.resource),
                "--container",
                "postgres",
                "--",
            ])
            .args(["psql", "--no-psqlrc", "--dbname", "app"]);
        if !statements.is_empty() {
            psql = psql.args(["--set", "ON_ERROR_STOP=1"]);
        }
        for statement in statements {
            psql = psql.args(["--command", statement]);
        }
        psql
    }
}

fn foreign(namespace: &str) -> Failure {
    Failure::failed(format!(
        "the namespace `{namespace}` already exists, and was not created by xtask from this checkout: it is not used"
    ))
    .hint(format!(
        "its owner can delete it: `kubectl delete namespace {namespace}`"
    ))
}

/// The values that were generated by hand, or those of the last full test.
fn find_values(name: &str, own: PathBuf) -> anyhow::Result<PathBuf> {
    if own.is_file() {
        return Ok(own);
    }
    let last = results::last().ok().and_then(|rows| {
        rows.into_iter()
            .filter(|row| &*row.extension == name)
            .map(|row| PathBuf::from(&*row.values))
            .rfind(|values| values.is_file())
    });
    match last {
        Some(values) => Ok(values),
        None => Err(Failure::invalid(format!("there are no values for `{name}`"))
            .hint(format!("`cargo xtask e2e generate-values {name} --extension-image REFERENCE` writes them, `e2e test-full {name}` too"))
            .into()),
    }
}
