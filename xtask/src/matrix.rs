// SPDX-License-Identifier: Apache-2.0
//! extension × distro × PostgreSQL major: the images to build, exactly the pairs that the metadata names.

use crate::{
    cli::{Filters, Shard},
    config::{self, Config},
    extension::{Extension, version_of},
    failure::Failure,
    plan::Rotation,
};

/// What bake builds an image for unless it is told otherwise: `platforms` of the bake file.
pub(crate) const PLATFORMS: [&str; 2] = ["linux/amd64", "linux/arm64"];

/// Which images of the selected extensions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    /// Empty: all.
    pub distros: Vec<String>,
    /// Empty: all.
    pub majors: Vec<String>,
    /// Of what the others take, only this share.
    pub shard: Option<Shard>,
}

impl From<&Filters> for Filter {
    fn from(args: &Filters) -> Self {
        Self {
            distros: args.distro.clone(),
            majors: args.pg.clone(),
            shard: args.shard,
        }
    }
}

impl Filter {
    pub(crate) fn is_empty(&self) -> bool {
        self.distros.is_empty() && self.majors.is_empty() && self.shard.is_none()
    }

    /// Only the images of one distribution and major.
    pub(crate) fn only(distro: &str, major: &str) -> Self {
        Self {
            distros: vec![distro.to_owned()],
            majors: vec![major.to_owned()],
            shard: None,
        }
    }

    fn takes(&self, distro: &str, major: &str) -> bool {
        let among = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|known| known == name)
        };
        among(&self.distros, distro) && among(&self.majors, major)
    }
}

/// One image to build: what bake calls a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Build {
    pub extension: Extension,
    pub distro: String,
    pub pg_major: String,
    /// The full Debian version.
    pub package: String,
    pub sql_version: Option<String>,
    /// The version in names and tags: `0.8.6`.
    pub version: String,
    /// Bake's name for it: `pgvector-0_8_6-18-trixie`.
    pub target: String,
    /// The repository with its registry, without a tag.
    pub image: String,
    /// The base image it is built for and runs in.
    pub base: String,
}

impl Build {
    fn new(extension: &Extension, distro: &str, major: &str, config: &Config) -> Option<Self> {
        let pin = extension.pin(distro, major)?;
        let version = version_of(&pin.package)?;
        let suffix = if config.get(config::ENVIRONMENT) == "testing" {
            "-testing"
        } else {
            ""
        };
        let safe = |c: char| {
            if c.is_ascii_alphanumeric() || c == '-' || c == '_' {
                c
            } else {
                '_'
            }
        };
        let version_in_name: String = version.chars().map(safe).collect();
        let base = config
            .get(config::BASE_IMAGE)
            .replace("{pg}", major)
            .replace("{distro}", distro);
        Some(Self {
            extension: extension.clone(),
            distro: distro.to_owned(),
            pg_major: major.to_owned(),
            package: pin.package.clone(),
            sql_version: pin.sql.clone(),
            target: format!("{}-{version_in_name}-{major}-{distro}", extension.name),
            image: format!(
                "{}/{}{suffix}",
                config.get(config::REGISTRY),
                extension.image_name
            )
            .to_lowercase(),
            version,
            base,
        })
    }

    /// The rolling tag with its repository.
    pub(crate) fn tag(&self) -> String {
        format!(
            "{}:{}-{}-{}",
            self.image, self.version, self.pg_major, self.distro
        )
    }

    /// The timestamped tags of this image, of which bakes leave one behind each.
    pub(crate) fn rotation(&self) -> Rotation {
        Rotation {
            repository: self.image.clone(),
            prefix: format!("{}-", self.version),
            suffix: format!("-{}-{}", self.pg_major, self.distro),
        }
    }
}

/// The images of `extensions` that `filter` takes. Refused when the filter fits none of them.
pub(crate) fn builds(
    extensions: &[Extension],
    filter: &Filter,
    config: &Config,
) -> Result<Vec<Build>, Failure> {
    let all: Vec<Build> = extensions
        .iter()
        .flat_map(|extension| {
            extension.versions.iter().flat_map(move |(distro, majors)| {
                majors
                    .keys()
                    .filter_map(move |major| Build::new(extension, distro, major, config))
            })
        })
        .collect();
    let some = !all.is_empty();
    let known = |name: &dyn Fn(&Build) -> String| {
        let mut names: Vec<String> = all.iter().map(name).collect();
        names.sort();
        names.dedup();
        names
            .iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let hint = format!(
        "the metadata names the distros {} and the majors {}",
        known(&|build| build.distro.clone()),
        known(&|build| build.pg_major.clone())
    );
    let taken: Vec<Build> = all
        .into_iter()
        .filter(|build| filter.takes(&build.distro, &build.pg_major))
        .collect();
    if some && taken.is_empty() {
        let filters = [("--distro", &filter.distros), ("--pg", &filter.majors)]
            .iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(flag, values)| format!("`{flag} {}`", values.join(",")))
            .collect::<Vec<_>>()
            .join(" and ");
        return Err(Failure::invalid(format!("{filters}: no image fits")).hint(hint));
    }
    let taken = match filter.shard {
        None => taken,
        Some(Shard { index, count }) => taken.into_iter().skip(index - 1).step_by(count).collect(),
    };
    Ok(taken)
}

#[cfg(test)]
mod tests;
