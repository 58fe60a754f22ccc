// SPDX-License-Identifier: Apache-2.0
//! The names that we give in the sandbox's folder. What has another one is somebody's own.

use std::ffi::OsStr;

use super::base::origin;
use crate::value::Suite;

pub(super) const ROOT: &str = "root";
/// Of docker inside, below the root: logins, proxies and builders.
pub(super) const DOCKER_SETTINGS: &str = "etc/xtask/docker";
/// A root that is being made.
pub(super) const ROOT_NEW: &str = "root.new";
/// Programs that enter the sandbox.
pub(super) const BIN: &str = "bin";
/// mmdebstrap, where the machine has none.
pub(super) const TOOLS: &str = "tools";
pub(super) const TOOLS_NEW: &str = "tools.new";
pub(super) const TEMPORARY: &str = "tmp";
/// Packages and their index.
pub(super) const APT: &str = "apt";
/// What the engine holds.
pub(super) const DOCKER: &str = "docker";
/// Says which process the engine's first one is.
pub(super) const ENGINE: &str = "engine";
pub(super) const ENGINE_LOCK: &str = "engine.lock";
pub(super) const LOG: &str = "init.log";
/// Which base images are used, for an hour.
pub(crate) const WHICH_BASE: &str = "base";
/// The versions in Debian's archive.
pub(crate) const ARCHIVE: &str = "archive.json";
/// Held while a repository is shown to the sandbox.
pub(super) const REPOSITORY_LOCK: &str = "repository.lock";

const ALL: &[&str] = &[
    ROOT,
    ROOT_NEW,
    BIN,
    TOOLS,
    TOOLS_NEW,
    TEMPORARY,
    APT,
    DOCKER,
    ENGINE,
    ENGINE_LOCK,
    LOG,
    WHICH_BASE,
    ARCHIVE,
    REPOSITORY_LOCK,
];

/// The folder of a base image on a suite, with the server of one that may be another.
pub(super) fn base(suite: &Suite, server_of: &Suite, major: &str) -> String {
    format!("base-{suite}{}-{major}", origin(suite, server_of))
}

/// Whether a name in the folder is one that we give.
pub(super) fn is_ours(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else {
        return false;
    };
    let is_base = || {
        let (suite, major) = name.strip_prefix("base-")?.rsplit_once('-')?;
        let digits = !major.is_empty() && major.bytes().all(|byte| byte.is_ascii_digit());
        Some(digits && suite.parse::<Suite>().is_ok())
    };
    ALL.contains(&name) || is_base() == Some(true) || crate::own::file::is_temporary(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_another_suite_has_another_folder() {
        let suites = ["forky", "experimental", "sid"].map(|text| text.parse().unwrap());
        let [forky, others @ ..] = &suites;
        assert_eq!(base(forky, forky, "19"), "base-forky-19");
        let [one, two] = others.each_ref().map(|other| base(forky, other, "19"));
        assert_eq!(one, "base-forky-from-experimental-19");
        assert_eq!(two, "base-forky-from-sid-19");
    }

    #[test]
    fn only_names_that_we_give_are_ours() {
        let suite = |text: &str| -> Suite { text.parse().unwrap() };
        let own = base(
            &suite("bookworm-backports"),
            &suite("bookworm-backports"),
            "18",
        );
        let other = base(&suite("forky"), &suite("experimental"), "19");
        for ours in [
            "root",
            "tools.new",
            "engine.lock",
            &own,
            &other,
            ".xtask-0123456789abcdef",
        ] {
            assert!(is_ours(OsStr::new(ours)), "{ours}");
        }
        for other in [
            "my-work",
            "root.old",
            "base-",
            "base-trixie",
            "base-x-y",
            ".xtask-1",
            "Root",
            "",
        ] {
            assert!(!is_ours(OsStr::new(other)), "{other}");
        }
    }
}
