// SPDX-License-Identifier: Apache-2.0
//! Nodes behind a proxy that is not there: what they get, they have from the local registry.

use super::lab::{Lab, NAME};
use crate::support::{ended::Ended, repository::sandboxed};

/// At an address that RFC 5737 keeps for documentation: nobody answers.
const NOBODY: &str = "http://198.51.100.1:3128";

/// The operator's image is in the local registry in the lab alone, as a seed.
#[test]
fn nodes_ask_the_local_registry_and_not_the_proxy() {
    if !sandboxed() {
        return;
    }
    let lab = Lab::new();
    lab.xtask(&["e2e", "cleanup"]).success();
    let mut setup = lab.command(&["e2e", "setup-env"]);
    setup.envs([("HTTP_PROXY", NOBODY), ("HTTPS_PROXY", NOBODY)]);
    Ended::from(&setup.output().unwrap()).success();
    // Each pull of a node is containerd's.
    let environment =
        "tr '\\0' '\\n' < /proc/$(systemctl show --property MainPID --value containerd)/environ";
    let known = lab.docker(&["exec", &lab.node(), "sh", "-c", environment]);
    let known = known.success().stdout;
    for name in ["HTTP_PROXY", "HTTPS_PROXY"] {
        assert!(known.contains(&format!("{name}={NOBODY}\n")), "{known}");
    }
    let direct = known
        .lines()
        .find_map(|line| line.strip_prefix("NO_PROXY="));
    let direct = direct.unwrap_or_default();
    assert!(direct.contains(&format!("registry.{NAME}")), "{known}");
    lab.xtask(&["e2e", "status"]).success();
    lab.xtask(&["e2e", "cleanup"]).success();
}
