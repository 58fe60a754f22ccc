// SPDX-License-Identifier: Apache-2.0
//! What the catalogs are made from: those that are there already, those of others, or nothing but the servers' images.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use serde_json::Value;

use crate::{
    exec::Exec,
    failure::Failure,
    image::ImageRef,
    own::source,
    plan::Location,
    stage::{
        catalog::{Catalog, Entries, Read},
        offered, resources,
    },
    target::Target,
    ui::Ui,
    value::{Server, Suite},
};

/// Replaced in a URL.
const DISTRO: &str = "{distro}";

/// A catalog to write.
#[derive(Debug)]
pub(super) struct Source {
    /// What is written, with other entries.
    pub base: Catalog,
    /// Where it is written.
    pub file: Location,
    /// What is there: its text, and as a catalog.
    there: Option<(String, Catalog)>,
}

impl Source {
    /// Whether nothing is there, and nobody else has made it either.
    pub(super) fn is_new(&self) -> bool {
        self.there.is_none() && self.entries().values().all(BTreeMap::is_empty)
    }

    /// Whether that text is there already.
    pub(super) fn is_as(&self, text: &str) -> bool {
        self.there.as_ref().is_some_and(|(there, _)| there == text)
    }

    /// Whether it has a server of that major, with which images go.
    pub(super) fn has(&self, major: u64) -> bool {
        self.base.majors().any(|one| one == major)
    }

    /// What it has of an extension: what is there says what clusters run.
    pub(super) fn entry(&self, major: u64, name: &str) -> Option<Value> {
        self.entries().get_mut(&major)?.remove(name)
    }

    /// All entries: of others, and those that images are looked for.
    pub(super) fn entries(&self) -> BTreeMap<u64, Entries> {
        let of = |major: u64| {
            let mut entries = self.base.entries(major);
            if let Some((_, there)) = &self.there {
                entries.extend(there.entries(major));
            }
            (major, entries)
        };
        self.base.majors().map(of).collect()
    }
}

/// Where catalogs come from, and go to.
pub(super) struct Origin<'a> {
    /// A folder or a URL.
    pub from: Option<&'a str>,
    pub output: &'a Path,
    /// What relative paths in arguments mean.
    pub here: &'a Path,
}

impl Origin<'_> {
    /// The catalogs to write for these targets, by their distros.
    pub(super) fn sources(
        &self,
        targets: &[&Target],
        exec: &dyn Exec,
        ui: &Ui,
    ) -> Result<Vec<Source>, Failure> {
        if self.output.exists() && !self.output.is_dir() {
            let output = self.output.display();
            return Err(
                Failure::invalid(format!("`--output {output}` is no folder"))
                    .hint("name a folder for the catalogs, which is made where there is none"),
            );
        }
        let distros: BTreeSet<&Suite> = targets.iter().map(|one| &one.server.distro).collect();
        let theirs = match self.from {
            None => None,
            Some(from) if from.contains("://") => Some(of_url(from, &distros, exec)?),
            Some(from) => Some(of_folder(&self.here.join(from), &distros, ui)?),
        };
        let mut sources = Vec::new();
        for distro in distros {
            let file = self.output.join(format!("catalog-minimal-{distro}.yaml"));
            let there = there(&file, distro)?;
            let base = match (&theirs, &there) {
                (Some(theirs), _) => theirs.get(distro).cloned(),
                (None, Some((_, there))) => {
                    Some(with_new(there, &made(distro, targets)?, &file, ui)?)
                }
                (None, None) => Some(made(distro, targets)?),
            };
            let Some(base) = base else {
                ui.warning(&format!(
                    "there is no catalog of minimal images for `{distro}` to start from: none is written"
                ));
                continue;
            };
            sources.push(Source {
                base,
                file: Location::Named(file),
                there,
            });
        }
        if sources.is_empty() {
            let from = self.from.unwrap_or_default();
            return Err(Failure::invalid(format!(
                "`{from}` has no catalog of minimal images for a distro that extensions are built for"
            ))
            .hint("such a catalog is a ClusterImageCatalog with the labels `images.cnpg.io/type: minimal` and `images.cnpg.io/os`"));
        }
        Ok(sources)
    }
}

