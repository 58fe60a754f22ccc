// SPDX-License-Identifier: Apache-2.0
//! Which of the images are meant.

use std::collections::BTreeSet;

use super::{Shard, Target};
use crate::{
    extension::Extension,
    failure::Failure,
    value::{Major, Server},
};

/// Which images of the selected extensions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    /// Empty: all.
    pub distros: Vec<String>,
    /// Empty: all.
    pub majors: Vec<String>,
    /// Of these, by the extensions' names and their own. None: of all.
    pub among: Option<BTreeSet<(String, String)>>,
    /// Of what the others take, only this share.
    pub shard: Option<Shard>,
}

/// A value of a filter that fits no image, beside others that do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unmatched {
    pub flag: &'static str,
    pub value: String,
}

impl Filter {
    pub(crate) fn is_empty(&self) -> bool {
        self.distros.is_empty() && self.majors.is_empty() && self.shard.is_none()
    }

    /// Only the images for one server.
    pub(crate) fn only(distro: &str, major: &str) -> Self {
        Self {
            distros: vec![distro.to_owned()],
            majors: vec![major.to_owned()],
            ..Self::default()
        }
    }

    /// The majors that are asked for; of an extension's own where none is.
    pub(crate) fn majors_of(&self, extension: &Extension) -> Vec<Major> {
        if self.majors.is_empty() {
            return extension.majors();
        }
        let mut majors: Vec<Major> = Vec::new();
        for major in self.majors.iter().filter_map(|text| text.parse().ok()) {
            if !majors.contains(&major) {
                majors.push(major);
            }
        }
        majors
    }

    /// Refuses it where no targets are meant that it could narrow.
    pub(crate) fn check_unused(&self) -> Result<(), Failure> {
        if self.is_empty() {
            return Ok(());
        }
        Err(
            Failure::invalid("`--distro`, `--pg` and `--shard` narrow what targets are taken")
                .hint("name the targets too, or `--all`"),
        )
    }

    /// Whether a target is among those of which the others take some.
    pub(super) fn is_among(&self, target: &Target) -> bool {
        let id = || (target.extension.name.clone(), target.name.clone());
        self.among.as_ref().is_none_or(|all| all.contains(&id()))
    }

    pub(super) fn takes(&self, server: &Server) -> bool {
        let among = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|known| known == name)
        };
        among(&self.distros, &server.distro) && among(&self.majors, &server.major)
    }

    /// What it names that none of these servers has: the flag, and the value.
    pub(super) fn unmatched<'a>(
        &self,
        servers: &(impl Iterator<Item = &'a Server> + Clone),
    ) -> Vec<Unmatched> {
        let distros = self.distros.iter().map(|value| ("--distro", value));
        let majors = self.majors.iter().map(|value| ("--pg", value));
        let is_known = |(flag, value): &(&str, &String)| {
            servers.clone().any(|server| match *flag {
                "--pg" => *server.major == ***value,
                _ => *server.distro == ***value,
            })
        };
        let unknown = distros.chain(majors).filter(|one| !is_known(one));
        unknown
            .map(|(flag, value)| Unmatched {
                flag,
                value: value.clone(),
            })
            .collect()
    }

    /// The flags that narrow the choice, as they are written.
    pub(super) fn flags(&self) -> String {
        [("--distro", &self.distros), ("--pg", &self.majors)]
            .iter()
            .filter(|(_, values)| !values.is_empty())
            .map(|(flag, values)| format!("`{flag} {}`", values.join(",")))
            .collect::<Vec<_>>()
            .join(" and ")
    }
}
