// SPDX-License-Identifier: Apache-2.0
//! The names that we give in the sandbox's folder. What has another one is somebody's own.

use std::ffi::OsStr;

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

/// The folder of a base image.
pub(super) fn base(suite: &Suite, major: &str) -> String {
    format!("base-{suite}-{major}")
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
    fn only_names_that_we_give_are_ours() {
        let base = base(&"bookworm-backports".parse().unwrap(), "18");
        for ours in [
            "root",
            "tools.new",
            "engine.lock",
            &base,
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
