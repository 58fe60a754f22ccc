// SPDX-License-Identifier: Apache-2.0
//! What is known of the images that are there: which configurations the last export of a target had, so that a build that
//! comes to the same ones need not be exported. A configuration says all that is in an image, its layers by their digests; provenance,
//! which says when something was built, is not in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    config::AtOnce,
    engine::note::Note,
    exec::Exec,
    tool::{docker, imagetools},
    value::Digest,
};

/// Questions to a registry at the same time.
const AT_ONCE: AtOnce = AtOnce::of(8);

/// Where images are exported to, and can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    Engine,
    Registry,
}

/// What was exported of a target.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub(super) struct Known {
    /// What stands for all that was asked for.
    pub asked: Digest,
    pub digest: Digest,
    /// Of its platforms, sorted.
    pub configurations: Vec<Digest>,
    /// What bake has said of it.
    pub said: Value,
}

/// The targets that need not be exported when they come to what is known of them.
pub(super) type Found = BTreeMap<String, Known>;

impl Known {
    /// The names that it was given.
    fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.said["image.name"].as_str().unwrap_or_default();
        names
            .split(',')
            .map(str::trim)
            .filter(|name| !name.is_empty())
    }

    /// Where it is noted for the next run.
    fn note(target: &str, places: &[Place]) -> Option<Note> {
        let is_pushed = places.contains(&Place::Registry);
        let place = if is_pushed { "registry" } else { "engine" };
        Note::of(&format!("{target}.{place}"))
    }

    /// What was noted of a target, where it is of what is `asked` for.
    fn read(target: &str, places: &[Place], asked: &Digest) -> Option<Self> {
        let known: Self = Self::note(target, places)?.read()?;
        (known.asked == *asked && known.names().next().is_some()).then_some(known)
    }

    /// Notes it. Where nobody has a place for a key nothing is noted, and each run exports.
    pub(super) fn keep(&self, target: &str, places: &[Place]) -> anyhow::Result<()> {
        Self::note(target, places).map_or(Ok(()), |note| note.write(self))
    }
}

/// What is known of these targets and is still in all `places`. `targets`: each with what is asked for.
pub(super) fn find<'a>(
    targets: impl IntoIterator<Item = (&'a str, Digest)>,
    places: &[Place],
    exec: &dyn Exec,
) -> Found {
    // Without a place there is nobody to ask.
    if places.is_empty() {
        return Found::new();
    }
    let read = |(target, asked): (&str, Digest)| {
        Some((target.to_owned(), Known::read(target, places, &asked)?))
    };
    let mut found: Found = targets.into_iter().filter_map(read).collect();
    for place in places {
        if found.is_empty() {
            break;
        }
        let there = place.digests(&found, exec);
        found.retain(|_, known| {
            let mut names = known.names();
            names.all(|name| there.get(name) == Some(&known.digest))
        });
    }
    found
}

/// The configurations of what was exported of a target, by the digest that it was given: in the engine and in the registry the
/// same image has two.
pub(crate) fn noted_configurations(target: &str) -> BTreeMap<Digest, Vec<Digest>> {
    // Without notes there need be no key, and none is made.
    if target.is_empty() || !Note::any() {
        return BTreeMap::new();
    }
    let places = [&[Place::Engine][..], &[Place::Registry]];
    let notes = places
        .iter()
        .filter_map(|places| Known::note(target, places)?.read::<Known>());
    notes
        .map(|known| (known.digest, known.configurations))
        .collect()
}

impl Place {
    /// Which digests these names have there. Of what it does not say nothing is known.
    fn digests(self, found: &Found, exec: &dyn Exec) -> BTreeMap<String, Digest> {
        match self {
            Self::Engine => {
                let said = exec.read(&docker::listed_cmd(), None);
                let listed = docker::parse_listed(&said.unwrap_or_default()).into_iter();
                listed
                    .filter_map(|(name, listed)| Some((name, listed.digest?)))
                    .collect()
            }
            Self::Registry => {
                let names: Vec<&str> = found.values().flat_map(Known::names).collect();
                let ask = |name: &&str| {
                    let said = exec.read(&imagetools::descriptor_cmd(name), None).ok()?;
                    Some(((*name).to_owned(), imagetools::digest_of(&said)?))
                };
                AT_ONCE.each(&names, ask).into_iter().flatten().collect()
            }
        }
    }
}
