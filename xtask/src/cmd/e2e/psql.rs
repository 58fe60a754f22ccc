// SPDX-License-Identifier: Apache-2.0
//! `e2e psql`: a database with the extension, and psql on it.
//!
//! The database is the one that the shared suite makes, kept; so it is what the tests see. It stays until
//! `--delete` or `e2e cleanup`, and the next call finds it at once.

use std::{io::IsTerminal, path::PathBuf};

use super::{
    choose_cluster, existing, one,
    suite::Runner,
    test::{image_in, reachable},
};
use crate::{
    cli::e2e::{Psql, Suites},
    context::Context,
    environment::{LABEL, NAME_LABEL, OWNER_LABEL, Place},
    exec::Exec,
    failure::Failure,
    plan::{Cmd, Plan, Step},
    tool::{chainsaw, kubectl::Access},
};

pub(super) fn run(args: &Psql, context: &mut Context) -> anyhow::Result<u8> {
    let name = one(&args.targets, &args.more)?.to_owned();
    choose_cluster(context, &args.cluster)?;
    let workspace = context.workspace()?;
    workspace.select(std::slice::from_ref(&name), false)?;
    let values = workspace.shown(&name).join("values.yaml");
    let wanted = super::environment(context)?;
    let entered = super::enter(context, &wanted, false)?;
    let (environment, world) = existing(context)?;
    let runner = Runner::new(context, &environment, &Suites::default(), false)?;
    reachable(&runner, world.api.as_ref(), context)?;
    let access = environment.access();
    let resource = name.replace('_', "-");
    // On a cluster that is shared, each checkout has its own.
    let (shared, owner) = match &environment.place {
        Place::Kind { .. } => (None, String::new()),
        Place::Existing(_) => (
            Some(environment.owner.to_string()),
            format!("-{}", environment.owner.short()),
        ),
    };
    let namespace = format!("xtask-psql-{resource}{owner}");
    let mut labels = vec![(LABEL, "psql"), (NAME_LABEL, namespace.as_str())];
    labels.extend(shared.as_deref().map(|owner| (OWNER_LABEL, owner)));
    let foreign = world
        .api
        .as_ref()
        .is_some_and(|api| api.is_foreign(&namespace, "psql", shared.as_deref()));
    let remove =
        access.remove_namespaces(format!("remove the namespace `{namespace}`"), &labels, true);
    let mut plan = Plan::default();
    if foreign {
        if args.delete {
            context.ui.note(&format!(
                "the namespace `{namespace}` was not made by xtask from this checkout: it stays"
            ));
            context.ui.conclusion("there is nothing to remove");
            return Ok(0);
        }
        return Err(Failure::failed(format!(
            "the namespace `{namespace}` already exists, and was not made by xtask from this checkout: it is not used"
        ))
        .hint(format!(
            "whoever made it can remove it: `kubectl delete namespace {namespace}`"
        ))
        .into());
    }
    if args.delete {
        plan.add(Step::run(format!("remove {namespace}"), remove));
        let report = context.run(&plan, None, false)?;
        context.verdict(&report, "removing the database")?;
        context
            .ui
            .conclusion(&format!("the database of `{name}` is gone"));
        return Ok(0);
    }
    let values = find_values(&name, values)?;
    let database = Database {
        resource,
        namespace,
        image: image_in(&values)?,
        values,
    };
    if !database.is_there(&access, context) {
        database.make(&runner, remove, context)?;
    }
    // Others need not wait for a person at a prompt.
    drop(entered);
    let psql = database.psql(&access, &args.statements);
    let status = context.exec.interactive(&psql).map_err(Failure::from)?;
    Ok(status)
}

/// The database of one extension.
struct Database {
    resource: String,
    namespace: String,
    image: String,
    values: PathBuf,
}

impl Database {
    /// With another image it would be another database.
    fn is_there(&self, access: &Access, context: &Context) -> bool {
        let fields = "jsonpath={.spec.postgresql.extensions[0].image.reference} {.status.phase}";
        let current = access
            .cmd("ask which image the database has")
            .args([
                "--namespace",
                &self.namespace,
                "get",
                "clusters.postgresql.cnpg.io",
                &self.resource,
            ])
            .args(["--output", fields, "--request-timeout", "10s"]);
        let wanted = format!("{} Cluster in healthy state", self.image);
        context
            .exec
            .read(&current, None)
            .is_ok_and(|text| text.trim() == wanted)
    }

    fn make(&self, runner: &Runner, remove: Cmd, context: &mut Context) -> anyhow::Result<()> {
        let namespace = &self.namespace;
        let mut plan = Plan::default();
        let cleared = plan.add(Step::run(format!("clear {namespace}"), remove).quiet());
        let folder = runner.add_folder(&mut plan);
        let made = runner.environment.make_namespace(namespace, "psql");
        let made = Step::run(format!("namespace {namespace}"), made);
        let made = plan.add(made.after([cleared, folder]).quiet());
        let test = chainsaw::Test {
            purpose: format!("make the database `{}`", self.resource),
            suite: &runner.shared.folder,
            values: &self.values,
            namespace,
            access: &runner.access,
            root: &runner.root,
            report: (runner.reports.clone(), namespace.clone()),
            file: None,
            flags: &[],
        };
        let step = Step::run(format!("database {}", self.resource), test.cmd());
        plan.add(
            step.after([made])
                .evidence(runner.evidence(namespace))
                .watch(runner.watch(namespace)),
        );
        let report = context.run(&plan, None, false)?;
        Ok(context.verdict(&report, "making the database")?)
    }

    fn psql(&self, access: &Access, statements: &[String]) -> Cmd {
        let terminal = std::io::stdin().is_terminal() && statements.is_empty();
        let mut psql = access
            .cmd("open psql")
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

/// The values that were generated by hand, or those of the last full test.
fn find_values(name: &str, own: PathBuf) -> anyhow::Result<PathBuf> {
    if own.is_file() {
        return Ok(own);
    }
    let last = super::results::last().ok().and_then(|rows| {
        rows.into_iter()
            .rfind(|row| row.extension == name && row.values.is_file())
    });
    match last {
        Some(row) => Ok(row.values),
        None => Err(Failure::invalid(format!("there are no values for `{name}`"))
            .hint(format!("`cargo xtask e2e generate-values {name} --extension-image REFERENCE` writes them, `e2e test-full {name}` too"))
            .into()),
    }
}