/// What is at the place of a catalog. Refused where it is something else.
fn there(file: &Path, distro: &Suite) -> Result<Option<(String, Catalog)>, Failure> {
    let Some(text) = source::read_named(file)? else {
        return Ok(None);
    };
    let shown = file.display();
    let refused = |why: &str| {
        Failure::invalid(format!("`{shown}` would be written over: {why}"))
            .hint("move it away, or choose another `--output`")
    };
    match Catalog::read(&text) {
        Read::Catalog(catalog) if catalog.distro == *distro => Ok(Some((text, catalog))),
        Read::Catalog(catalog) => Err(refused(&format!("it is for `{}`", catalog.distro))),
        Read::Other(why) => Err(refused(&why)),
    }
}

/// What is there, with the servers of majors that extensions are built for since it was made.
fn with_new(there: &Catalog, made: &Catalog, file: &Path, ui: &Ui) -> Result<Catalog, Failure> {
    let mut all = there.clone();
    for (major, image) in made.servers() {
        if there.majors().any(|one| one == major) {
            continue;
        }
        ui.note(&format!(
            "PostgreSQL {major} is new in `{}`, with `{image}`",
            file.display()
        ));
        all = all.with_server(major, image)?;
    }
    Ok(all)
}

/// A new one, with the images that extensions are built for.
fn made(distro: &Suite, targets: &[&Target]) -> Result<Catalog, Failure> {
    let of_distro = targets.iter().filter(|one| one.server.distro == *distro);
    let servers: BTreeMap<u16, (&Server, &ImageRef)> = of_distro
        .filter_map(|one| Some((one.server.major.number()?, (&one.server, &one.base))))
        .collect();
    let name = resources::catalog_name(distro)?;
    let images = servers.into_iter();
    let images = images.map(|(major, (_, image))| (major, image.clone()));
    Catalog::new(&name, distro, &images.collect())
}

fn of_url(
    from: &str,
    distros: &BTreeSet<&Suite>,
    exec: &dyn Exec,
) -> Result<BTreeMap<Suite, Catalog>, Failure> {
    let urls: BTreeSet<String> = distros
        .iter()
        .map(|distro| from.replace(DISTRO, distro))
        .collect();
    let mut catalogs = BTreeMap::new();
    for url in urls {
        let text = offered::read_url(&url, exec)?;
        match Catalog::read(&text) {
            Read::Catalog(catalog) if distros.contains(&catalog.distro) => {
                catalogs.insert(catalog.distro.clone(), catalog);
            }
            Read::Catalog(_) => {}
            Read::Other(why) => {
                return Err(Failure::invalid(format!("`{url}` cannot be started from: {why}"))
                    .hint("the operator's own are `https://raw.githubusercontent.com/cloudnative-pg/artifacts/main/image-catalogs/catalog-minimal-{distro}.yaml`"));
            }
        }
    }
    Ok(catalogs)
}

fn of_folder(
    folder: &Path,
    distros: &BTreeSet<&Suite>,
    ui: &Ui,
) -> Result<BTreeMap<Suite, Catalog>, Failure> {
    let shown = folder.display();
    let mut files: Vec<PathBuf> = Vec::new();
    let listed = fs_err::read_dir(folder).and_then(|all| {
        for entry in all {
            files.push(entry?.path());
        }
        Ok(())
    });
    listed.map_err(|error| {
        Failure::invalid(format!("`--from`: {error}")).hint("name a folder with catalogs, or a URL")
    })?;
    files.retain(|file| {
        file.extension()
            .is_some_and(|end| end == "yaml" || end == "yml")
    });
    files.sort();
    let mut catalogs: BTreeMap<Suite, Catalog> = BTreeMap::new();
    for file in files {
        let text = source::read_named(&file)?.unwrap_or_default();
        match Catalog::read(&text) {
            Read::Catalog(catalog) if !distros.contains(&catalog.distro) => ui.note(&format!(
                "`{}` is left out: nothing is built for `{}`",
                file.display(),
                catalog.distro
            )),
            Read::Catalog(catalog) => {
                if let Some(other) = catalogs.insert(catalog.distro.clone(), catalog) {
                    return Err(Failure::invalid(format!(
                        "`{shown}` has two catalogs of minimal images for `{}`",
                        other.distro
                    ))
                    .hint("leave one of them there"));
                }
            }
            Read::Other(why) => ui.note(&format!("`{}` is left out: {why}", file.display())),
        }
    }
    Ok(catalogs)
}
