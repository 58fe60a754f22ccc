// SPDX-License-Identifier: Apache-2.0
//! Debian's suites, packages and versions. Facts: Debian Policy, 5.6.1, 5.6.7 and 5.6.12.

use super::{Major, is_lower, is_made_of, text_type};

text_type!(
    /// A suite of the archive: `trixie`, `bookworm-backports`.
    Suite,
    |text| is_made_of(text, |byte| byte.is_ascii_lowercase(), |byte| is_lower(byte) || byte == b'-', 40),
    "a Debian suite: lower-case letters, digits and `-`, like `trixie`"
);

text_type!(
    /// A package: `postgresql-18-pgvector`.
    PackageName,
    |text| text.len() >= 2
        && is_made_of(text, is_lower, |byte| is_lower(byte) || b"+.-".contains(&byte), 200),
    "the name of a Debian package: lower-case letters, digits and `+.-`, like `postgresql-18-pgvector`"
);

impl PackageName {
    /// The package of the same name for another major. None when the name does not say its own: `postgresql-18-pgvector` does.
    pub(crate) fn for_major(&self, own: &Major, other: &Major) -> Option<Self> {
        let renamed = in_package_names(self, own, other);
        (renamed != **self).then_some(Self(renamed))
    }
}

/// A text with the names of PostgreSQL's packages and folders in it, for another major: those with a number behind `postgresql`.
pub(crate) fn in_package_names(text: &str, own: &Major, other: &Major) -> String {
    let (mut renamed, mut written) = (String::new(), 0);
    for (at, found) in text.match_indices("postgresql") {
        let behind = at + found.len();
        let number = text[behind..].strip_prefix(['-', '/']);
        let rest = number.and_then(|number| number.strip_prefix(&**own));
        let is_whole =
            |rest: &str| !rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
        if rest.is_some_and(is_whole) {
            renamed += &text[written..=behind];
            renamed += other;
            written = behind + 1 + own.len();
        }
    }
    renamed + &text[written..]
}

text_type!(
    /// A package of any major: `postgresql-{pg}-pgvector`, in which `{pg}` stands for the major.
    PackagePattern,
    |text| PackageName::is(&text.replace(PG, "999")),
    "the name of a Debian package, with `{pg}` for PostgreSQL's major, like `postgresql-{pg}-pgvector`"
);

/// What stands for PostgreSQL's major.
const PG: &str = "{pg}";

impl PackagePattern {
    /// The package for a PostgreSQL major.
    pub(crate) fn package(&self, major: &Major) -> PackageName {
        PackageName(self.replace(PG, major))
    }
}

text_type!(
    /// A version, `[epoch:]upstream[-revision]`: `0.8.6-1.pgdg13+1`.
    DebianVersion,
    is_version,
    "a Debian version: a number with letters, digits and `.+:~-` behind it, like `0.8.6-1.pgdg13+1`"
);

fn is_version(text: &str) -> bool {
    let (epoch, rest) = match text.split_once(':') {
        None => (None, text),
        Some((epoch, rest)) => (Some(epoch), rest),
    };
    let (upstream, revision) = match rest.rsplit_once('-') {
        None => (rest, None),
        Some((upstream, revision)) => (upstream, Some(revision)),
    };
    let digits = |text: &str| {
        !text.is_empty() && text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let common = |byte: u8| byte.is_ascii_alphanumeric() || b".+~".contains(&byte);
    epoch.is_none_or(digits)
        && text.len() <= 200
        && upstream.starts_with(|c: char| c.is_ascii_digit())
        && upstream
            .bytes()
            .all(|byte| common(byte) || byte == b'-' || (byte == b':' && epoch.is_some()))
        && revision.is_none_or(|revision| !revision.is_empty() && revision.bytes().all(common))
}
