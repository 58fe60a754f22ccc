// SPDX-License-Identifier: Apache-2.0
//! Debian's copyright files, as far as they are made for machines:
//! <https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/>. Their short names of licences become those of SPDX;
//! what SPDX has no name for becomes a `LicenseRef-` of the same name.

use std::collections::BTreeSet;

use crate::value::Licence;

/// How the first line of a file for machines begins.
const FORMAT: &str = "format:";

/// Short names that differ from SPDX's.
const NAMES: &[(&str, &str)] = &[
    ("apache-2", "Apache-2.0"),
    ("apache2", "Apache-2.0"),
    ("artistic-1", "Artistic-1.0"),
    ("artistic-2", "Artistic-2.0"),
    ("boost", "BSL-1.0"),
    ("bsd-2", "BSD-2-Clause"),
    ("bsd-2-clauses", "BSD-2-Clause"),
    ("bsd-3", "BSD-3-Clause"),
    ("bsd-3-clauses", "BSD-3-Clause"),
    ("bsd-4", "BSD-4-Clause"),
    ("bsd2", "BSD-2-Clause"),
    ("bsd3", "BSD-3-Clause"),
    ("cc0", "CC0-1.0"),
    ("expat", "MIT"),
    ("perl", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
    ("zlib/libpng", "Zlib"),
];

/// Exceptions by the word that tells them.
const EXCEPTIONS: &[(&str, &str)] = &[
    ("bison", "Bison-exception-2.2"),
    ("classpath", "Classpath-exception-2.0"),
    ("font", "Font-exception-2.0"),
    ("libtool", "Libtool-exception"),
    ("llvm", "LLVM-exception"),
];

/// All licences that a copyright file names for what is in its package, joined by AND. What is about the packaging alone
/// (`Files: debian/*`) is not in the image. None: the file is not for machines, or names none.
pub(crate) fn licence(text: &str) -> Option<Licence> {
    let begins = text.trim_start_matches('\u{feff}').trim_start();
    let begins = begins.get(..FORMAT.len())?;
    if !begins.eq_ignore_ascii_case(FORMAT) {
        return None;
    }
    let mut all: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    let mut of_the_whole = None;
    for (at, paragraph) in paragraphs(text).enumerate() {
        let Some(names) = paragraph.field("license") else {
            continue;
        };
        let names = names.lines().next().unwrap_or_default().trim();
        match paragraph.field("files") {
            Some(files) if is_packaging(&files) => {}
            Some(_) => {
                for licence in joined_by_and(&expression(names)) {
                    if seen.insert(licence.clone()) {
                        all.push(licence);
                    }
                }
            }
            None if at == 0 => of_the_whole = Some(expression(names)),
            None => {}
        }
    }
    if all.is_empty() {
        all.extend(of_the_whole);
    }
    let is_several = all.len() > 1;
    let parts = all.iter().map(|one| {
        if is_several && one.contains(" OR ") {
            format!("({one})")
        } else {
            one.clone()
        }
    });
    parts.collect::<Vec<_>>().join(" AND ").parse().ok()
}

/// A paragraph: lines of fields.
struct Paragraph<'a>(Vec<&'a str>);

fn paragraphs(text: &str) -> impl Iterator<Item = Paragraph<'_>> {
    let mut lines = text.lines().peekable();
    std::iter::from_fn(move || {
        while lines.next_if(|line| line.trim().is_empty()).is_some() {}
        let mut found = Vec::new();
        while let Some(line) = lines.next_if(|line| !line.trim().is_empty()) {
            found.push(line);
        }
        (!found.is_empty()).then_some(Paragraph(found))
    })
}

impl Paragraph<'_> {
    /// The text of a field, with the lines that go on with it.
    fn field(&self, name: &str) -> Option<String> {
        let named = |line: &str| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.to_owned())
        };
        let at = self.0.iter().position(|line| named(line).is_some())?;
        let mut text = named(self.0[at])?;
        let goes_on = |line: &&&str| line.starts_with([' ', '\t']);
        for line in self.0[at + 1..].iter().take_while(goes_on) {
            text.push('\n');
            text.push_str(line.trim());
        }
        Some(text)
    }
}

fn is_packaging(files: &str) -> bool {
    let mut patterns = files.split_whitespace().peekable();
    patterns.peek().is_some() && patterns.all(|pattern| pattern.starts_with("debian/"))
}

/// Names joined by `and` and `or`, where a comma binds less, as an expression of SPDX.
fn expression(names: &str) -> String {
    for (word, joined) in [
        (", or ", " OR "),
        (", and ", " AND "),
        (", ", " AND "),
        (" and/or ", " OR "),
        (" or ", " OR "),
        (" and ", " AND "),
    ] {
        if !names.contains(word) {
            continue;
        }
        let parts = names.split(word).filter(|part| !part.trim().is_empty());
        let parts: Vec<String> = parts.map(|part| grouped(expression(part.trim()))).collect();
        return parts.join(joined);
    }
    let (name, exception) = match names.split_once(" with ") {
        Some((name, exception)) => (name.trim(), Some(exception)),
        None => (names.trim(), None),
    };
    let licence = one(name);
    match exception {
        Some(text) if !licence.contains(' ') => format!("{licence} WITH {}", exception_of(text)),
        _ => licence,
    }
}

/// The parts of an expression that all count, where it is plain.
fn joined_by_and(expression: &str) -> Vec<String> {
    if expression.contains(" OR ") {
        return vec![expression.to_owned()];
    }
    let plain = expression.replace(['(', ')'], "");
    plain.split(" AND ").map(str::to_owned).collect()
}

