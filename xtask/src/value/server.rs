// SPDX-License-Identifier: Apache-2.0
//! Which PostgreSQL an image is for.

use std::fmt;

use super::{Major, Suite};

/// A PostgreSQL server as far as an extension's files depend on it: the Debian suite that it runs on and its
/// major version. In the order of the suites' names, then of the majors' text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Server {
    pub distro: Suite,
    pub major: Major,
}

impl Server {
    /// From the two texts that say it. None when one of them is none.
    pub(crate) fn parse(distro: &str, major: &str) -> Option<Self> {
        Some(Self {
            distro: distro.parse().ok()?,
            major: major.parse().ok()?,
        })
    }
}

/// As names and tags end: `18-trixie`.
impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.major, self.distro)
    }
}
