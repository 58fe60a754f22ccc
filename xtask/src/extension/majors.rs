// SPDX-License-Identifier: Apache-2.0
//! The PostgreSQL majors of an extension, and what an image for another one would be like.

use super::Extension;
use crate::value::{Major, PackageName, Server};

impl Extension {
    /// The majors that it is built for.
    pub(crate) fn majors(&self) -> Vec<Major> {
        let majors = self.versions.keys().map(|server| server.major.clone());
        let mut majors: Vec<Major> = majors.collect();
        majors.sort_by_key(Major::number);
        majors.dedup();
        majors
    }

    /// The servers whose images are like one for a major: those of that major, or else of the newest one.
    pub(crate) fn servers_like(&self, major: &Major) -> Vec<&Server> {
        let majors = self.majors();
        let like = majors.iter().find(|own| *own == major).or(majors.last());
        let servers = self.versions.keys();
        servers
            .filter(|server| Some(&server.major) == like)
            .collect()
    }

    /// What the Debian package is called that an image for a major is made of, where it is like the one for `server`. None: it is
    /// not known.
    pub(crate) fn package_name(&self, server: &Server, major: &Major) -> Option<PackageName> {
        let pinned = self.pin(server)?.package_name()?;
        if server.major == *major {
            return Some(pinned.clone());
        }
        match self.packages.first() {
            Some(pattern) => Some(pattern.package(major)).filter(|name| name != pinned),
            None => pinned.for_major(&server.major, major),
        }
    }

    /// The Debian packages that an image for a major is made of: those that metadata names, or the one whose version it follows.
    pub(crate) fn package_names(&self, major: &Major) -> Vec<PackageName> {
        if !self.packages.is_empty() {
            let patterns = self.packages.iter();
            return patterns.map(|pattern| pattern.package(major)).collect();
        }
        let mut like = self.servers_like(major).into_iter();
        let name = like.find_map(|server| self.package_name(server, major));
        name.into_iter().collect()
    }
}
