// SPDX-License-Identifier: Apache-2.0
//! What an empty repository gets: how images are built, and the suite that all extensions share. The files are this repository's own.

const BUILD: &str = "how an image is built";
const SUITE: &str = "the suite that all extensions share";

/// Path, text, and what it is for.
pub(super) const FILES: &[(&str, &str, &str)] = &[
    (
        "extensions/README.md",
        "# Extensions\n\nOne directory for each: `cargo xtask create-extension NAME --from-archive` makes one.\n",
        "where extensions will be",
    ),
    (
        "docker/bake.hcl",
        include_str!("../../../../../docker/bake.hcl"),
        BUILD,
    ),
    (
        "docker/Dockerfile",
        include_str!("../../../../../docker/Dockerfile"),
        BUILD,
    ),
    (
        "docker/libraries.pl",
        include_str!("../../../../../docker/libraries.pl"),
        BUILD,
    ),
    (
        "test/chainsaw-test.yaml",
        include_str!("../../../../../test/chainsaw-test.yaml"),
        SUITE,
    ),
    (
        "test/steps/client.yaml",
        include_str!("../../../../../test/steps/client.yaml"),
        SUITE,
    ),
    (
        "test/steps/cluster.yaml",
        include_str!("../../../../../test/steps/cluster.yaml"),
        SUITE,
    ),
    (
        "test/steps/database.yaml",
        include_str!("../../../../../test/steps/database.yaml"),
        SUITE,
    ),
    (
        "test/steps/smoke.yaml",
        include_str!("../../../../../test/steps/smoke.yaml"),
        SUITE,
    ),
    (
        "test/upgrade/upgrade-test.yaml",
        include_str!("../../../../../test/upgrade/upgrade-test.yaml"),
        SUITE,
    ),
];
