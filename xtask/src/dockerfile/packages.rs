// SPDX-License-Identifier: Apache-2.0
//! The Debian packages that a Dockerfile installs or downloads: those that the image is made of must be at the version
//! that bake gives. Words are read as the shell reads them.

use super::Instruction;
use crate::{finding::Findings, value::PackageName};

/// The argument that the bake files of this kind give the package's version.
pub(super) const VERSION: &str = "EXT_VERSION";

/// Every extension's package must be pinned, and so must those of `named`, whatever they are called.
pub(super) fn check(instructions: &[Instruction], named: &[PackageName], findings: &mut Findings) {
    let pins = pins(instructions);
    for run in instructions.iter().filter(|one| one.name == "RUN") {
        for command in commands(run.arguments()) {
            for word in wanted(&command) {
                let (package, version) = match word.split_once('=') {
                    Some((package, version)) => (package, Some(version)),
                    None => (word, None),
                };
                let is_meant =
                    is_of_extension(package) || named.iter().any(|name| may_be(package, name));
                let pin = version.and_then(variable);
                if is_meant && !pin.is_some_and(|pin| pins.contains(&pin)) {
                    findings.error(
                        run.line,
                        format!("`{word}` is not pinned; write `{package}=${{{VERSION}}}`"),
                    );
                }
            }
        }
    }
}

/// Whether one of the packages is at a version that bake gives in an argument of another name.
pub(super) fn pins_otherwise(instructions: &[Instruction]) -> bool {
    let pins = pins(instructions);
    let runs = instructions.iter().filter(|one| one.name == "RUN");
    let mut commands = runs.flat_map(|run| commands(run.arguments()));
    commands.any(|command| {
        wanted(&command).iter().any(|word| {
            let version = word
                .split_once('=')
                .and_then(|(_, version)| variable(version));
            version.is_some_and(|name| pins.contains(&name))
        })
    })
}

/// The arguments that may hold a version which bake gives: those without a value of their own.
fn pins(instructions: &[Instruction]) -> Vec<&str> {
    let declared = instructions.iter().filter(|one| one.name == "ARG");
    let declared = declared.flat_map(|one| one.arguments().split_whitespace());
    let open = declared.filter(|name| !name.contains('='));
    open.chain([VERSION]).collect()
}

/// What apt is told to install or download in a command: its words behind that one, options left out.
fn wanted(command: &[String]) -> Vec<&str> {
    let is_apt = |word: &&String| matches!(program(word), "apt-get" | "apt");
    let behind = command.iter().skip_while(|word| !is_apt(word));
    let behind = behind.skip_while(|word| !matches!(word.as_str(), "install" | "download"));
    let words = behind.skip(1).map(String::as_str);
    words.filter(|word| !word.starts_with('-')).collect()
}

fn program(word: &str) -> &str {
    word.rsplit_once('/').map_or(word, |(_, name)| name)
}

/// Whether a name is that of an extension for a major, `postgresql-18-x`; `postgresql-server-dev-18` and
/// `postgresql-common` are none.
fn is_of_extension(package: &str) -> bool {
    let Some(rest) = package.strip_prefix("postgresql-") else {
        return false;
    };
    let behind_major = match variable_length(rest) {
        Some(length) => &rest[length..],
        None => rest.trim_start_matches(|c: char| c.is_ascii_digit()),
    };
    behind_major.len() < rest.len() && behind_major.starts_with('-')
}

/// Whether a name with variables in it may be this one. A variable alone may be any package: nothing is said of it.
fn may_be(package: &str, name: &str) -> bool {
    let literals = literals(package);
    let [first, .., last] = &literals[..] else {
        return package == name;
    };
    if literals.iter().all(|literal| literal.is_empty()) {
        return false;
    }
    let Some(mut rest) = name.strip_prefix(first) else {
        return false;
    };
    for literal in &literals[1..literals.len() - 1] {
        let Some(at) = rest.find(literal) else {
            return false;
        };
        rest = &rest[at + literal.len()..];
    }
    rest.ends_with(last)
}

/// What stands between the variables of a text.
fn literals(mut text: &str) -> Vec<&str> {
    let mut literals = Vec::new();
    while let Some((at, length)) = text
        .find('$')
        .and_then(|at| Some((at, variable_length(&text[at..])?)))
    {
        literals.push(&text[..at]);
        text = &text[at + length..];
    }
    literals.push(text);
    literals
}

