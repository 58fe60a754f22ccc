// SPDX-License-Identifier: Apache-2.0
//! The packages that an image says it is made of, with their versions: `/var/lib/dpkg/status.d/<package>`, a file for each as
//! images without a package manager have them and scanners read them, or dpkg's own `/var/lib/dpkg/status`.

use std::fmt;

use serde::Serialize;

use crate::value::{DebianVersion, PackageName};

/// Where such files are, each of one package.
pub(super) const FOLDER: &str = "/var/lib/dpkg/status.d";
/// The file of all packages.
pub(super) const FILE: &str = "/var/lib/dpkg/status";

/// No image has as many packages.
const MOST: usize = 100_000;

/// A package of Debian's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Installed {
    pub package: PackageName,
    pub version: DebianVersion,
    /// The package of sources, and its version where that is another one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source: Option<(PackageName, Option<DebianVersion>)>,
}

/// The packages that a file names. What is no package with a version is left out.
pub(super) fn packages(text: &str) -> Vec<Installed> {
    let paragraphs = text.split("\n\n");
    paragraphs.filter_map(package).take(MOST).collect()
}

fn package(paragraph: &str) -> Option<Installed> {
    let field = |name: &str| {
        let mut lines = paragraph.lines();
        lines.find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    };
    // Of what was removed dpkg keeps the configuration.
    if field("status").is_some_and(|status| !status.ends_with(" installed")) {
        return None;
    }
    let source = field("source").and_then(|text| match text.split_once(" (") {
        Some((name, version)) => {
            let version = version.strip_suffix(')')?.parse().ok()?;
            Some((name.parse().ok()?, Some(version)))
        }
        None => Some((text.parse().ok()?, None)),
    });
    Some(Installed {
        package: field("package")?.parse().ok()?,
        version: field("version")?.parse().ok()?,
        source,
    })
}

/// As dpkg keeps it.
impl fmt::Display for Installed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Package: {}", self.package)?;
        writeln!(f, "Status: install ok installed")?;
        match &self.source {
            Some((name, Some(version))) => writeln!(f, "Source: {name} ({version})")?,
            Some((name, None)) => writeln!(f, "Source: {name}")?,
            None => {}
        }
        writeln!(f, "Version: {}", self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_for_dpkg_is_read_again() {
        let text = "Package: libx1\nSource: xx (1.2-3)\nVersion: 1:1.2-3+b1\nArchitecture: amd64\nDescription: a\n b\n\nPackage: yy\nStatus: install ok installed\nVersion: 2\n\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1\n\nPackage: -x\nVersion: 1\n\nPackage: zz\nVersion: no\n";
        let found = packages(text);
        let written: Vec<String> = found.iter().map(Installed::to_string).collect();
        assert_eq!(
            written,
            [
                "Package: libx1\nStatus: install ok installed\nSource: xx (1.2-3)\nVersion: 1:1.2-3+b1\n",
                "Package: yy\nStatus: install ok installed\nVersion: 2\n",
            ]
        );
        assert_eq!(packages(&written.join("\n")), found);
    }
}
