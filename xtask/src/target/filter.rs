// SPDX-License-Identifier: Apache-2.0
//! Which of the images are meant.

use super::Shard;
use crate::{
    extension::Extension,
    value::{Major, Server},
};

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

impl Filter {
    pub(crate) fn is_empty(&self) -> bool {
        self.distros.is_empty() && self.majors.is_empty() && self.shard.is_none()
    }

    /// Only the images for one server.
    pub(crate) fn only(distro: &str, major: &str) -> Self {
        Self {
            distros: vec![distro.to_owned()],
            majors: vec![major.to_owned()],
            shard: None,
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

    pub(super) fn takes(&self, server: &Server) -> bool {
        let among = |names: &[String], name: &str| {
            names.is_empty() || names.iter().any(|known| known == name)
        };
        among(&self.distros, &server.distro) && among(&self.majors, &server.major)
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
