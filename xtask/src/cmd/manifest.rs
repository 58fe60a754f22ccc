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
    value::ObjectName,
    workspace::{Aim, Selection},
    yaml,
};

pub(super) fn run(args: &cli::Manifest, context: &mut Context) -> anyhow::Result<()> {
    let selection = Selection::one(args.extension.name()?);
    let filter = Filter {
        distros: args.distro.iter().cloned().collect(),
        majors: args.pg.iter().cloned().collect(),
        ..Filter::default()
    };
    let begun = Begun::open(context, &selection, Aim::Servers, &filter, Access::Look)?;
    let targets = begun.targets_with_needs(&filter, context)?;
    let target = targets.only().map_err(|_| several(&targets))?;
    let catalog = args.catalog.as_deref().map(|name| named(name, target));
    let images = match catalog.transpose()? {
        Some(name) => Images::Catalog(name),
        None => Images::Named,
    };
    let manifest = Manifest::of(target, &targets, images);
    if manifest.images == Images::Named && context.config.is_default(REGISTRY) {
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

/// The catalog that the images are taken from: the one of that name, or where none is said, that of the target's distro.
fn named(name: &str, target: &Target) -> Result<ObjectName, Failure> {
    if name.is_empty() {
        return resources::catalog_name(&target.server.distro);
    }
    name.parse().map_err(|wanted| {
        Failure::invalid(format!("`--catalog={name}`: it must be {wanted}"))
            .hint("without a name, it is the one that `cargo xtask catalogs` makes")
    })
}

/// Where the operator finds the images.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Images {
    /// The cluster names each.
    Named,
    /// A `ClusterImageCatalog` of that name does.
    Catalog(ObjectName),
}

/// An image with those that it needs, in one server.
struct Manifest<'a> {
    target: &'a Target,
    mounts: Mounts<&'a Target>,
    images: Images,
}

impl<'a> Manifest<'a> {
    fn of(target: &'a Target, targets: &'a Targets, images: Images) -> Self {
        let mounted = |target: &'a Target| Mounted {
            extension: Arc::clone(&target.extension),
            source: target,
        };
        Self {
            target,
            mounts: Mounts::new(mounted(target), targets.needs(target).map(mounted)),
            images,
        }
    }

    /// What must be there before: a comment above the documents.
    fn heading(&self) -> String {
        let extensions = self.mounts.iter().map(|one| &*one.extension);
        let (least, catalog) = match &self.images {
            Images::Named => (resources::least_release(extensions), String::new()),
            Images::Catalog(name) => (
                resources::CATALOGS,
                format!(
                    "# The images are those of the ClusterImageCatalog `{name}`, which must be there: `cargo xtask catalogs` writes it.\n"
                ),
            ),
        };
        format!(
            "# {}, with CloudNativePG {least} or later. Kubernetes mounts images from 1.35 on, and from 1.33 on with the\n\
             # feature gate `ImageVolume`.\n{catalog}",
            self.target.title()
        )
    }

    fn documents(&self) -> Vec<Value> {
        let mut spec = Map::from_iter([("instances".to_owned(), json!(1))]);
        let (field, image) = match &self.images {
            Images::Named => ("imageName", json!(self.target.base.to_string())),
            Images::Catalog(name) => (
                "imageCatalogRef",
                resources::catalog_reference(name, &self.target.server),
            ),
        };
        spec.insert(field.into(), image);
        spec.insert("storage".into(), json!({ "size": "1Gi" }));
        spec.insert("postgresql".into(), self.postgresql());
        let cluster = json!({
            "apiVersion": resources::API_VERSION,
            "kind": "Cluster",
            "metadata": { "name": self.name() },
            "spec": spec,
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
            match &self.images {
                Images::Named => resources::mounted(&one.extension, &one.source.tag.to_string()),
                // The catalog says the rest.
                Images::Catalog(_) => json!({ "name": one.extension.name }),
            }
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
            "apiVersion": resources::API_VERSION,
            "kind": "Database",
            "metadata": { "name": format!("{}-app", self.name()) },
            "spec": spec,
        }))
    }
}
