// SPDX-License-Identifier: Apache-2.0
//! `cosign`: signatures of images.

use serde_json::Value;

use super::version::Least;

/// The one whose signatures are bundles, attached to the image as referrers.
pub(crate) const LEAST: Least = Least::of(&[3]);

/// The version in what `cosign version --json` prints; None where it was built without one, as Debian's was (`devel`): the
/// only other version in its answer is Go's.
pub(crate) fn version(printed: &str) -> Option<String> {
    let said: Value = serde_json::from_str(printed).ok()?;
    let version = said["gitVersion"].as_str()?.trim_start_matches('v');
    let is_version = version.starts_with(|c: char| c.is_ascii_digit());
    is_version.then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_its_own_and_not_that_of_go() {
        let said =
            |version: &str| format!(r#"{{"gitVersion": "{version}", "goVersion": "go1.27.3"}}"#);
        assert_eq!(version(&said("v3.1.1")).as_deref(), Some("3.1.1"));
        for printed in [&said("devel"), "{}", "no JSON"] {
            assert_eq!(version(printed), None, "{printed}");
        }
    }
}
