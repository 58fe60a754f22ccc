// SPDX-License-Identifier: Apache-2.0
//! `manifest`: what somebody who uses an image applies to a cluster, as YAML.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::{
    cli,
    config::REGISTRY,
    context::Context,
    engine::Access,
    extension::Extension,
    failure::Failure,
    mount::{Mounted, Mounts, in_order},
    stage::{begin::Begun, resources},
    target::{Filter, Target, Targets},
    workspace::{Aim, Selection},
    yaml,
};

pub(super) fn run(args: &cli::Manifest, context: &mut Context) -> anyhow::Result<()> {
    let selection = Selection::one(args.extension.name()?);
    let filter = Filter {
        distros: args.distro.iter().cloned().collect(),
        majors: args.pg.iter().cloned().collect(),
        shard: None,
    };
    let begun = Begun::open(context, &selection, Aim::Servers, &filter, Access::Look)?;
    let targets = begun.targets_with_needs(&filter, context)?;
    let target = targets.only().map_err(|_| several(&targets))?;
    let manifest = Manifest::of(target, &targets);
    if context.config.is_default(REGISTRY) {
        context.ui.warning(
            "the images are named as in the local registry: with `registry` and `environment` they are called what is published",
        );
    }
    let documents = manifest.documents();
    if args.json {
        context.ui.one_line(&documents.into());
        return Ok(());
    }
    context.ui.data(&manifest.heading());
    let mut texts = Vec::new();
    for document in &documents {
        texts.push(yaml::to_plain_text(document)?);
    }
    context.ui.data(&texts.join("---\n"));
    Ok(())
}

fn several(targets: &Targets) -> Failure {
    let all: Vec<String> = targets.chosen().map(Target::title).collect();
    Failure::invalid(format!(
        "it is built for several servers: {}",
        all.join("; ")
    ))
    .hint("choose one with `--distro` and `--pg`")
}

/// An image with those that it needs, in one server.
struct Manifest<'a> {
    target: &'a Target,
    mounts: Mounts<&'a Target>,
}

impl<'a> Manifest<'a> {
    fn of(target: &'a Target, targets: &'a Targets) -> Self {
        let mounted = |target: &'a Target| Mounted {
            extension: Arc::clone(&target.extension),
            source: target,
        };
        Self {
            target,
            mounts: Mounts::new(mounted(target), targets.needs(target).map(mounted)),
        }
    }

    /// What must be there before: a comment above the documents.
    fn heading(&self) -> String {
        let extensions = self.mounts.iter().map(|one| &*one.extension);
        let least = resources::least_release(extensions);
        format!(
            "# {}, with CloudNativePG {least} or later. Kubernetes mounts images from 1.35 on, and from 1.33 on with the\n\
             # feature gate `ImageVolume`.\n",
            self.target.title()
        )
    }

    fn documents(&self) -> Vec<Value> {
        let cluster = json!({
            "apiVersion": "postgresql.cnpg.io/v1",
            "kind": "Cluster",
            "metadata": { "name": self.name() },
            "spec": {
                "instances": 1,
                "imageName": self.target.base.to_string(),
                "storage": { "size": "1Gi" },
                "postgresql": self.postgresql(),
            },
        });
        std::iter::once(cluster).chain(self.database()).collect()
    }

    /// A name as Kubernetes takes it.
    fn name(&self) -> String {
        self.target.extension.name.replace('_', "-")
    }

    fn postgresql(&self) -> Value {
        let mut all = Map::new();
        let preload = self.mounts.preload();
        if !preload.is_empty() {
            all.insert("shared_preload_libraries".into(), json!(preload));
        }
        let parameters = self.mounts.parameters();
        if !parameters.is_empty() {
            all.insert("parameters".into(), json!(parameters));
        }
        let entries = self.mounts.iter().map(|one| {
            let reference = one.source.tag.to_string();
            resources::mounted(&one.extension, &reference)
        });
        all.insert("extensions".into(), entries.collect());
        all.into()
    }

    /// None: nothing is created.
    fn database(&self) -> Option<Value> {
        let created = |extension: &Extension| extension.create_extension;
        let wanted = self.mounts.wanted(|one| {
            let version = one.source.sql_version.as_deref();
            version.filter(|_| created(&one.extension))
        });
        let created = in_order(&wanted, |_| Vec::new());
        if created.is_empty() {
            return None;
        }
        let mut spec = Map::from_iter([
            ("name".to_owned(), json!("app")),
            ("owner".to_owned(), json!("app")),
            ("cluster".to_owned(), json!({ "name": self.name() })),
        ]);
        let schemas = resources::schemas(&created);
        if !schemas.is_empty() {
            let schemas = schemas.into_iter().map(resources::schema);
            spec.insert("schemas".into(), schemas.collect());
        }
        let extensions = created
            .iter()
            .map(|one| resources::created(one, one.version));
        spec.insert("extensions".into(), extensions.collect());
        Some(json!({
            "apiVersion": "postgresql.cnpg.io/v1",
            "kind": "Database",
            "metadata": { "name": format!("{}-app", self.name()) },
            "spec": spec,
        }))
    }
}
