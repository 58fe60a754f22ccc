// SPDX-License-Identifier: Apache-2.0
//! `BuildKit`'s plain progress: `#6 [builder 2/3] RUN …`, `#6 0.43 …`, `#6 DONE 0.5s`.

use super::Reading;
use crate::tool::buildkit::step;

pub(super) fn read(line: &str) -> Option<Reading> {
    let rest = line.strip_prefix('#')?;
    let number = rest.bytes().take_while(u8::is_ascii_digit).count();
    let rest = rest[number..].strip_prefix(' ').filter(|_| number > 0)?;
    let first = rest.split(' ').next().unwrap_or_default();
    if let Some(error) = rest.strip_prefix("ERROR: ") {
        return Some(Reading::words(step::in_short(error)));
    }
    // What a vertex's command has printed.
    if first.contains('.') && first.bytes().all(|c| c == b'.' || c.is_ascii_digit()) {
        let said = rest[first.len()..].trim_start();
        return Some(Reading::Of(said.to_owned()));
    }
    if let Some((place, what)) = rest
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
    {
        return Some(vertex(place, what));
    }
    Some(progress(rest))
}

/// `[internal] load metadata for …` is of no stage; of a stage's commands, what they mount is not what they do.
fn vertex(place: &str, what: &str) -> Reading {
    if place == "internal" {
        return match what.strip_prefix("load metadata for ") {
            Some(image) => Reading::Words(format!("look up {image}")),
            None => Reading::Words(what.to_owned()),
        };
    }
    let what = match what.strip_prefix("RUN ") {
        Some(command) => {
            let words: Vec<&str> = command
                .split(' ')
                .skip_while(|word| word.starts_with("--"))
                .collect();
            match words[..] {
                ["set", options, ref rest @ ..] if options.ends_with(';') => rest.join(" "),
                _ => words.join(" "),
            }
        }
        None => what.to_owned(),
    };
    Reading::Words(format!("{place}: {what}"))
}

fn progress(text: &str) -> Reading {
    let done = text.strip_suffix(" done").unwrap_or(text);
    let what = done.split(" sha256:").next().unwrap_or(done);
    if let Some(rest) = done.strip_prefix("sha256:") {
        // `sha256:… 12.58MB / 30.1MB 1.2s`
        let mut words = rest.split(' ').skip(1);
        return match (words.next(), words.next(), words.next()) {
            (Some(have), Some("/"), Some(all)) => {
                Reading::Words(format!("download a layer: {have} of {all}"))
            }
            _ => Reading::Nothing,
        };
    }
    let is_small = ["DONE", "CACHED", "...", "resolve ", "transferring "];
    if is_small.iter().any(|start| text.starts_with(start)) {
        return Reading::Nothing;
    }
    // The name of an image, without its digest, is enough.
    Reading::Words(what.to_owned())
}
