// SPDX-License-Identifier: Apache-2.0
//! Releases of the operator, and where their manifests are.

use std::{fmt, path::Path, str::FromStr};

use sha2::{Digest, Sha256};

use crate::{
    config::{self, Config},
    failure::Failure,
    image::ImageRef,
    own::source,
    tool::{kubectl::is_path, version::is_version},
};

/// Where CloudNativePG publishes the manifests of its branches and of its releases.
const BRANCHES: &str = "https://raw.githubusercontent.com/cloudnative-pg/artifacts/{branch}/manifests/operator-manifest.yaml";
const RELEASES: &str = "https://raw.githubusercontent.com/cloudnative-pg/cloudnative-pg/release-{minor}/releases/cnpg-{release}.yaml";

const WANTED: &str = "write `main`, `1.30`, `1.30.0`, or the path or URL of a manifest";

/// One release. The order is that of upgrades: `main` is newer than any number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Release {
    /// `1.30` or `1.30.0`.
    Numbered(String),
    Main,
    /// A path or a URL.
    Manifest(String),
}

impl FromStr for Release {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let digits = text.strip_prefix('v').unwrap_or(text);
        if text == "main" {
            return Ok(Release::Main);
        }
        // A part that is no number would be left out where releases are compared.
        let numbers = digits.split('.').all(|part| part.parse::<u32>().is_ok());
        if is_version(digits) && numbers && (1..=2).contains(&digits.matches('.').count()) {
            return Ok(Release::Numbered(digits.to_owned()));
        }
        let is_yaml = Path::new(text)
            .extension()
            .is_some_and(|ending| ending == "yaml" || ending == "yml");
        if text.contains('/') || is_yaml {
            return Ok(Release::Manifest(text.to_owned()));
        }
        Err(Failure::invalid(format!("`{text}` is not a release of the operator")).hint(WANTED))
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Release::Numbered(text) | Release::Manifest(text) => f.write_str(text),
            Release::Main => f.write_str("main"),
        }
    }
}

impl Release {
    /// Where its manifest is: by `pattern` when that is not empty, with `{release}` replaced.
    pub(crate) fn manifest(&self, pattern: &str) -> String {
        let text = self.to_string();
        match self {
            Release::Manifest(source) => source.clone(),
            _ if !pattern.is_empty() => pattern.replace("{release}", &text),
            Release::Main => BRANCHES.replace("{branch}", "main"),
            Release::Numbered(number) => match self.numbers().as_slice() {
                [major, minor, _] => RELEASES
                    .replace("{minor}", &format!("{major}.{minor}"))
                    .replace("{release}", number),
                _ => BRANCHES.replace("{branch}", &format!("release-{number}")),
            },
        }
    }

    /// 1, 30 and 0 of `1.30.0`; none of what has no number.
    pub(super) fn numbers(&self) -> Vec<u32> {
        match self {
            Release::Numbered(text) => text
                .split('.')
                .filter_map(|part| part.parse().ok())
                .collect(),
            _ => Vec::new(),
        }
    }

    /// Whether going from `self` to `other` is a step back. Not known for manifests.
    pub(crate) fn is_newer_than(&self, other: &Release) -> bool {
        match (self, other) {
            (Release::Main, Release::Numbered(_)) => true,
            (Release::Numbered(_), Release::Numbered(_)) => {
                // `1.30` is a line of releases: no 1.30.x is a step back from it.
                let (own, others) = (self.numbers(), other.numbers());
                let shared = own.len().min(others.len());
                own[..shared] > others[..shared]
            }
            _ => false,
        }
    }

    /// The one of the setting `cnpg.release`.
    pub(crate) fn preset(config: &Config) -> Result<Release, Failure> {
        of_setting("cnpg.release", config.get(config::CNPG_RELEASE))
    }

    /// The releases that CI tests with, oldest first: those of the setting `cnpg.releases`, or that of `cnpg.release`,
    /// the minor release before it and `main`. Refuses to guess where `cnpg.release` has no minor release before it.
    pub(crate) fn supported(config: &Config) -> Result<Vec<Release>, Failure> {
        let named = config.get(config::CNPG_RELEASES);
        let mut releases = if named.is_empty() {
            let latest = Self::preset(config)?;
            let previous = latest.previous().ok_or_else(|| {
                let said = "and which release came before it is not known";
                Failure::invalid(format!("setting `cnpg.release` is `{latest}`, {said}"))
                    .hint("name the releases in the setting `cnpg.releases`")
            })?;
            vec![previous, latest, Release::Main]
        } else {
            let named = named.iter();
            let named = named.map(|text| of_setting("cnpg.releases", text));
            named.collect::<Result<Vec<_>, _>>()?
        };
        releases.sort_by_key(Release::rank);
        releases.dedup();
        Ok(releases)
    }

