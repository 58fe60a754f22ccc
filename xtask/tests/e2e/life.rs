// SPDX-License-Identifier: Apache-2.0
//! A whole life of an extension, as `life.sh` goes through it: from its creation to an upgrade in a cluster.

use std::process::Command;

use super::lab::Lab;
use crate::support::{ended::Ended, repository::sandboxed};

const LIFE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/life.sh");

#[test]
fn an_extension_is_created_tested_released_and_replaced() {
    let lab = Lab::new();
    let xtask = lab.command(&[]);
    let mut life = Command::new(LIFE);
    life.current_dir(lab.repository.path())
        .env("XTASK", xtask.get_program());
    for (name, value) in xtask.get_envs() {
        match value {
            Some(value) => life.env(name, value),
            None => life.env_remove(name),
        };
    }
    if sandboxed() {
        life.env("XTASK_SANDBOX", "1").env("LIFE_DISTRO", "forky");
    }
    // Seen in the pod, and replaced.
    Ended::from(&life.output().unwrap())
        .success()
        .says("up to date")
        .says("the pod has mounted what was tested: localhost:")
        .says("/production/pg-hint-plan:")
        .says("was replaced by");
}
