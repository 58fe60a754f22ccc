// SPDX-License-Identifier: Apache-2.0
//! An image: what it is pinned to, when it was built last, and which proofs are of what is there now.

pub(super) mod history;
pub(super) mod newest;
pub(super) mod shown;

use std::{collections::BTreeMap, path::Path, time::SystemTime};

use serde::Serialize;
use walkdir::WalkDir;

use self::{
    history::{Row as Said, Told, server_of},
    newest::{Answers, Newest},
};
use crate::{
    extension::Extension,
    stage::{bake::noted_configurations, proofs::Proof},
    value::{Digest, Server},
    verdict::Verdict,
};

/// An extension's image for a server.
#[derive(Debug, Serialize)]
pub(crate) struct Image {
    pub name: String,
    pub distro: String,
    pub pg_major: String,
    pub pinned: Option<String>,
    pub newest: Option<Newest>,
    /// None: no run that is still known has built it.
    pub built: Option<Built>,
    pub checks: Option<Rung>,
    pub smoke: Option<Rung>,
    /// The last one of each release of the operator.
    pub e2e: BTreeMap<String, Rung>,
}

/// The last build.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Built {
    pub image: String,
    pub digest: Digest,
    pub at: String,
    /// Since when all builds have come to the same.
    pub since: String,
    pub run: String,
    /// Which image has this name in the engine now. None: it is not there, or the engine was not asked.
    pub there: Option<Digest>,
}

/// The last time that somebody tried to prove it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Rung {
    pub result: Verdict,
    /// None: the run's record is gone.
    pub at: Option<String>,
    pub run: String,
    /// Of which image; of checks, which are of files, there is none.
    pub digest: Option<Digest>,
    /// Whether that is of what is there now.
    pub is_of_now: bool,
}

/// What is read and asked once for all rows.
pub(crate) struct Known<'a> {
    pub told: &'a [Told],
    pub proofs: &'a [Proof],
    /// None: the engine was not asked.
    pub there: Option<&'a BTreeMap<String, Digest>>,
    pub answers: &'a Answers,
    /// All extensions' names.
    pub names: &'a [String],
    pub root: &'a Path,
}

