// SPDX-License-Identifier: Apache-2.0
//! What a pattern finds, for people: its words, with `…` for whatever may stand between them.

/// Stands for what differs from time to time.
const ANY: &str = "…";
/// Of a pattern that finds more than these, the first is enough to know it by.
const MOST_WAYS: usize = 4;

/// A text with `…` in the places of what was found: `$1` and so on.
pub(super) fn without_parts(text: &str) -> String {
    let numbers: Vec<String> = (1..10).map(|part| format!("${part}")).collect();
    let text = numbers
        .iter()
        .fold(text.to_owned(), |text, part| text.replace(part, ANY));
    once(&text)
}

/// What the pattern finds, and whether there is more like it: of many things that differ in a word, one is enough.
pub(super) fn ways(pattern: &str) -> (Vec<String>, bool) {
    let mut rest = pattern;
    let mut ways = alternatives(&mut rest);
    let more = ways.len() > MOST_WAYS;
    if more {
        ways.truncate(1);
    }
    let mut shown: Vec<String> = Vec::new();
    for way in &ways {
        let way = once(way);
        let way = way.trim().to_owned();
        // `no space` and `No space` are one thing to a reader.
        if !shown.iter().any(|one| one.eq_ignore_ascii_case(&way)) {
            shown.push(way);
        }
    }
    (shown, more)
}

/// `…` once, however much stands there.
fn once(text: &str) -> String {
    let mut text = text.to_owned();
    while text.contains("……") {
        text = text.replace("……", ANY);
    }
    text
}

/// The ways through a pattern up to its end, or to the end of the group that it begins in.
fn alternatives(rest: &mut &str) -> Vec<String> {
    let mut done = Vec::new();
    let mut now = vec![String::new()];
    while let Some(c) = next(rest) {
        match c {
            '|' => done.append(&mut std::mem::replace(&mut now, vec![String::new()])),
            ')' => break,
            '(' => {
                let named = rest.strip_prefix("?:");
                let is_part = named.is_none();
                *rest = named.unwrap_or(rest);
                let inner = alternatives(rest);
                // A part that is found as anything is nothing to look for.
                let inner = if quantified(rest) {
                    vec![String::new()]
                } else if is_part && inner.len() > MOST_WAYS {
                    vec![ANY.to_owned()]
                } else {
                    inner
                };
                now = now
                    .iter()
                    .flat_map(|way| inner.iter().map(move |more| format!("{way}{more}")))
                    .collect();
            }
            _ => {
                let text = one(c, rest);
                for way in &mut now {
                    way.push_str(&text);
                }
            }
        }
    }
    done.append(&mut now);
    done
}

/// What one character of a pattern, or one class of characters, finds.
fn one(c: char, rest: &mut &str) -> String {
    let found = match c {
        '^' | '$' => return String::new(),
        '.' => ANY.to_owned(),
        '[' => class(rest),
        '\\' => match next(rest) {
            Some('d' | 'w' | 's' | 'S') => ANY.to_owned(),
            // The end of a line, and of the pattern.
            Some('n') | None => String::new(),
            Some(literal) => literal.to_string(),
        },
        '{' => {
            // A list of names that is filled in: `{contrib}`.
            let end = rest.find('}').map_or(rest.len(), |at| at + 1);
            *rest = &rest[end..];
            ANY.to_owned()
        }
        literal => literal.to_string(),
    };
    if quantified(rest) {
        // Spaces may be several; of a letter that may be missing the reader needs to know nothing.
        return if found == ANY { found } else { String::new() };
    }
    found
}

/// Two spellings of a letter are the second one; anything else may be many.
fn class(rest: &mut &str) -> String {
    let end = rest[1..].find(']').map_or(rest.len(), |at| at + 1);
    let inside = &rest[..end];
    *rest = rest.get(end + 1..).unwrap_or_default();
    let mut letters = inside.chars();
    match (letters.next(), letters.next(), letters.next()) {
        (Some(upper), Some(lower), None) if upper.eq_ignore_ascii_case(&lower) => lower.to_string(),
        _ => ANY.to_owned(),
    }
}

/// Reads what says how often the last thing may stand. Whether there was such.
fn quantified(rest: &mut &str) -> bool {
    let all = *rest;
    if let Some(after) = rest.strip_prefix('{').and_then(|after| {
        let end = after.find('}')?;
        let counts = after[..end].chars().all(|c| c.is_ascii_digit() || c == ',');
        counts.then(|| &after[end + 1..])
    }) {
        *rest = after;
    }
    *rest = rest.trim_start_matches(['*', '+', '?']);
    rest.len() < all.len()
}

fn next(rest: &mut &str) -> Option<char> {
    let mut chars = rest.chars();
    let c = chars.next()?;
    *rest = chars.as_str();
    Some(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_shown_by_its_words() {
        for (pattern, shown) in [
            (r"proxyconnect", &["proxyconnect"][..]),
            (
                r"permission denied.*docker\.sock|docker\.sock.*permission denied",
                &[
                    "permission denied…docker.sock",
                    "docker.sock…permission denied",
                ],
            ),
            (r"[Nn]o space left on device", &["no space left on device"]),
            (
                r"no space left on device|No space left on device",
                &["no space left on device"],
            ),
            (
                r"E: Version '.*was not found",
                &["E: Version '…was not found"],
            ),
            (r"fatal error: (\S+): No such", &["fatal error: …: No such"]),
            (
                r"(?:Could not|Unable to) connect to ([^\s:]+:\w+)",
                &["Could not connect to …:…", "Unable to connect to …:…"],
            ),
            (
                r"0/\d+ nodes are available: ([^\n]+)",
                &["0/… nodes are available: …"],
            ),
            (r"a (?:b|c|d|e|f) g", &["a b g"]),
            (
                r"digest mismatch (sha256:[0-9a-f]{64}): sha256:",
                &["digest mismatch sha256:…: sha256:"],
            ),
            (
                r#"required extension "({contrib})" is"#,
                &[r#"required extension "…" is"#],
            ),
            (r"deadline exceeded$", &["deadline exceeded"]),
        ] {
            assert_eq!(ways(pattern).0, shown, "{pattern}");
        }
    }

    #[test]
    fn of_many_ways_one_is_shown_and_that_there_are_more() {
        assert_eq!(ways("a|b|c|d|e"), (vec!["a".to_owned()], true));
        assert!(!ways("a|b").1);
    }

    #[test]
    fn what_was_found_is_left_open_in_a_text() {
        assert_eq!(
            without_parts("the proxy `$1$2` and $3"),
            "the proxy `…` and …"
        );
    }
}
