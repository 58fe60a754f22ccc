// SPDX-License-Identifier: Apache-2.0
//! Where the libraries that an image's objects need come from: the image itself, or the base image that it is mounted into.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
};

use serde::Serialize;

use super::{Contents, Elf, Entry, Inventory, inventory::is_library};

/// Bytes of a library of a base image that is compared.
const LARGEST: u64 = 512 << 20;

/// A library of a base image, by the name that it is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Provided {
    /// The file that the name leads to.
    file: String,
    build_id: Option<String>,
}

/// The shared libraries of a base image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Provider(BTreeMap<String, Provided>);

impl Provider {
    /// Reads the archive of a base image's files to its end. Those libraries are looked into that one of the images `of` has too.
    pub(crate) fn read(archive: impl Read, of: &[&Inventory]) -> io::Result<Self> {
        let own = of.iter().flat_map(|image| own_libraries(image));
        let stems: BTreeSet<&str> = own.map(|file| stem(file.name())).collect();
        let mut builds = BTreeMap::new();
        let contents = Contents::read(archive, &mut |file, bytes| {
            let is_compared = is_library(file.name()) && stems.contains(stem(file.name()));
            if is_compared && file.size <= LARGEST && is_searched(file.folder()) {
                let mut read = Vec::new();
                bytes.take(LARGEST).read_to_end(&mut read)?;
                let build = Elf::parse(&read).ok().and_then(|elf| elf.build_id);
                builds.insert(file.path.clone(), build);
            }
            Ok(())
        })?;
        let files: BTreeMap<&str, &Entry> = contents
            .files
            .iter()
            .map(|file| (file.path.as_str(), file))
            .collect();
        let found = contents.files.iter().filter(|file| {
            (is_library(file.name()) || file.name().starts_with("ld-linux"))
                && is_searched(file.folder())
        });
        let found = found.map(|file| {
            let path = followed(&files, &file.path);
            let build_id = builds.get(&path).cloned().flatten();
            let file_name = path.rsplit('/').next().unwrap_or_default().to_owned();
            let provided = Provided {
                file: file_name,
                build_id,
            };
            (file.name().to_owned(), provided)
        });
        Ok(Self(found.collect()))
    }
}

/// Where the dynamic linker of a Debian looks: the folder of the architecture, and below it where alternatives are in use.
fn is_searched(folder: &str) -> bool {
    let mut parts = folder.trim_start_matches('/').split('/').peekable();
    parts.next_if(|part| *part == "usr");
    parts.next_if(|part| *part == "local");
    let is_lib = parts.next().is_some_and(|part| part.starts_with("lib"));
    match (is_lib, parts.next(), parts.next(), parts.next()) {
        (true, None, ..) => true,
        (true, Some(architecture), _, None) => architecture.contains("-linux-"),
        _ => false,
    }
}

/// The file that a path leads to, by way of links within the archive. A name in the image of a merged `/usr` leads there.
fn followed(files: &BTreeMap<&str, &Entry>, path: &str) -> String {
    let mut path = path.to_owned();
    // As many as Linux follows.
    for _ in 0..40 {
        let Some(link) = files
            .get(path.as_str())
            .and_then(|file| file.link.as_deref())
        else {
            break;
        };
        let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
        path = match link.strip_prefix('/') {
            Some(absolute) => format!("/{absolute}"),
            None => joined(folder, link),
        };
    }
    path
}

/// A relative path from a folder on; nothing leads above the root.
fn joined(folder: &str, link: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// `libgeos_c` of `libgeos_c.so.1.19.2`.
fn stem(name: &str) -> &str {
    name.find(".so").map_or(name, |at| &name[..at])
}

/// The files and links of an image that are called as libraries are.
fn own_libraries(image: &Inventory) -> impl Iterator<Item = &Entry> {
    let files = image.contents.files.iter();
    files.filter(|file| is_library(file.name()))
}

/// Where a library that is needed comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase", tag = "from")]
pub(crate) enum Source {
    /// A file of the image itself.
    Image { path: String },
    /// One of the image, in a folder that the linker is not told of.
    Unsearched { path: String },
    /// One of the image, and it is not known in which folders a server looks.
    Unplaced { path: String },
    /// The base image.
    Base,
    /// Nowhere.
    Missing,
    /// Not the image; and the base image is not known.
    Unknown,
}

impl Source {
    /// A word for people.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Image { .. } => "of the image",
            Self::Unsearched { .. } => "of the image, not on the path",
            Self::Unplaced { .. } => "of the image, if its folder is on the path",
            Self::Base => "of the base image",
            Self::Missing => "missing",
            Self::Unknown => "from elsewhere",
        }
    }
}

