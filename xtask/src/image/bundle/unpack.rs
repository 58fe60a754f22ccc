// SPDX-License-Identifier: Apache-2.0
//! Reads a bundle, whoever has made it: nothing leaves its folder, every blob has the digest that it is called by, and all is there that the
//! index speaks of.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Read},
    path::Path,
};

use serde_json::Value;
use tar::{Archive, Entry, EntryType};

use super::{BLOBS, Descriptor, INDEX, Index, LAYOUT, LONGEST};
use crate::{
    failure::Failure,
    own::{Location, file, source},
    printable::printable,
    value::Digest,
};

/// A bundle in a folder.
#[derive(Debug)]
pub(crate) struct Unpacked {
    pub blobs: usize,
    /// Of all blobs, in bytes.
    pub size: u64,
}

/// What a bundle says that it holds: its beginning is enough.
pub(crate) fn index(bundle: impl Read) -> Result<Index, Failure> {
    let mut archive = Archive::new(bundle);
    let mut entries = archive.entries().map_err(|error| unreadable(&error))?;
    let (_, index) = head(&mut entries)?;
    Ok(index)
}

/// Writes a bundle's files into a folder, as a layout that tools read. What is wrong with it is said before anybody uses it.
pub(crate) fn unpack(bundle: impl Read, folder: &Location) -> Result<Unpacked, Failure> {
    let mut archive = Archive::new(bundle);
    let mut entries = archive.entries().map_err(|error| unreadable(&error))?;
    let (texts, index) = head(&mut entries)?;
    file::make_folder(&folder.below(BLOBS))?;
    for (path, text) in [LAYOUT, INDEX].iter().zip(&texts) {
        file::write_private(&folder.below(path), text)?;
    }
    let mut sizes: BTreeMap<Digest, u64> = BTreeMap::new();
    for entry in entries {
        let mut entry = entry.map_err(|error| unreadable(&error))?;
        let Some((path, digest)) = blob(&entry)? else {
            continue;
        };
        if sizes.contains_key(&digest) {
            return Err(refused(&format!("it has `{digest}` twice")));
        }
        let mut seen = Ok((digest.clone(), 0));
        file::write_with(&folder.below(&path), &mut |to| {
            let mut copy = Copying {
                from: &mut entry,
                to,
                is_full: false,
            };
            let read = Digest::of_all(&mut copy);
            if copy.is_full {
                return read.map(drop);
            }
            seen = read;
            Ok(())
        })?;
        let (found, size) = seen.map_err(|error| unreadable(&error))?;
        if found != digest {
            return Err(refused(&format!("what it has as `{digest}` is `{found}`")));
        }
        sizes.insert(digest, size);
    }
    check_complete(&index, &sizes, folder)?;
    Ok(Unpacked {
        blobs: sizes.len(),
        size: sizes.values().sum(),
    })
}

/// The two files that say what the rest is, which stand first. Gives their texts, too.
fn head<R: Read>(entries: &mut tar::Entries<'_, R>) -> Result<([String; 2], Index), Failure> {
    let mut read = |wanted: &str| {
        let entry = entries
            .next()
            .transpose()
            .map_err(|error| unreadable(&error))?;
        let is_it = |entry: &Entry<'_, R>| {
            entry.header().entry_type() == EntryType::Regular
                && *entry.path_bytes() == *wanted.as_bytes()
        };
        let entry = entry.filter(is_it).ok_or_else(|| {
            refused(&format!(
                "`{wanted}` does not stand where `cargo xtask bundle export` puts it"
            ))
        })?;
        let mut text = String::new();
        let read = entry.take(LONGEST).read_to_string(&mut text);
        read.map_err(|error| unreadable(&error))?;
        Ok::<String, Failure>(text)
    };
    let texts = [read(LAYOUT)?, read(INDEX)?];
    let layout: Value = serde_json::from_str(&texts[0]).unwrap_or_default();
    if layout["imageLayoutVersion"] != "1.0.0" {
        return Err(refused(
            "it is of another version than 1.0.0 of OCI's layout",
        ));
    }
    let index = Index::parse(&texts[1]).map_err(|why| refused(&why))?;
    Ok((texts, index))
}

