// SPDX-License-Identifier: Apache-2.0
//! Scanners that look for known faults in images: a fixed table, so that no settings file names a program. What they find goes
//! into a report; how they end says only whether they could look.
//!
//! Facts: <https://trivy.dev/latest/docs/references/configuration/cli/trivy_image/>, <https://github.com/anchore/grype>,
//! <https://github.com/goodwithtech/dockle>, debsecan(1).

use std::path::Path;

use crate::{
    config::{Choice as _, Scanner},
    plan::Cmd,
    value::Suite,
};

/// What one is given.
pub(crate) struct Given<'a> {
    /// The image, for people.
    pub title: &'a str,
    /// What `docker save` has written.
    pub archive: &'a Path,
    /// Its packages as dpkg keeps them.
    pub status: &'a Path,
    /// The Debian suite that it is for.
    pub suite: Option<&'a Suite>,
    /// The folder or address with debsecan's data. None: Debian's own tracker.
    pub tracker: Option<&'a str>,
    /// Where the report goes; debsecan prints it.
    pub report: &'a Path,
}

impl Scanner {
    /// The one of that name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let mut all = Self::ALL.iter();
        all.find(|one| one.name() == name).copied()
    }

    /// The program, which is called as it is.
    pub(crate) fn program(self) -> &'static str {
        self.name()
    }

    /// Whether it reads the image's archive; otherwise it reads which packages are in it.
    pub(crate) fn reads_archive(self) -> bool {
        self != Self::Debsecan
    }

    /// The end of its report's name.
    pub(crate) fn extension(self) -> &'static str {
        match self {
            Self::Debsecan => "txt",
            _ => "sarif",
        }
    }

    /// The status by which it says that it has found something, where settings of its own tell it to fail then.
    pub(crate) fn has_found(self) -> Option<i32> {
        (self == Self::Grype).then_some(2)
    }

    /// Looks at an image. Whether it finds something is not to change how it ends.
    pub(crate) fn cmd(self, given: &Given<'_>) -> Cmd {
        let program = self.program();
        let cmd = Cmd::new(program, format!("scan {} with {program}", given.title));
        match self {
            Self::Trivy => cmd
                .args(["image", "--quiet", "--exit-code", "0", "--format", "sarif"])
                .arg("--output")
                .arg(given.report)
                .arg("--input")
                .arg(given.archive),
            Self::Grype => cmd
                .args(["--quiet", "--output", "sarif", "--file"])
                .arg(given.report)
                .arg(format!("docker-archive:{}", given.archive.display())),
            Self::Dockle => cmd
                .args(["--quiet", "--exit-code", "0", "--format", "sarif"])
                .arg("--output")
                .arg(given.report)
                .arg("--input")
                .arg(given.archive),
            Self::Debsecan => {
                let mut cmd = cmd
                    .args(["--format", "summary", "--status"])
                    .arg(given.status);
                if let Some(suite) = given.suite {
                    cmd = cmd.args(["--suite", suite]);
                }
                match given.tracker {
                    Some(tracker) => cmd.args(["--source", tracker]),
                    None => cmd,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_told_where_the_image_is_and_where_the_report_goes() {
        let suite: Suite = "trixie".parse().unwrap();
        let line = |scanner: Scanner| {
            let given = Given {
                title: "gamma 18-trixie",
                archive: Path::new("x/image.tar"),
                status: Path::new("x/status"),
                suite: Some(&suite),
                tracker: Some("https://tracker.example/1"),
                report: Path::new("out/gamma.sarif"),
            };
            scanner.cmd(&given).to_string()
        };
        assert_eq!(
            Scanner::ALL.iter().copied().map(line).collect::<Vec<_>>(),
            [
                "trivy image --quiet --exit-code 0 --format sarif --output out/gamma.sarif --input x/image.tar",
                "grype --quiet --output sarif --file out/gamma.sarif docker-archive:x/image.tar",
                "dockle --quiet --exit-code 0 --format sarif --output out/gamma.sarif --input x/image.tar",
                "debsecan --format summary --status x/status --suite trixie --source https://tracker.example/1",
            ]
        );
    }

    #[test]
    fn a_name_is_one_of_the_table() {
        for one in Scanner::ALL {
            assert_eq!(Scanner::named(one.program()), Some(*one));
        }
        for name in ["", "sh", "Trivy", "/bin/trivy", "trivy "] {
            assert_eq!(Scanner::named(name), None, "{name:?}");
        }
    }
}
