// SPDX-License-Identifier: Apache-2.0
//! What the comment above a pinned version tells Renovate, and what Renovate makes of it.

use regex_lite::Regex;

use crate::hcl::File;

/// The words of a comment like `// renovate: suite=trixie-pgdg depName=postgresql-18-x extractVersion=^(?<version>\d+)`.
pub(super) struct Comment {
    text: String,
}

/// What Renovate takes for the version that it writes.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Extracted {
    /// This text.
    Version(String),
    /// Nothing: `extractVersion` does not match, and such a version is not offered.
    Nothing,
}

impl Comment {
    /// The comment above a line, where that follows a Debian package: of another `datasource` it is something else.
    pub(super) fn above(file: &File, line: usize) -> Option<Self> {
        let comment = Self::whole(file, line);
        (!comment.is_other()).then_some(comment)
    }

    /// Whether the comment above a line follows what is no Debian package.
    pub(super) fn is_of_other(file: &File, line: usize) -> bool {
        Self::whole(file, line).is_other()
    }

    fn whole(file: &File, line: usize) -> Self {
        Self {
            text: file.comment_above(line),
        }
    }

    fn is_other(&self) -> bool {
        self.said("datasource=").is_some_and(|word| word != "deb")
    }

    fn said(&self, key: &str) -> Option<&str> {
        let mut words = self.text.split_whitespace();
        words.find_map(|word| word.strip_prefix(key))
    }

    /// The package that Renovate follows.
    pub(super) fn dep_name(&self) -> Option<&str> {
        self.said("depName=")
    }

    /// What Renovate makes of a version of the package: all of it, or the group `version` of `extractVersion`. None: it
    /// follows nothing here, or the expression is one that we cannot read.
    pub(super) fn extracted(&self, package: &str) -> Option<Extracted> {
        self.dep_name()?;
        let Some(expression) = self.said("extractVersion=") else {
            return Some(Extracted::Version(package.to_owned()));
        };
        let expression = Regex::new(expression).ok()?;
        let found = expression.captures(package);
        let version = found.as_ref().and_then(|found| found.name("version"));
        Some(version.map_or(Extracted::Nothing, |version| {
            Extracted::Version(version.as_str().to_owned())
        }))
    }
}
