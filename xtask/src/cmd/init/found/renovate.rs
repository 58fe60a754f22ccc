// SPDX-License-Identifier: Apache-2.0
//! Whether Renovate is configured in a repository.

use std::path::Path;

use serde_json::Value;

use crate::{failure::Failure, own::source};

/// Where Renovate looks for its configuration, in its order, see <https://docs.renovatebot.com/configuration-options/>; the last has
/// it below a key.
const RENOVATE: &[&str] = &[
    "renovate.json",
    "renovate.json5",
    ".github/renovate.json",
    ".github/renovate.json5",
    ".gitlab/renovate.json",
    ".gitlab/renovate.json5",
    ".renovaterc",
    ".renovaterc.json",
    ".renovaterc.json5",
    "package.json",
];

/// Where Renovate is configured already, but for the file that `init` would write.
pub(super) fn elsewhere(root: &Path) -> Result<Option<String>, Failure> {
    let is_there = |name: &&&str| root.join(name).symlink_metadata().is_ok();
    for name in RENOVATE.iter().skip(1).filter(is_there) {
        if *name == "package.json" {
            let text = source::read(root, &root.join(name))?.unwrap_or_default();
            let package: Option<Value> = serde_json::from_str(&text).ok();
            if package.is_none_or(|package| package.get("renovate").is_none()) {
                continue;
            }
        }
        return Ok(Some((*name).to_owned()));
    }
    Ok(None)
}
