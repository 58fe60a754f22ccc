// SPDX-License-Identifier: Apache-2.0
//! Control files of SQL extensions: which version `CREATE EXTENSION` makes, and what must have been created before.
//!
//! Their form is that of <https://www.postgresql.org/docs/current/extend-extensions.html#EXTEND-EXTENSIONS-FILES>.

use std::{
    collections::BTreeMap,
    io::{self, Read},
};

use crate::value::{SqlName, SqlVersion};

/// No control file is nearly as long, in bytes.
pub(super) const LONGEST: usize = 64 * 1024;

/// What one of them says, as far as it matters here. What is no name and no version is left out: PostgreSQL knows none
/// such either.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Control {
    pub default_version: Option<String>,
    /// None: it does not say.
    pub requires: Option<Vec<String>>,
    /// What stands for `MODULE_PATHNAME` in scripts.
    pub module_pathname: Option<String>,
    /// Where the scripts are; None: beside it.
    pub directory: Option<String>,
    /// Whether others than superusers may create it.
    pub trusted: bool,
}

/// Control files by their names without the end: `vector`, and for one version alone `vector--0.8.1`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Controls(BTreeMap<String, Control>);

impl Controls {
    /// Reads those of an archive to its end, whatever else is in it. Fails where it is none, or has been cut off.
    pub(crate) fn read(archive: impl Read) -> io::Result<Self> {
        let mut controls = BTreeMap::new();
        for entry in tar::Archive::new(archive).entries()? {
            let entry = entry?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let file = path.rsplit('/').next().unwrap_or_default();
            let Some(name) = file.strip_suffix(".control") else {
                continue;
            };
            let mut text = Vec::new();
            entry.take(LONGEST as u64).read_to_end(&mut text)?;
            let control = Control::parse(&String::from_utf8_lossy(&text));
            controls.insert(name.to_owned(), control);
        }
        Ok(Self(controls))
    }

    /// Takes in the text of one, by its name without the end.
    pub(crate) fn insert(&mut self, name: &str, text: &str) {
        self.0.insert(name.to_owned(), Control::parse(text));
    }

    /// What can be created, by name: those of single versions are no extensions of their own.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        let names = self.0.keys().map(String::as_str);
        names.filter(|name| !name.contains("--"))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Takes in what is of another folder: of two files of one name the other's counts.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The version that is created where none is named.
    pub(crate) fn default_version(&self, name: &str) -> Option<&str> {
        self.0.get(name)?.default_version.as_deref()
    }

    /// What must have been created before an extension in a version; None: in its default one. The file of a version
    /// goes before the extension's own.
    pub(crate) fn requires(&self, name: &str, version: Option<&str>) -> &[String] {
        let version = version.or_else(|| self.default_version(name));
        let of_version = version.and_then(|version| self.0.get(&format!("{name}--{version}")));
        let both = of_version.into_iter().chain(self.0.get(name));
        let mut said = both.filter_map(|control| control.requires.as_deref());
        said.next().unwrap_or_default()
    }
}

impl Control {
    pub(super) fn parse(text: &str) -> Self {
        let mut control = Self::default();
        for line in text.lines() {
            let line = line.trim_start();
            let word = |c: char| !c.is_ascii_alphanumeric() && !"_.".contains(c);
            let (key, rest) = line.split_at(line.find(word).unwrap_or(line.len()));
            let rest = rest.trim_start();
            let value = value(rest.strip_prefix('=').unwrap_or(rest).trim_start());
            match key {
                "default_version" => {
                    control.default_version = Some(value).filter(|text| SqlVersion::is(text));
                }
                "requires" => control.requires = Some(names(&value)),
                "module_pathname" => control.module_pathname = Some(value),
                "directory" => control.directory = Some(value),
                "trusted" => control.trusted = is_true(&value),
                _ => {}
            }
        }
        control
    }
}

/// A value: quoted, with quotes in it doubled or behind a backslash, or up to a blank or a comment.
fn value(text: &str) -> String {
    let Some(quoted) = text.strip_prefix('\'') else {
        let end = text.find(|c: char| c.is_whitespace() || c == '#');
        return text[..end.unwrap_or(text.len())].to_owned();
    };
    let mut value = String::new();
    let mut rest = quoted.chars();
    while let Some(c) = rest.next() {
        match c {
            '\\' => value.extend(rest.next()),
            '\'' if rest.as_str().starts_with('\'') => value.extend(rest.next()),
            '\'' => break,
            _ => value.push(c),
        }
    }
    value
}

/// What PostgreSQL takes for true, by `parse_bool` of `src/backend/utils/adt/bool.c`: the beginning of a word is enough.
fn is_true(value: &str) -> bool {
    let value = value.to_lowercase();
    let begins = |word: &str| !value.is_empty() && word.starts_with(&value);
    begins("true") || begins("yes") || value == "on" || value == "1"
}

/// Names between commas; one that is not quoted is written in small letters.
fn names(text: &str) -> Vec<String> {
    let names = text.split(',').map(|name| {
        let name = name.trim();
        let quoted = name
            .strip_prefix('"')
            .and_then(|name| name.strip_suffix('"'));
        quoted.map_or_else(|| name.to_lowercase(), str::to_owned)
    });
    names.filter(|name| SqlName::is(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &str)]) -> Vec<u8> {
        let mut archive = tar::Builder::new(Vec::new());
        for (path, text) in files {
            let mut header = tar::Header::new_gnu();
            header.set_mode(0o644);
            header.set_size(text.len() as u64);
            archive
                .append_data(&mut header, path, text.as_bytes())
                .unwrap();
        }
        archive.into_inner().unwrap()
    }

    #[test]
    fn what_they_say_is_read_as_postgresql_reads_it() {
        let files = [
            (
                "a.control",
                "# a\ncomment = 'it''s \\'a\\''\ndefault_version='3.6.4' # x\n  requires = 'postgis,  FuzzyStrMatch, \"Ab\", no such'\n",
            ),
            (
                "x/b.control",
                "requires = postgis # c\ndefault_version 1.2\n",
            ),
            ("c.control", "default_version = '../x'\n#requires = 'a'\n"),
            ("a--3.6.4.control", "requires = 'cube'\n"),
            ("a--3.5.control", "relocatable = false\n"),
            ("other.sql", "requires = 'a'"),
        ];
        let controls = Controls::read(&archive(&files)[..]).unwrap();
        assert_eq!(controls.0.len(), 5);
        assert_eq!(controls.default_version("a"), Some("3.6.4"));
        assert_eq!(controls.requires("a", None), ["cube"]);
        let own = ["postgis", "fuzzystrmatch", "Ab"];
        assert_eq!(controls.requires("a", Some("3.5")), own);
        assert_eq!(controls.requires("a", Some("3.4")), own);
        assert_eq!(controls.requires("b", None), ["postgis"]);
        assert_eq!(controls.default_version("b"), Some("1.2"));
        assert_eq!(controls.default_version("c"), None);
        assert!(controls.requires("c", None).is_empty());
        assert!(controls.has("c") && !controls.has("other"));
    }

    #[test]
    fn an_archive_that_is_cut_off_is_refused() {
        let bytes = archive(&[("a.control", &"x".repeat(2000))]);
        assert!(Controls::read(&bytes[..1000]).is_err());
    }
}
