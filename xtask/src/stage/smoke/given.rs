// SPDX-License-Identifier: Apache-2.0
//! An image that the user names, in place of one that is built.

use super::SmokeTest;
use crate::{
    engine::Engine,
    failure::Failure,
    image::{
        Annotations, Image, ImageRef,
        annotations::{BASE_MAJOR, BASE_OS, SQL_VERSION},
    },
    stage::described,
    target::{Filter, Target, Targets},
    value::SqlVersion,
};

/// A named image and what its labels say. Without labels of ours it is tested as what the filter says.
pub(crate) struct Given {
    image: ImageRef,
    labels: Annotations,
}

impl Given {
    /// Reads the image's labels, pulling it when the engine does not have it. An engine that is only looked at is asked
    /// nothing: there the image is what it is named.
    pub(crate) fn survey(image: ImageRef, engine: &Engine) -> anyhow::Result<Self> {
        let labels = if engine.is_looked_at() {
            Annotations::default()
        } else {
            described::survey(
                engine,
                &image,
                "`docker image ls` lists what the engine has",
            )?
            .labels
        };
        let version = labels.get(SQL_VERSION);
        if let Some(found) = version.filter(|text| !SqlVersion::is(text)) {
            return Err(Failure::invalid(format!(
                "image `{image}` says that its SQL version is `{found}`; it must be {}",
                SqlVersion::WANTED
            ))
            .into());
        }
        Ok(Self { image, labels })
    }

    /// Narrows the filter to what the labels say, where it leaves it open. Gives a warning for each label that says
    /// something else than the filter.
    pub(crate) fn narrow(&self, filter: &mut Filter) -> Vec<String> {
        let mut warnings = Vec::new();
        for (values, name) in [
            (&mut filter.distros, BASE_OS),
            (&mut filter.majors, BASE_MAJOR),
        ] {
            let said = self.labels.get(name).map(str::to_owned);
            if values.is_empty() {
                values.extend(said);
            } else if let Some(said) = said.filter(|said| !values.contains(said)) {
                warnings.push(format!(
                    "image `{}` says that it is for `{said}` (`{name}`), and is tested as one for `{}`",
                    self.image,
                    values.join(",")
                ));
            }
        }
        warnings
    }

    /// Puts it in the place of the image under test.
    pub(crate) fn stand_in(&self, test: &mut SmokeTest) {
        let source = &mut test.mounts.own_mut().source;
        source.image = Image::Given(self.image.clone());
        let version = self.labels.get(SQL_VERSION).map(str::to_owned);
        source.sql_version = version.or(source.sql_version.take());
    }
}

/// The one target in whose place a named image is tested.
pub(crate) fn stands_for(targets: &Targets) -> Result<&Target, Failure> {
    targets.only().map_err(|several| {
        Failure::invalid(format!(
            "`--image` does not say which of {several} images it stands for: it has no labels of ours"
        ))
        .hint("name the distro and the major: `--distro trixie --pg 18`")
    })
}
