// SPDX-License-Identifier: Apache-2.0
//! What copies images says of their layers: docker, oras, skopeo and crane.

use super::Reading;

pub(super) fn read(line: &str) -> Option<Reading> {
    layer(line).or_else(|| named(line)).or_else(|| copied(line))
}

/// How many digits of a layer docker prints.
const DOCKERS: usize = 12;

/// `a1b2c3d4e5f6: Downloading [==>    ]  5.3MB/30MB`, `a1b2c3d4e5f6: Pull complete`
fn layer(line: &str) -> Option<Reading> {
    let (id, what) = line.split_once(": ")?;
    if id.len() != DOCKERS || !id.bytes().all(|c| c.is_ascii_hexdigit()) {
        return None;
    }
    let verb = what.split(' ').next()?.to_ascii_lowercase();
    let far = what.split_once(']').map(|(_, far)| far.trim());
    match (verb.as_str(), far) {
        ("downloading" | "extracting" | "pushing", Some(far)) => {
            Some(Reading::words(format!("{verb} layer {id}: {far}")))
        }
        _ if what == "Pull complete" => Some(Reading::words(format!("pulled layer {id}"))),
        _ if what == "Pushed" => Some(Reading::words(format!("pushed layer {id}"))),
        _ => Some(Reading::Nothing),
    }
}

/// `18: Pulling from library/postgres`, `Digest: sha256:…`, `18: digest: sha256:… size: 528`
fn named(line: &str) -> Option<Reading> {
    // A container's id, which docker prints when it has started it.
    let is_id = line.len() == 64 && line.bytes().all(|c| c.is_ascii_hexdigit());
    if is_id || line.starts_with("Digest: sha256:") || line.contains(": digest: sha256:") {
        return Some(Reading::Nothing);
    }
    let (tag, name) = line.split_once(": Pulling from ")?;
    Some(Reading::words(format!("pull {name}:{tag}")))
}

/// skopeo's `Copying blob …`, crane's `pushed blob: sha256:…`, oras' `Uploading 44136fa355b3 config.json`
fn copied(line: &str) -> Option<Reading> {
    match line {
        "Getting image source signatures" | "Storing signatures" => return Some(Reading::Nothing),
        "Writing manifest to image destination" => {
            return Some(Reading::words("write the manifest"));
        }
        _ => {}
    }
    let known = [
        ("Copying blob ", "copy layer"),
        ("Copying config ", "copy configuration"),
        ("pushed blob: ", "pushed layer"),
        ("existing blob: ", "there already: layer"),
        ("mounted blob: ", "there already: layer"),
    ];
    let (rest, what) = known
        .iter()
        .find_map(|(start, what)| Some((line.strip_prefix(start)?, what)))?;
    let digest = rest.split(' ').next().unwrap_or_default();
    Some(Reading::words(format!("{what} {digest}")))
}
