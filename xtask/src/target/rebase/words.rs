// SPDX-License-Identifier: Apache-2.0
//! The words that a target on other packages has in place of others: where in a name, a tag or a text they are meant, and
//! where the same number is another thing.

use super::Instead;
use crate::{
    extension::version_of,
    failure::Failure,
    target::Definition,
    value::{Major, Server, is_tag},
};

/// What is a suite's own behind its name: a repository of packages, and the smaller variant of an image.
pub(super) const OF_SUITE: [&str; 3] = ["", "-pgdg", "-slim"];
/// What continues a package's version, besides letters and digits.
pub(super) const PACKAGED: &str = "-_+~:";

/// A word, and what stands for it.
pub(super) type Pair = (String, String);

/// The words of one target, and what stands for them.
pub(super) struct Words {
    pub base: Pair,
    pub package: Pair,
    pub version: Pair,
    pub suite: Pair,
    major: Major,
    /// For `CREATE EXTENSION`. Empty: it is not known.
    pub sql_version: String,
}

impl Words {
    pub(super) fn of(
        definition: Definition<'_>,
        server: &Server,
        instead: Instead,
    ) -> Result<Self, Failure> {
        let old_base = definition.base()?.map(|base| base.to_string());
        let new_version = version_of(&instead.package).unwrap_or_default();
        let old_version = definition
            .version()?
            .or_else(|| version_of(&instead.pinned));
        Ok(Self {
            base: (old_base.unwrap_or_default(), instead.base.to_string()),
            version: (old_version.unwrap_or_default(), new_version),
            package: (instead.pinned, instead.package),
            suite: (server.distro.to_string(), instead.suite.to_string()),
            major: server.major.clone(),
            sql_version: instead.sql_version.unwrap_or_default(),
        })
    }

    /// A target's name, which ends in version, major and suite, and may hold neither dots nor pluses.
    pub(super) fn in_name(&self, name: &str) -> String {
        let (rest, end) = self.split_end(name);
        let (rest, dash) = match rest.strip_suffix('-') {
            Some(rest) => (rest, "-"),
            None => (rest, ""),
        };
        let (old, new) = (safe(&self.version.0), safe(&self.version.1));
        let head = rest.strip_suffix(&old).filter(|_| !old.is_empty());
        match head.filter(|head| head.is_empty() || head.ends_with('-')) {
            Some(head) => format!("{head}{new}{dash}{end}"),
            None => format!("{rest}{dash}{end}"),
        }
    }

    /// Whether the package's version is no other number: it has Debian's revision.
    pub(super) fn has_revision(&self) -> bool {
        self.package.0.contains('-')
    }

    /// A tag, which begins with the version or the package's and ends in major and suite.
    pub(super) fn in_tag(&self, tag: &str) -> String {
        let (rest, end) = self.split_end(tag);
        let package = self.has_revision().then_some(&self.package);
        for (old, new) in package.into_iter().chain([&self.version]) {
            let behind = rest.strip_prefix(old.as_str());
            let behind = behind.filter(|behind| !continues(behind.chars(), ""));
            if let Some(behind) = behind.filter(|_| !old.is_empty() && is_tag(new)) {
                return format!("{new}{behind}{end}");
            }
        }
        format!("{rest}{end}")
    }

    /// What stands before major and suite at the end, and those with the new suite; nothing where they do not stand there.
    fn split_end<'a>(&self, text: &'a str) -> (&'a str, String) {
        let (old, new) = &self.suite;
        for front in [format!("{}-", self.major), String::new()] {
            let rest = text.strip_suffix(&format!("{front}{old}"));
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.ends_with('-')) {
                return (rest, format!("{front}{new}"));
            }
        }
        (text, String::new())
    }

    pub(super) fn in_suites(&self, text: &str) -> String {
        let (old, new) = &self.suite;
        let replace = |text: String, behind: &&str| {
            let pair = (format!("{old}{behind}"), format!("{new}{behind}"));
            replaced(&text, &pair, "-_")
        };
        OF_SUITE.iter().fold(text.to_owned(), replace)
    }

    /// For people: the version stands there once, the major may be the same number.
    pub(super) fn in_prose(&self, text: &str) -> String {
        self.in_suites(&replaced_once(text, &self.version, ""))
    }
}

/// As it may stand in a target's name.
fn safe(text: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let safe = |c: char| if is_safe(c) { c } else { '_' };
    text.chars().map(safe).collect()
}

/// The text with one word in place of another, where that stands for itself and is not a part of a longer one, which
/// `joined` are signs of too.
pub(super) fn replaced(text: &str, pair: &Pair, joined: &str) -> String {
    replaced_up_to(usize::MAX, text, pair, joined)
}

fn replaced_once(text: &str, pair: &Pair, joined: &str) -> String {
    replaced_up_to(1, text, pair, joined)
}

fn replaced_up_to(times: usize, text: &str, (old, new): &Pair, joined: &str) -> String {
    let (mut replaced, mut written, mut left) = (String::new(), 0, times);
    let found = text.match_indices(old.as_str());
    for (at, _) in found.filter(|_| !old.is_empty()) {
        let (before, behind) = (&text[..at], &text[at + old.len()..]);
        let stands_alone =
            !continues(before.chars().rev(), "") && !continues(behind.chars(), joined);
        if stands_alone && left > 0 {
            replaced += &text[written..at];
            replaced += new;
            written = at + old.len();
            left -= 1;
        }
    }
    replaced + &text[written..]
}

/// Whether what comes next belongs to the same word: a letter, a digit, a dot with a digit behind it, or what is `joined`.
fn continues(mut next: impl Iterator<Item = char>, joined: &str) -> bool {
    match next.next() {
        Some('.') => next.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => c.is_ascii_alphanumeric() || joined.contains(c),
        None => false,
    }
}
