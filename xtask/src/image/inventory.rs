// SPDX-License-Identifier: Apache-2.0
//! All that is in an image, read once from the archive of its files. Whoever made the image is not trusted: each file is read
//! up to a limit, nothing is unpacked and nothing is run.

use std::{
    collections::BTreeSet,
    io::{self, Read},
};

use serde::Serialize;

use super::{Contents, Elf, Entry, controls, copyright, elf, scripts::Scripts, status};
use crate::{
    image::{Installed, SqlExtension},
    value::{DebianVersion, Digest, Licence},
};

/// Bytes of a file that is looked into. Of a larger one nothing but its size is known.
const LARGEST: u64 = 512 << 20;
/// Bytes of a script or of a copyright file that are read.
const LONGEST_TEXT: usize = 16 << 20;

/// A shared object or a program of an image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Object {
    /// From the image's root on, with `/` before it.
    pub path: String,
    #[serde(flatten)]
    pub says: Said,
}

/// What an object says, or why it cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Said {
    Read(Elf),
    Broken { broken: String },
}

/// A package of which an image has the copyright file: `/licenses/<package>/copyright`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Document {
    pub package: String,
    pub path: String,
    /// None: the file says it for people alone.
    pub licence: Option<Licence>,
}

/// What is in an image.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Inventory {
    pub contents: Contents,
    pub objects: Vec<Object>,
    pub extensions: Vec<SqlExtension>,
    pub documents: Vec<Document>,
    pub packages: Vec<Installed>,
    /// Files that say something, and are too large to be read, or to be read to their end.
    pub unread: Vec<String>,
}

impl Inventory {
    /// Reads an archive to its end. Fails where it is none, or has been cut off.
    pub(crate) fn read(archive: impl Read) -> io::Result<Self> {
        let mut found = Self::default();
        let mut scripts = Scripts::default();
        found.contents = Contents::read(archive, &mut |file, bytes| {
            if file.size > LARGEST {
                if says_something(file) {
                    found.unread.push(file.path.clone());
                }
                return Ok(());
            }
            let mut text = Vec::new();
            bytes.take(LARGEST).read_to_end(&mut text)?;
            file.digest = Some(Digest::of(&text));
            found.look_into(file, &text, &mut scripts);
            Ok(())
        })?;
        found.keep_what_says_licences();
        found.objects.sort_by(|a, b| a.path.cmp(&b.path));
        found.documents.sort_by(|a, b| a.path.cmp(&b.path));
        found.packages.sort();
        found.extensions = scripts.extensions();
        Ok(found)
    }

    /// Texts of licences that stand beside a copyright file for machines are what that speaks of.
    fn keep_what_says_licences(&mut self) {
        let is_for_machines =
            |one: &&Document| one.licence.is_some() && one.path.ends_with("/copyright");
        let said = self.documents.iter().filter(is_for_machines);
        let said: BTreeSet<String> = said.map(|one| one.package.clone()).collect();
        let documents = &mut self.documents;
        documents.retain(|one| one.licence.is_some() || !said.contains(&one.package));
    }

    fn look_into(&mut self, file: &Entry, bytes: &[u8], scripts: &mut Scripts) {
        let is_text = !elf::is_elf(bytes) && !is_library(file.name());
        let is_control = file.name().ends_with(".control");
        let most = if is_control {
            controls::LONGEST
        } else {
            LONGEST_TEXT
        };
        if is_text && bytes.len() > most && says_something(file) {
            self.unread.push(file.path.clone());
        }
        let text = |most: usize| String::from_utf8_lossy(&bytes[..bytes.len().min(most)]);
        let (folder, name) = (file.folder(), file.name());
        if elf::is_elf(bytes) || is_library(name) {
            let says = match Elf::parse(bytes) {
                Ok(says) => Said::Read(says),
                Err(broken) => Said::Broken { broken },
            };
            let path = file.path.clone();
            self.objects.push(Object { path, says });
        } else if let Some(name) = name.strip_suffix(".control") {
            scripts.control(folder, name, &text(controls::LONGEST));
        } else if let Some(name) = name.strip_suffix(".sql") {
            scripts.script(folder, name, &text(LONGEST_TEXT));
        } else if let Some(package) = folder.strip_prefix("/licenses/") {
            self.documents.push(Document {
                package: package.to_owned(),
                path: file.path.clone(),
                licence: copyright::licence(&text(LONGEST_TEXT)),
            });
        } else if folder == status::FOLDER || file.path == status::FILE {
            let packages = status::packages(&text(LONGEST_TEXT));
            self.packages.extend(packages);
        }
    }

    /// The version of a package, as the image says it.
    pub(crate) fn version(&self, package: &str) -> Option<&DebianVersion> {
        let mut packages = self.packages.iter();
        Some(&packages.find(|one| *one.package == *package)?.version)
    }

    /// The objects that can be read.
    pub(crate) fn read_objects(&self) -> impl Iterator<Item = (&str, &Elf)> {
        self.objects.iter().filter_map(|object| match &object.says {
            Said::Read(elf) => Some((object.path.as_str(), elf)),
            Said::Broken { .. } => None,
        })
    }
}

/// Whether a file is one that is looked into, by its name.
fn says_something(file: &Entry) -> bool {
    let (folder, name) = (file.folder(), file.name());
    let is_text = [".control", ".sql"].iter().any(|end| name.ends_with(end));
    let is_licence = folder.starts_with("/licenses/");
    let is_status = folder == status::FOLDER || file.path == status::FILE;
    is_library(name) || is_text || is_licence || is_status
}

/// `libx.so`, `libx.so.1`: a file that is called so is to be one.
pub(super) fn is_library(name: &str) -> bool {
    match name.find(".so") {
        None => false,
        Some(at) => {
            let rest = &name[at + 3..];
            rest.chars().all(|c| c == '.' || c.is_ascii_digit())
        }
    }
}
