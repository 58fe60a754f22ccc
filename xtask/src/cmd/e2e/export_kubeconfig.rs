// SPDX-License-Identifier: Apache-2.0
//! `e2e export-kubeconfig`: a file that opens the cluster.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use crate::{
    cli::e2e::{Cluster, ExportKubeconfig},
    context::{Context, choice},
    engine::{self, Engine},
    environment::{Environment, FOLDER, kind},
    exec::{Exec, Real},
    failure::Failure,
    own::{file, source},
    plan::{Action, Location, Plan, Step, shell},
    tool::{kind::Client, kubeconfig},
};

/// Below the repository's root: the digests of what was exported.
const EXPORTED: &str = "target/xtask/exported";
/// How many of them are kept.
const KEPT: usize = 100;

pub(super) fn run(args: &ExportKubeconfig, context: &mut Context) -> anyhow::Result<()> {
    let engine = Engine::open(context, engine::Access::Work)?;
    let place = choice::place(context, &Cluster::default())?;
    let wanted = choice::environment(context, place, choice::release(context, None)?)?;
    let (environment, survey) = wanted.existing(context, &engine)?;
    let Some(cluster) = environment
        .cluster()
        .filter(|name| survey.cluster(name).is_some())
    else {
        return Err(
            Failure::invalid("there is no kind cluster of this environment")
                .hint("`cargo xtask e2e setup-env` creates it")
                .into(),
        );
    };
    let file = File::choose(args, context)?;
    let path = &file.path;
    let is_new = !path.exists();
    if file.named && !args.merge {
        refuse_foreign(context, &engine.exec, &environment, &cluster, path)?;
    }
    let network = environment.network();
    let kind = kind(&network);
    let client = if args.internal {
        Client::Container
    } else {
        Client::Machine
    };
    let mut plan = Plan::default();
    plan.add(if args.merge {
        let export = kind.export(&cluster, client, path);
        Step::run(format!("add {cluster} to {}", path.display()), export)
    } else {
        let save = Action::Save {
            cmd: kind.kubeconfig(&cluster, client),
            path: file.location(),
        };
        Step::new(format!("write {}", path.display()), save)
    });
    let report = context.run(&engine.exec, &plan)?;
    context.verdict(&report, "exporting the kubeconfig")?;
    if args.merge && is_new {
        // Kind has made it, as whoever calls it.
        file::hand_over(path)?;
    } else if !args.merge && file.named {
        note_export(context, path)?;
    }
    let quoted = shell::word(context.root.join(path));
    context.ui.data(&format!("export KUBECONFIG={quoted}\n"));
    Ok(())
}

/// Where the kubeconfig goes.
struct File {
    path: PathBuf,
    /// By the user; otherwise it is a file of our own.
    named: bool,
}

impl File {
    /// Refuses what cannot be written or is no file.
    fn choose(args: &ExportKubeconfig, context: &Context) -> anyhow::Result<Self> {
        let given = args.path.as_deref().or(args.kubeconfig.as_deref());
        let given = given.filter(|path| !path.as_os_str().is_empty());
        if args.merge && given.is_none() {
            return Err(Failure::invalid("`--merge` needs a file")
                .hint("name it: `--merge ~/.kube/config`, for example")
                .into());
        }
        let own = if args.internal {
            "kubeconfig-internal"
        } else {
            "kubeconfig"
        };
        let path = match given {
            Some(path) => context.resolve(path),
            None => Path::new(FOLDER).join(own),
        };
        if given.is_some() {
            file::can_be_written(&path)?;
        }
        // Before a tool opens it: a pipe would keep it waiting.
        source::read_named(&path)?;
        Ok(Self {
            path,
            named: given.is_some(),
        })
    }

    fn location(&self) -> Location {
        if self.named {
            Location::Named(self.path.clone())
        } else {
            Location::output(&self.path)
        }
    }
}

/// Refuses a file that holds clusters of others, or is no kubeconfig at all.
fn refuse_foreign(
    context: &Context,
    exec: &Real,
    environment: &Environment,
    cluster: &str,
    path: &Path,
) -> Result<(), Failure> {
    let empty = fs_err::metadata(path).map_or(true, |file| file.is_file() && file.len() == 0);
    if empty {
        return Ok(());
    }
    let shown = path.display();
    let refuse = |why: String| {
        Err(Failure::invalid(format!("`{shown}` exists and {why}; it is left as it is"))
            .hint(format!("choose another path, or add `--merge` to keep what it holds and add the cluster: `cargo xtask e2e export-kubeconfig {shown} --merge`")))
    };
    let text = source::read_named(path)?.unwrap_or_default();
    let Some(held) = kubeconfig::read_config(&text) else {
        return refuse("is not a kubeconfig".into());
    };
    let names: Vec<&str> = ["clusters", "contexts", "users"]
        .iter()
        .flat_map(|list| held[list].as_array().into_iter().flatten())
        .filter_map(|item| item["name"].as_str())
        .collect();
    let is_ours = |name: &str| {
        let cluster = name.strip_prefix("kind-");
        cluster.is_some_and(|cluster| environment.names.has(cluster))
    };
    match names.iter().find(|name| !is_ours(name)) {
        Some(other) => {
            return refuse(format!("holds `{other}`, which is not of this environment"));
        }
        // A YAML file of another kind reads as an empty kubeconfig.
        None if names.is_empty() => return refuse("names no cluster of this environment".into()),
        None => {}
    }
    // Somebody else's cluster may be called the same.
    if exported(context).contains(&digest(&text)) {
        return Ok(());
    }
    let network = environment.network();
    let own = exec
        .read(&kind(&network).kubeconfig(cluster, Client::Machine), None)
        .map_err(Failure::from)?;
    let own = kubeconfig::authority(&own, None);
    let found = kubeconfig::authorities(&text);
    if own.is_some() && !found.is_empty() && found.iter().all(|authority| *authority == own) {
        return Ok(());
    }
    refuse(format!(
        "is for another cluster than `{cluster}` of this machine"
    ))
}

fn digest(text: &str) -> String {
    crate::value::hex(&Sha256::digest(text))
}

/// The digests of the files that this checkout has exported, the last ones: by them a file is known when its
/// cluster is gone.
fn exported(context: &Context) -> Vec<String> {
    let text = source::read(&context.root, Path::new(EXPORTED));
    let text = text.ok().flatten().unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn note_export(context: &Context, path: &Path) -> anyhow::Result<()> {
    let digest = digest(&source::read_named(path)?.unwrap_or_default());
    let mut all = exported(context);
    all.retain(|other| *other != digest);
    all.push(digest);
    let last = &all[all.len().saturating_sub(KEPT)..];
    file::write_atomically(&Location::output(EXPORTED), &(last.join("\n") + "\n"))
}