/// A library that an object needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Need {
    pub object: String,
    pub library: String,
    #[serde(flatten)]
    pub source: Source,
}

/// A library of the image that the base image has too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Shared {
    pub library: String,
    /// The image's file, and the base image's.
    pub image: String,
    pub base: String,
    pub how: How,
}

/// How the two are to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum How {
    /// Of the same build.
    Same,
    /// Looked for by the same name, and of another build: the server and what it has loaded use the image's.
    Other,
    /// Looked for by another name: both are loaded.
    Beside,
}

/// What is told of an image's libraries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Libraries {
    pub needs: Vec<Need>,
    pub shared: Vec<Shared>,
}

impl Libraries {
    /// `searched`: the folders that the linker is told of, without a `/` before them; None: they are not known.
    /// `base`: None: it is not known.
    pub(crate) fn of(
        image: &Inventory,
        searched: Option<&[String]>,
        base: Option<&Provider>,
    ) -> Self {
        let mut by_name: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
        for file in own_libraries(image) {
            by_name.entry(file.name()).or_default().push(file);
        }
        let mut found = Self::default();
        for (object, elf) in image.read_objects() {
            let own = object.rsplit_once('/').map_or("", |(folder, _)| folder);
            let is_found = |file: &&&Entry| is_on_path(file, own, elf, searched);
            for library in &elf.needed {
                let files = by_name.get(library.as_str());
                let files = files.map(Vec::as_slice).unwrap_or_default();
                let source = match (files.iter().find(is_found), files.first(), base) {
                    (Some(file), ..) => Source::Image {
                        path: file.path.clone(),
                    },
                    (None, _, Some(base)) if base.0.contains_key(library) => Source::Base,
                    (None, Some(file), _) if searched.is_none() => Source::Unplaced {
                        path: file.path.clone(),
                    },
                    (None, Some(file), _) => Source::Unsearched {
                        path: file.path.clone(),
                    },
                    (None, None, Some(_)) => Source::Missing,
                    (None, None, None) => Source::Unknown,
                };
                found.needs.push(Need {
                    object: object.to_owned(),
                    library: library.clone(),
                    source,
                });
            }
        }
        if let Some(base) = base {
            found.shared = shared(image, base);
        }
        found
    }
}

/// Whether the linker finds a file for an object: where the object itself says, or along the path that the server has.
fn is_on_path(file: &Entry, own: &str, elf: &Elf, searched: Option<&[String]>) -> bool {
    let folder = file.folder();
    let of_object = elf.run_path.iter().any(|path| {
        let path = path.replace("${ORIGIN}", own).replace("$ORIGIN", own);
        joined("", &path) == folder
    });
    let on_path = |all: &[String]| {
        let mut all = all.iter();
        all.any(|searched| searched.trim_matches('/') == folder.trim_matches('/'))
    };
    of_object || searched.is_some_and(on_path)
}

/// The libraries of the image that the base image has too: by the names that they are looked for.
fn shared(image: &Inventory, base: &Provider) -> Vec<Shared> {
    let mut shared = Vec::new();
    for (path, elf) in image.read_objects() {
        let file = path.rsplit('/').next().unwrap_or_default();
        let Some(library) = elf.soname.as_deref().filter(|name| is_library(name)) else {
            continue;
        };
        let one = |of: &Provided, how| Shared {
            library: library.to_owned(),
            image: file.to_owned(),
            base: of.file.clone(),
            how,
        };
        if let Some(same_name) = base.0.get(library) {
            let is_same = elf.build_id.is_some() && elf.build_id == same_name.build_id;
            let how = if is_same { How::Same } else { How::Other };
            shared.push(one(same_name, how));
            continue;
        }
        let mut others = base.0.iter();
        if let Some((_, other)) = others.find(|(name, _)| stem(name) == stem(library)) {
            shared.push(one(other, How::Beside));
        }
    }
    shared
}