impl Known<'_> {
    /// The servers of an extension: those of its pins and those that it was built for.
    pub(crate) fn images(&self, extension: &Extension, folder: &Path) -> Vec<Image> {
        let mut servers: Vec<Server> = extension.versions.keys().cloned().collect();
        for (_, row) in self.rows("bake", &extension.name) {
            servers.extend(row.server().filter(|server| !servers.contains(server)));
        }
        servers.sort();
        let checks = self.checks(&extension.name, folder);
        let image = |server: &Server| self.image(extension, server, checks.clone());
        servers.iter().map(image).collect()
    }

    fn image(&self, extension: &Extension, server: &Server, checks: Option<Rung>) -> Image {
        let pin = extension.pin(server);
        let built = self.built(&extension.name, server);
        let now = built.as_ref().map(|(built, target)| Now {
            digest: built.there.clone().unwrap_or_else(|| built.digest.clone()),
            since: built.since.clone(),
            noted: noted_configurations(target),
        });
        Image {
            name: extension.name.clone(),
            distro: server.distro.to_string(),
            pg_major: server.major.to_string(),
            pinned: pin.map(|pin| pin.package.clone()),
            newest: pin.map(|pin| self.answers.of(extension, server, pin)),
            smoke: self.smoke(&extension.name, server, now.as_ref()),
            e2e: self.e2e(&extension.name, server, now.as_ref()),
            built: built.map(|(built, _)| built),
            checks,
        }
    }

    /// What runs of a command have said of an extension, the newest first.
    fn rows(&self, command: &str, name: &str) -> impl Iterator<Item = (&Told, Said<'_>)> {
        let runs = self.told.iter().filter(move |told| told.is(command));
        let rows = runs.flat_map(|told| told.rows().map(move |row| (told, row)));
        rows.filter(move |(_, row)| row.name() == Some(name))
    }

    /// The last build that went well, and bake's name for it.
    fn built(&self, name: &str, server: &Server) -> Option<(Built, String)> {
        let rows = self.rows("bake", name);
        let of_it = rows.filter(|(_, row)| row.server().as_ref() == Some(server));
        let mut built = of_it.filter_map(|(told, row)| {
            let is_built = matches!(row.result()?, Verdict::Passed | Verdict::Unchanged);
            Some((told, row, row.digest().filter(|_| is_built)?))
        });
        let (told, row, digest) = built.next()?;
        let image = row.image()?;
        // Builds that came to what was there before them.
        let same = built.take_while(|(_, _, earlier)| *earlier == digest);
        let since = same.last().map_or(told, |(told, _, _)| told);
        let last = Built {
            image: image.to_owned(),
            at: told.record.started.clone(),
            since: since.record.started.clone(),
            run: told.run.clone(),
            there: self.there.and_then(|all| all.get(image).cloned()),
            digest,
        };
        Some((last, row.target().unwrap_or_default().to_owned()))
    }

    fn smoke(&self, name: &str, server: &Server, now: Option<&Now>) -> Option<Rung> {
        let rows = self.rows("smoke", name);
        let mut of_it = rows.filter(|(_, row)| row.server().as_ref() == Some(server));
        of_it.find_map(|(told, row)| {
            let digest = row.digest();
            Some(Rung {
                result: was_tried(row.result()?)?,
                is_of_now: now.is_some_and(|now| match &digest {
                    Some(digest) => now.is(digest),
                    // It was the newest build at the time.
                    None => now.since <= told.record.started,
                }),
                at: Some(told.record.started.clone()),
                run: told.run.clone(),
                digest,
            })
        })
    }

    fn e2e(&self, name: &str, server: &Server, now: Option<&Now>) -> BTreeMap<String, Rung> {
        let mut rungs: BTreeMap<String, Rung> = BTreeMap::new();
        for proof in self.proofs.iter().filter(|proof| proof.extension == name) {
            let tagged = proof.image.split('@').next().unwrap_or_default();
            if server_of(tagged).as_ref() != Some(server) {
                continue;
            }
            let run = self.told.iter().find(|told| told.record.id == proof.run);
            let rung = Rung {
                result: proof.result,
                at: run.map(|run| run.record.started.clone()),
                run: proof.run.clone(),
                is_of_now: now.is_some_and(|now| now.is(&proof.digest)),
                digest: Some(proof.digest.clone()),
            };
            let known = rungs.get(&proof.cnpg_release);
            let age = |rung: &Rung| (rung.is_of_now, rung.at.clone());
            if known.is_none_or(|known| age(known) < age(&rung)) {
                rungs.insert(proof.cnpg_release.clone(), rung);
            }
        }
        rungs
    }

    /// Checks are of files: those that were changed since are not those that were checked.
    fn checks(&self, name: &str, folder: &Path) -> Option<Rung> {
        let told = self.told.iter().filter(|told| told.is("checks"));
        let mut told = told.filter(|told| {
            let arguments = &told.record.arguments;
            let mut named = arguments
                .iter()
                .filter(|word| self.names.contains(word))
                .peekable();
            named.peek().is_none() || named.any(|word| word == name)
        });
        let told = told.next()?;
        let files: Vec<&str> = told.rows().filter_map(Said::error_in).collect();
        let result = match told.record.exit_code {
            Some(0) => Verdict::Passed,
            _ if files.iter().any(|file| Path::new(file).starts_with(folder)) => Verdict::Failed,
            // It failed for another one.
            _ if !files.is_empty() => Verdict::Passed,
            _ => Verdict::NotRun,
        };
        let began = humantime::parse_rfc3339(&told.record.started).ok();
        let changed = changed(&self.root.join(folder));
        Some(Rung {
            result,
            is_of_now: began
                .zip(changed)
                .is_some_and(|(began, changed)| changed <= began),
            at: Some(told.record.started.clone()),
            run: told.run.clone(),
            digest: None,
        })
    }
}

/// When a file below the folder was changed last.
fn changed(folder: &Path) -> Option<SystemTime> {
    let entries = WalkDir::new(folder).into_iter().filter_map(Result::ok);
    let changed = entries.filter_map(|entry| entry.metadata().ok()?.modified().ok());
    changed.max()
}

fn was_tried(result: Verdict) -> Option<Verdict> {
    match result {
        Verdict::Passed | Verdict::Unchanged => Some(Verdict::Passed),
        Verdict::Failed => Some(Verdict::Failed),
        _ => None,
    }
}

/// The image that is there now.
struct Now {
    digest: Digest,
    since: String,
    /// The configurations of what has been exported, by digest: what was pushed has another digest than what the engine has.
    noted: BTreeMap<Digest, Vec<Digest>>,
}

impl Now {
    /// Whether an image is the same, as far as all that a container finds in it goes.
    fn is(&self, digest: &Digest) -> bool {
        let of = |digest: &Digest| self.noted.get(digest).filter(|all| !all.is_empty());
        *digest == self.digest || of(digest).is_some_and(|all| Some(all) == of(&self.digest))
    }
}

impl Rung {
    pub(crate) fn is_proof(&self) -> bool {
        self.is_of_now && self.result == Verdict::Passed
    }
}