/// In parentheses where it is of several.
fn grouped(expression: String) -> String {
    if expression.contains(" OR ") || expression.contains(" AND ") {
        format!("({expression})")
    } else {
        expression
    }
}

/// A short name without an exception.
fn one(name: &str) -> String {
    let small = name.to_lowercase();
    if let Some((_, licence)) = NAMES.iter().find(|(debian, _)| *debian == small) {
        return (*licence).to_owned();
    }
    if let Some(licence) = of_gnu(&small) {
        return licence;
    }
    let mut known = spdx::identifiers::LICENSES.iter();
    match known.find(|known| known.name.eq_ignore_ascii_case(name)) {
        Some(known) => known.name.to_owned(),
        None => format!("LicenseRef-{}", reference(name)),
    }
}

/// `gpl-2+`, `lgplv2.1`, `gfdl-niv-1.3+`.
fn of_gnu(small: &str) -> Option<String> {
    let (family, kind, rest) = [
        ("agpl", "AGPL", ""),
        ("lgpl", "LGPL", ""),
        ("gpl", "GPL", ""),
        ("gfdl-niv", "GFDL", "-no-invariants"),
        ("gfdl", "GFDL", ""),
    ]
    .iter()
    .find_map(|(debian, family, kind)| Some((family, kind, small.strip_prefix(debian)?)))?;
    let rest = rest.trim_start_matches('-').trim_start_matches('v');
    let (version, or_later) = match rest.strip_suffix('+') {
        Some(version) => (version, true),
        None => (rest, false),
    };
    let version = match version.split_once('.') {
        Some(_) => version.to_owned(),
        None => format!("{version}.0"),
    };
    let end = if or_later { "or-later" } else { "only" };
    let licence = format!("{family}-{version}{kind}-{end}");
    spdx::license_id(&licence).map(|_| licence)
}

fn exception_of(text: &str) -> String {
    let small = text.to_lowercase();
    let small = small.trim_end_matches("exception").trim();
    let mut known = EXCEPTIONS.iter();
    match known.find(|(word, _)| small.starts_with(word)) {
        Some((_, exception)) => (*exception).to_owned(),
        None => format!("AdditionRef-{}", reference(small)),
    }
}

/// What is allowed behind `LicenseRef-`: letters, digits, `.` and `-`.
fn reference(name: &str) -> String {
    let fit = |c: char| {
        if c.is_ascii_alphanumeric() || c == '.' {
            c
        } else {
            '-'
        }
    };
    let name: String = name.chars().map(fit).take(100).collect();
    let name = name.trim_matches('-');
    if name.is_empty() {
        "unnamed".into()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Option<String> {
        let mut text = "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: x\n\n".to_owned();
        for (files, names) in files {
            text += &format!(
                "Files: {files}\nCopyright: 2020 X\nLicense: {names}\n Text.\n .\n More.\n\n"
            );
        }
        licence(&text).map(|licence| licence.to_string())
    }

    #[test]
    fn short_names_become_those_of_spdx() {
        for (names, wanted) in [
            ("PostgreSQL", "PostgreSQL"),
            ("Expat", "MIT"),
            ("GPL-2+", "GPL-2.0-or-later"),
            ("GPL-2", "GPL-2.0-only"),
            ("LGPLv2.1+", "LGPL-2.1-or-later"),
            ("AGPL-3", "AGPL-3.0-only"),
            ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
            ("BSD-3-clause", "BSD-3-Clause"),
            ("zlib", "Zlib"),
            ("public-domain", "LicenseRef-public-domain"),
            ("BSD_like (weird)", "LicenseRef-BSD-like--weird"),
            ("GPL", "LicenseRef-GPL"),
            ("", "LicenseRef-unnamed"),
            ("MIT or GPL-3+", "MIT OR GPL-3.0-or-later"),
            ("MIT and Zlib or ISC", "(MIT AND Zlib) OR ISC"),
            ("MIT or Zlib, and ISC", "(MIT OR Zlib) AND ISC"),
            (
                "GPL-3+ with Bison exception",
                "GPL-3.0-or-later WITH Bison-exception-2.2",
            ),
            (
                "GPL-2+ with OpenSSL exception",
                "GPL-2.0-or-later WITH AdditionRef-openssl",
            ),
        ] {
            assert_eq!(of(&[("*", names)]).as_deref(), Some(wanted), "{names:?}");
        }
    }

    #[test]
    fn all_licences_of_the_files_count_once_and_those_of_the_packaging_do_not() {
        let files = [
            ("*", "Expat"),
            ("a.c\n b.c", "GPL-2+ or Zlib"),
            ("c.c", "Expat and GPL-2"),
            ("debian/*", "GPL-3+"),
        ];
        let wanted = "MIT AND (GPL-2.0-or-later OR Zlib) AND GPL-2.0-only";
        assert_eq!(of(&files).as_deref(), Some(wanted));
        assert_eq!(of(&[("debian/*", "GPL-3+")]), None);
    }

    #[test]
    fn a_file_that_is_not_for_machines_says_nothing_certain() {
        assert_eq!(
            licence("This package was debianized by X.\nLicense: MIT\n"),
            None
        );
        assert_eq!(licence(""), None);
        let whole = "Format: x\nLicense: Expat\n text\n\nLicense: GPL-2+\n text\n";
        assert_eq!(
            licence(whole).map(|one| one.to_string()).as_deref(),
            Some("MIT")
        );
    }
}