    /// `1.29` of `1.30` and of `1.30.2`; None where the number of its minor release does not tell.
    fn previous(&self) -> Option<Release> {
        let [major, minor, ..] = self.numbers()[..] else {
            return None;
        };
        let before = minor.checked_sub(1)?;
        Some(Release::Numbered(format!("{major}.{before}")))
    }

    /// Where it stands among releases that are tested one after the other: oldest first, `main` last.
    pub(crate) fn rank(&self) -> (u8, Vec<u32>) {
        match self {
            Release::Numbered(_) => (0, self.numbers()),
            Release::Manifest(_) => (1, Vec::new()),
            Release::Main => (2, Vec::new()),
        }
    }
}

/// A release's manifest, and what tells an operator that is from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manifest {
    /// A path or a URL.
    pub source: String,
    /// The same for the same manifest and image: of a file its contents, of a URL its address.
    pub stamp: String,
}

impl Manifest {
    /// Reads a manifest that is a file. `image` is the operator's when it is not the one that the manifest names.
    pub(crate) fn read(source: String, image: Option<&ImageRef>) -> Result<Self, Failure> {
        let mut stamp = source.clone();
        if is_path(&source) {
            if !Path::new(&source).is_file() {
                return Err(Failure::invalid(format!(
                    "the operator's manifest `{source}` does not exist"
                ))
                .hint("name a release (`1.30`), or the path or URL of a manifest"));
            }
            let text = source::read_named(Path::new(&source))?.unwrap_or_default();
            let digest = Sha256::digest(&text);
            stamp = format!("sha256:{}", crate::value::hex(&digest[..8]));
        }
        if let Some(image) = image {
            stamp += &format!(" with {image}");
        }
        Ok(Self { source, stamp })
    }
}

/// A release that a setting names.
fn of_setting(name: &str, text: &str) -> Result<Release, Failure> {
    text.parse().map_err(|refused: Failure| {
        let message = format!("setting `{name}`: {}", refused.message);
        refused.of_the_same_kind(message).or_hint(WANTED)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release(text: &str) -> Release {
        text.parse().unwrap()
    }

    #[test]
    fn each_release_has_its_manifest() {
        assert!(
            release("main")
                .manifest("")
                .contains("/artifacts/main/manifests/operator-manifest.yaml")
        );
        assert!(
            release("1.30")
                .manifest("")
                .contains("/artifacts/release-1.30/")
        );
        assert!(
            release("1.30.0")
                .manifest("")
                .ends_with("/release-1.30/releases/cnpg-1.30.0.yaml")
        );
        assert_eq!(
            release("1.10").manifest("lab/{release}.yaml"),
            "lab/1.10.yaml"
        );
        assert_eq!(
            release("./my.yaml").manifest("lab/{release}.yaml"),
            "./my.yaml"
        );
        for text in ["", "1", "1.2.3.4", "latest", "1.x", "1.22222222921.19"] {
            assert!(Release::from_str(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ci_tests_with_the_latest_the_previous_and_main() {
        let supported = |settings: &str| {
            let mut config = Config::defaults();
            config.read_file(settings).unwrap();
            let releases = Release::supported(&config);
            releases.map(|releases| releases.iter().map(Release::to_string).collect::<Vec<_>>())
        };
        let latest = "[cnpg]\nrelease = \"1.10.2\"";
        assert_eq!(supported(latest).unwrap(), ["1.9", "1.10.2", "main"]);
        let named = "[cnpg]\nreleases = [\"main\", \"1.30\", \"1.9\", \"1.30\"]";
        assert_eq!(supported(named).unwrap(), ["1.9", "1.30", "main"]);
        for release in ["2.0", "main", "https://example.org/operator.yaml"] {
            let refused = supported(&format!("[cnpg]\nrelease = \"{release}\"")).unwrap_err();
            assert!(refused.to_string().contains(release), "{refused}");
        }
        let refused = supported("[cnpg]\nreleases = [\"1.x\"]").unwrap_err();
        let message = "setting `cnpg.releases`: `1.x` is not a release of the operator";
        assert_eq!(refused.message, message);
        assert_eq!(refused.hint.as_deref(), Some(WANTED));
    }

    #[test]
    fn a_step_back_is_known() {
        assert!(release("1.30").is_newer_than(&release("1.29")));
        assert!(release("1.30.1").is_newer_than(&release("1.30.0")));
        assert!(release("main").is_newer_than(&release("1.30")));
        assert!(!release("1.30.1").is_newer_than(&release("1.30")));
        assert!(!release("1.9").is_newer_than(&release("1.10")));
        assert!(!release("./x.yaml").is_newer_than(&release("1.10")));
    }
}
