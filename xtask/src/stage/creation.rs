// SPDX-License-Identifier: Apache-2.0
//! A new extension: what is known of it, and the files that it begins with.

mod dockerfile;
mod draft;
mod files;
mod mentions;
mod metadata;
mod own_templates;
mod proof;
mod readme;

pub(crate) use self::{
    draft::{Draft, Known},
    files::Files,
    mentions::Mention,
};

use crate::value::{Name, PackagePattern, Server};

/// A new extension, as it is asked for.
pub(crate) struct Request {
    pub name: Name,
    pub package: PackagePattern,
    /// The package was named.
    pub is_named: bool,
    /// At least one, each once.
    pub servers: Vec<Server>,
    /// It is said to be a module alone.
    pub no_create: bool,
}