/// The length of the `$NAME` or `${…}` that a text begins with.
fn variable_length(text: &str) -> Option<usize> {
    let behind = text.strip_prefix('$')?;
    if behind.starts_with('{') {
        return text.find('}').map(|end| end + 1);
    }
    let name = behind
        .find(|c: char| !is_of_name(c))
        .unwrap_or(behind.len());
    (name > 0).then_some(1 + name)
}

/// The variable that a text begins with the value of.
fn variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix('$')?;
    let name = name.strip_prefix('{').unwrap_or(name);
    let end = name.find(|c: char| !is_of_name(c)).unwrap_or(name.len());
    Some(&name[..end]).filter(|name| !name.is_empty())
}

fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// The words of each command in a `RUN`'s text, without their quotes.
fn commands(text: &str) -> Vec<Vec<String>> {
    // The form without a shell.
    if let Ok(words) = serde_json::from_str(text) {
        return vec![words];
    }
    let mut commands = vec![Vec::new()];
    let (mut word, mut in_word) = (String::new(), false);
    let mut quote = None;
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => (quote, in_word) = (Some(c), true),
            (None | Some('"'), '\\') => {
                word.extend(rest.next());
                in_word = true;
            }
            (None | Some('"'), '$') if rest.as_str().starts_with('{') => {
                let length = rest.as_str().find('}').map_or(0, |end| end + 1);
                word.push('$');
                word.extend(rest.by_ref().take(length));
                in_word = true;
            }
            (None, c) if c.is_whitespace() || "&;|()`".contains(c) => {
                if std::mem::take(&mut in_word)
                    && let Some(command) = commands.last_mut()
                {
                    command.push(std::mem::take(&mut word));
                }
                if !c.is_whitespace() {
                    commands.push(Vec::new());
                }
            }
            (_, c) => {
                word.push(c);
                in_word = true;
            }
        }
    }
    if in_word && let Some(command) = commands.last_mut() {
        command.push(word);
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_a_shell() {
        let text = r#"set -eu; apt-get -y  install 'a b' "x-${V:-1 2}"="${W}" c\ d && (e "f;g"|h)"#;
        let expected: [&[&str]; 6] = [
            &["set", "-eu"],
            &["apt-get", "-y", "install", "a b", "x-${V:-1 2}=${W}", "c d"],
            &[],
            &[],
            &["e", "f;g"],
            &["h"],
        ];
        assert_eq!(commands(text)[..6], expected);
        assert_eq!(
            commands(r#"["apt-get", "install"]"#),
            [["apt-get", "install"]]
        );
        assert_eq!(commands("a 'open"), [["a", "open"]]);
        assert_eq!(commands("a \\"), [["a", ""]]);
    }

    #[test]
    fn a_name_with_variables_may_be_another() {
        for (package, name, expected) in [
            (
                "timescaledb-2-postgresql-${PG_MAJOR}",
                "timescaledb-2-postgresql-18",
                true,
            ),
            (
                "$A-postgresql-$PG_MAJOR",
                "timescaledb-2-postgresql-18",
                true,
            ),
            (
                "timescaledb-2-postgresql-${PG_MAJOR}",
                "timescaledb-2-loader-postgresql-18",
                false,
            ),
            ("$A-postgresql-$B", "postgresql-18-x", false),
            ("a${B}c$D", "a-b-c-d", true),
            ("x", "x", true),
            ("$PACKAGE", "x", false),
        ] {
            assert_eq!(may_be(package, name), expected, "{package} {name}");
        }
    }

    #[test]
    fn an_extension_is_for_a_major() {
        for (package, expected) in [
            ("postgresql-18-x", true),
            ("postgresql-${PG_MAJOR}-x", true),
            ("postgresql-$PG_MAJOR-x", true),
            ("postgresql-18", false),
            ("postgresql-${PG_MAJOR}", false),
            ("postgresql-server-dev-18", false),
            ("postgresql-common", false),
            ("libpq-dev", false),
        ] {
            assert_eq!(is_of_extension(package), expected, "{package}");
        }
    }
}