/// The path of a blob and its digest. None: it is a folder. Whatever else there is, is refused.
fn blob<R: Read>(entry: &Entry<'_, R>) -> Result<Option<(String, Digest)>, Failure> {
    let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
    let kind = entry.header().entry_type();
    if kind == EntryType::Directory
        && ["blobs", "blobs/sha256"].contains(&path.trim_end_matches('/'))
    {
        return Ok(None);
    }
    let digest = path
        .strip_prefix(BLOBS)
        .and_then(|hex| format!("sha256:{hex}").parse().ok());
    match digest {
        Some(digest) if kind == EntryType::Regular => Ok(Some((path, digest))),
        _ => Err(refused(&format!(
            "it holds `{}`, which is no blob",
            printable(&path)
        ))),
    }
}

/// Refuses a bundle without all that its index, and the manifests in it, speak of.
fn check_complete(
    index: &Index,
    sizes: &BTreeMap<Digest, u64>,
    folder: &Location,
) -> Result<(), Failure> {
    let mut left: Vec<Descriptor> = index.manifests.clone();
    let mut seen: BTreeSet<Descriptor> = BTreeSet::new();
    while let Some(one) = left.pop() {
        if !seen.insert(one.clone()) {
            continue;
        }
        let digest = &one.digest;
        match sizes.get(digest) {
            None => return Err(refused(&format!("`{digest}` is missing"))),
            Some(size) if *size != one.size => {
                return Err(refused(&format!(
                    "`{digest}` has {size} bytes in place of {}",
                    one.size
                )));
            }
            Some(_) if !one.lists => {}
            Some(_) => left.extend(listed(digest, folder)?),
        }
    }
    Ok(())
}

/// What an index or a manifest lists.
fn listed(digest: &Digest, folder: &Location) -> Result<Vec<Descriptor>, Failure> {
    let value = read(digest, folder)?;
    let lists = ["manifests", "layers", "blobs"].map(|list| value[list].as_array());
    let entries = lists.into_iter().flatten().flatten();
    let config = value.get("config").into_iter();
    let all = entries.chain(config).map(Descriptor::of);
    let all: Result<Vec<Descriptor>, String> = all.collect();
    all.map_err(|why| refused(&format!("`{digest}`: {why}")))
}

/// A manifest of an unpacked bundle.
fn read(digest: &Digest, folder: &Location) -> Result<Value, Failure> {
    let text = text_of(digest, folder)?;
    serde_json::from_str(&text).map_err(|error| refused(&format!("`{digest}` is no JSON: {error}")))
}

fn text_of(digest: &Digest, folder: &Location) -> Result<String, Failure> {
    let hex = digest.trim_start_matches("sha256:");
    let text = source::read_own(folder, Path::new(&format!("{BLOBS}{hex}")))?;
    text.ok_or_else(|| refused(&format!("`{digest}` is missing")))
}

impl Index {
    /// The operator's manifest of an unpacked bundle, and what its image is called there.
    pub(crate) fn operator_in(
        &self,
        folder: &Location,
    ) -> Result<Option<(String, String)>, Failure> {
        let Some((artifact, image)) = &self.operator else {
            return Ok(None);
        };
        let value = read(artifact, folder)?;
        let layer = &value["layers"][0]["digest"];
        let layer: Option<Digest> = layer.as_str().and_then(|text| text.parse().ok());
        let layer = layer.ok_or_else(|| refused("its operator's manifest is not in it"))?;
        Ok(Some((text_of(&layer, folder)?, image.clone())))
    }
}

/// Writes what is read through it.
struct Copying<'a, R> {
    from: R,
    to: &'a mut dyn io::Write,
    /// It was not the reading that failed.
    is_full: bool,
}

impl<R: Read> Read for Copying<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        let written = self.to.write_all(&buffer[..read]);
        self.is_full = written.is_err();
        written.map(|()| read)
    }
}

fn refused(why: &str) -> Failure {
    Failure::invalid(format!("the bundle is damaged, or is none: {why}"))
        .hint("nothing of it was used; copy it again, and compare its checksum with that of where it was made")
}

fn unreadable(error: &io::Error) -> Failure {
    refused(&error.to_string())
}
