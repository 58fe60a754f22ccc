// SPDX-License-Identifier: Apache-2.0
//! A new extension: what is known of it, and the files that it begins with.

mod asked;
mod dockerfile;
mod draft;
mod files;
mod mentions;
mod metadata;
mod own_templates;
mod proof;
mod readme;
mod source;

pub(crate) use self::{
    asked::{Asked, Bases, others, say_stand_ins},
    draft::{Draft, Known},
    files::Files,
    mentions::Mention,
    source::{ANSWER, Builder, Source},
};

use crate::value::{Name, PackagePattern, Server};

/// A new extension, as it is asked for.
pub(crate) struct Request {
    pub name: Name,
    pub made_of: MadeOf,
    /// At least one, each once.
    pub servers: Vec<Server>,
    /// It is said to be a module alone.
    pub no_create: bool,
}

/// What its image is made of.
pub(crate) enum MadeOf {
    /// A package of Debian's, which was named or follows from the name.
    Package {
        name: PackagePattern,
        is_named: bool,
    },
    Source(Source),
}

impl MadeOf {
    pub(crate) fn source(&self) -> Option<&Source> {
        match self {
            Self::Package { .. } => None,
            Self::Source(source) => Some(source),
        }
    }
}
