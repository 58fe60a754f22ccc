// SPDX-License-Identifier: Apache-2.0
//! What is known of a new extension, and what is left for a person to decide: of its name alone, or of what the archive says.

mod known;
mod needs;
mod servers;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use servers::Known;

use super::{MadeOf, Request, Source};
use crate::value::{
    DebianVersion, Library, Name, PackagePattern, Parameter, Server, SqlName, SqlVersion, Suite,
};

/// What it is pinned to for one server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pin {
    /// None: it is not known.
    pub package: Option<DebianVersion>,
    /// None: it is not known, or nothing is created.
    pub sql: Option<SqlVersion>,
    /// Its archive could not be asked: this is what another distro's has.
    pub of: Option<Suite>,
}

/// A new extension.
#[derive(Clone, Debug)]
pub(crate) struct Draft {
    pub name: Name,
    /// In SQL; of a module alone, what `LOAD` takes.
    pub sql_name: String,
    /// Empty: it is built from source.
    pub packages: Vec<PackagePattern>,
    /// What it is built from where no package has it.
    pub source: Option<Source>,
    /// None: it is not certain which they are.
    pub licences: Option<Vec<String>>,
    pub preload: Vec<Library>,
    pub parameters: BTreeMap<Parameter, String>,
    /// It needs libraries of the system that the base image lacks.
    pub has_libraries: bool,
    pub has_programs: bool,
    /// Directories of extensions that it needs.
    pub required: Vec<Name>,
    /// What else is created.
    pub others: Vec<SqlName>,
    pub is_created: bool,
    /// It is an output plugin of logical decoding.
    pub is_decoder: bool,
    pub pins: BTreeMap<Server, Pin>,
    pub homepage: Option<String>,
    pub summary: Option<String>,
    /// The files of its packages, relative to the image's root. Empty: not known.
    pub files: BTreeSet<String>,
    /// What a person must decide, a sentence each.
    pub undecided: Vec<String>,
}

impl Draft {
    /// What follows from the name.
    pub(crate) fn of(request: &Request) -> Self {
        let pin = Pin {
            package: None,
            sql: None,
            of: None,
        };
        let servers = request.servers.iter().cloned();
        let packages = match &request.made_of {
            MadeOf::Package { name, .. } => vec![name.clone()],
            MadeOf::Source(_) => Vec::new(),
        };
        Self {
            // Hyphens would have to be quoted.
            sql_name: request.name.replace('-', "_"),
            name: request.name.clone(),
            packages,
            source: request.made_of.source().cloned(),
            licences: None,
            preload: Vec::new(),
            parameters: BTreeMap::new(),
            has_libraries: false,
            has_programs: false,
            required: Vec::new(),
            others: Vec::new(),
            is_created: !request.no_create,
            is_decoder: false,
            pins: servers.map(|server| (server, pin.clone())).collect(),
            homepage: None,
            summary: None,
            files: BTreeSet::new(),
            undecided: Vec::new(),
        }
    }

    /// Whether it is known what it holds.
    pub(crate) fn is_known(&self) -> bool {
        self.pins.values().any(|pin| pin.package.is_some())
    }

    /// The server that examples are for: the newest major on the distro that most people have, which the alphabet ends with.
    pub(crate) fn example(&self) -> Option<(&Server, &Pin)> {
        self.pins
            .iter()
            .max_by_key(|(server, _)| (server.major.number(), server.distro.clone()))
    }
}
