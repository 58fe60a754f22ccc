// SPDX-License-Identifier: Apache-2.0
//! The words that a target on other packages has in place of others: where in a name, a tag or a text they are meant, and
//! where the same number is another thing.

use super::Instead;
use crate::{
    extension::version_of,
    failure::Failure,
    target::definition::{Definition, MAJOR},
    value::{Major, Server, in_package_names, is_tag},
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
    major: (Major, Major),
    /// The name of the argument that says the major. None: it is not certain that one does.
    major_argument: Option<String>,
    /// Each tag has the major and the suite in it.
    tags_say_major: bool,
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
        let mut words = Self {
            base: (old_base.unwrap_or_default(), instead.base.to_string()),
            version: (old_version.unwrap_or_default(), new_version),
            package: (instead.pinned, instead.package),
            suite: (server.distro.to_string(), instead.server.distro.to_string()),
            major: (server.major.clone(), instead.server.major),
            major_argument: None,
            tags_say_major: false,
            sql_version: instead.sql_version.unwrap_or_default(),
        };
        words.major_argument = words.major_argument(definition).map(str::to_owned);
        let ends = words.ends();
        words.tags_say_major = definition.tags().all(|tag| replaced(tag, &ends, "") != tag);
        Ok(words)
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
                return self.in_middle(format!("{new}{behind}{end}"), &end);
            }
        }
        self.in_middle(format!("{rest}{end}"), &end)
    }

    /// The same where major and suite do not stand at the `end`: before a time, say.
    fn in_middle(&self, text: String, end: &str) -> String {
        if end.is_empty() {
            return replaced(&text, &self.ends(), "");
        }
        text
    }

    /// Major and suite, as names and tags end.
    fn ends(&self) -> Pair {
        let ((own, new), (old, suite)) = (&self.major, &self.suite);
        (format!("{own}-{old}"), format!("{new}-{suite}"))
    }

    /// What stands before major and suite at the end, in whatever order, and those with the new suite; nothing where they do
    /// not stand there.
    fn split_end<'a>(&self, text: &'a str) -> (&'a str, String) {
        let (old, new) = &self.suite;
        let (own, new_own) = &self.major;
        for (text_end, new_end) in [
            (format!("{own}-{old}"), format!("{new_own}-{new}")),
            (format!("{old}-{own}"), format!("{new}-{new_own}")),
            (old.clone(), new.clone()),
        ] {
            let rest = text.strip_suffix(&text_end);
            if let Some(rest) = rest.filter(|rest| rest.is_empty() || rest.ends_with('-')) {
                return (rest, new_end);
            }
        }
        (text, String::new())
    }

    /// The argument that says the major: the one that is usually called so, or else the only one that is that number.
    fn major_argument<'a>(&self, definition: Definition<'a>) -> Option<&'a str> {
        let own = &*self.major.0;
        if definition.argument(MAJOR) == Some(own) {
            return Some(MAJOR);
        }
        let mut names = definition.arguments().filter(|(_, text)| *text == own);
        let (name, _) = names.next()?;
        names.next().is_none().then_some(name)
    }

    /// Whether the target says its major where that must be another: in an argument, by which its files are chosen, and in each
    /// tag, or the image of the one would be called like that of the other.
    pub(super) fn can_change_major(&self) -> bool {
        self.major_argument.is_some() && self.tags_say_major
    }

    /// The value of an argument that says the major and nothing else.
    pub(super) fn in_major_argument(&self, name: &str, text: &str) -> Option<String> {
        let is_it = self.major_argument.as_deref() == Some(name);
        (is_it || name == MAJOR).then(|| self.in_major(text))
    }

    /// A text that is the major and nothing else.
    pub(super) fn in_major(&self, text: &str) -> String {
        let (own, new) = &self.major;
        if text == &**own { new } else { text }.to_owned()
    }

    /// A text with names of PostgreSQL's packages and folders in it.
    pub(super) fn in_package_names(&self, text: &str) -> String {
        let (own, new) = &self.major;
        in_package_names(text, own, new)
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
        const VERSION: &str = "\0";
        let (old, new) = &self.version;
        let major = (self.major.0.to_string(), self.major.1.to_string());
        let text = replaced_once(text, &(old.clone(), VERSION.to_owned()), "");
        let text = replaced(&text, &major, "").replace(VERSION, new);
        self.in_suites(&text)
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
