// SPDX-License-Identifier: Apache-2.0
//! What is known of the images that are there: which configurations the last export of a target had, so that a build that
//! comes to the same ones need not be exported. A configuration says all that is in an image, its layers by their digests; provenance,
//! which says when something was built, is not in it.
//!
//! It lies in the repository, where others may put files too, so only what this user has sealed counts.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    config::AtOnce,
    engine::print::Key,
    exec::Exec,
    own::{file, output, source},
    plan::Location,
    tool::{docker, imagetools},
    value::Digest,
};

/// Below the root: a file for each target, and for each place that its images go to.
const FOLDER: &str = "target/xtask/images";

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

    fn file(target: &str, places: &[Place]) -> PathBuf {
        let is_pushed = places.contains(&Place::Registry);
        let place = if is_pushed { "registry" } else { "engine" };
        Path::new(FOLDER).join(format!("{target}.{place}.sealed"))
    }

    /// What the file of a target says, where this user has sealed it there and it is of what is `asked` for.
    fn read(key: &Key, target: &str, places: &[Place], asked: &Digest) -> Option<Self> {
        let file = Self::file(target, places);
        // What cannot be read is not known: then it is exported.
        let text = source::read_own(Path::new("."), &file).ok().flatten()?;
        let (seal, known) = text.split_once('\n')?;
        let seal: String = serde_json::from_str(seal).ok()?;
        if !key.fits(&seal, &file, known) {
            return None;
        }
        let known = serde_json::from_str::<Self>(known).ok()?;
        (known.asked == *asked && known.names().next().is_some()).then_some(known)
    }

    /// Notes it for the next run.
    pub(super) fn keep(&self, key: &Key, target: &str, places: &[Place]) -> anyhow::Result<()> {
        let file = Self::file(target, places);
        let known = serde_json::to_string(self)?;
        let seal = serde_json::to_string(&key.seal(&file, &known)?)?;
        output::ignore()?;
        file::write_private(&Location::output(&file), &format!("{seal}\n{known}"))
    }
}

/// What is known of these targets and is still in all `places`. `targets`: each with what is asked for.
pub(super) fn find<'a>(
    targets: impl IntoIterator<Item = (&'a str, Digest)>,
    places: &[Place],
    exec: &dyn Exec,
) -> Found {
    // Without a key nothing was kept, and without a place there is nobody to ask.
    let (Ok(key), [_, ..]) = (Key::of_user(), places) else {
        return Found::new();
    };
    let read = |(target, asked): (&str, Digest)| {
        Some((
            target.to_owned(),
            Known::read(&key, target, places, &asked)?,
        ))
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

impl Place {
    /// Which digests these names have there. Of what it does not say nothing is known.
    fn digests(self, found: &Found, exec: &dyn Exec) -> BTreeMap<String, Digest> {
        match self {
            Self::Engine => {
                let said = exec.read(&docker::digests_cmd(), None);
                docker::parse_digests(&said.unwrap_or_default())
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
