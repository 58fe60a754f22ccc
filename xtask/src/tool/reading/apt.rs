// SPDX-License-Identifier: Apache-2.0
//! apt, dpkg and mmdebstrap.

use super::Reading;

pub(super) fn read(line: &str) -> Option<Reading> {
    fetched(line).or_else(|| installed(line))
}

/// `Get:5 http://… forky/main amd64 libgdal36 amd64 3.11.4 [8,392 kB]`, `Hit:1 …`, `Err:3 …`
fn fetched(line: &str) -> Option<Reading> {
    let (mark, rest) = line.split_once(':')?;
    if !matches!(mark, "Get" | "Hit" | "Ign" | "Err")
        || !rest.starts_with(|c: char| c.is_ascii_digit())
    {
        return None;
    }
    let (_, rest) = rest.split_once(' ')?;
    let (what, size) = match rest.split_once(" [") {
        Some((what, size)) => (what, format!(" ({}", size.replacen(']', ")", 1))),
        None => (rest, String::new()),
    };
    let words: Vec<&str> = what.split(' ').collect();
    let what = match words[..] {
        // Of a package: archive, suite, architecture, name, architecture, version.
        [_, _, _, name, _, version] => format!("{name} {version}"),
        [_, ref rest @ ..] if !rest.is_empty() => rest.join(" "),
        _ => what.to_owned(),
    };
    match mark {
        "Get" => Some(Reading::words(format!("download {what}{size}"))),
        "Err" => Some(Reading::words(format!("cannot download {what}{size}"))),
        _ => Some(Reading::Nothing),
    }
}

fn installed(line: &str) -> Option<Reading> {
    for (start, verb) in [("Unpacking ", "unpack"), ("Setting up ", "set up")] {
        if let Some(rest) = line.strip_prefix(start) {
            // `libgdal36:amd64 (3.11.4-1) over (3.11.3-1) ...`
            let (name, rest) = rest.split_once(' ')?;
            let name = name.split(':').next().unwrap_or(name);
            let version = rest.strip_prefix('(')?.split(')').next()?;
            return Some(Reading::words(format!("{verb} {name} {version}")));
        }
    }
    if line.starts_with("(Reading database ") {
        return Some(Reading::words("read dpkg's database"));
    }
    if let Some(rest) = line.strip_prefix("I: ") {
        return Some(Reading::words(rest.trim_end_matches('.')));
    }
    let is_small = ["Selecting previously unselected ", "Preparing to unpack "];
    if is_small.iter().any(|start| line.starts_with(start)) {
        return Some(Reading::Nothing);
    }
    let reads = [
        "Reading package lists...",
        "Building dependency tree...",
        "Reading state information...",
    ];
    let read = reads.iter().find(|start| line.starts_with(**start))?;
    Some(Reading::words(read.trim_end_matches('.')))
}
