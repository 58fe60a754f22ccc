// SPDX-License-Identifier: Apache-2.0
//! The end: everything that was made is gone, and nothing else.

use super::lab::{Lab, NAME};

#[test]
fn what_was_made_goes_and_what_was_not_stays() {
    let lab = Lab::new();
    lab.xtask(&["e2e", "cleanup"]).success();
    let before = lab.things();
    assert!(
        !before.iter().any(|thing| thing.contains(NAME)),
        "{before:?}"
    );
    lab.xtask(&["e2e", "setup-env"]).success();
    assert!(lab.things().len() >= before.len() + 4);
    lab.xtask(&["e2e", "status"]).success();
    // However broken: without its network a node does not even start.
    let registry = format!("registry.{NAME}");
    lab.docker(&["rm", "--force", "--volumes", &registry])
        .success();
    lab.xtask(&["e2e", "cleanup"])
        .success()
        .says("the environment is removed");
    assert_eq!(lab.things(), before);
    assert!(!lab.repository.path().join("target/xtask/e2e").exists());
    lab.xtask(&["e2e", "cleanup"])
        .success()
        .says("there is nothing to remove");
    lab.xtask(&["e2e", "status"]).status(1);
    // Somebody else's network of that name is not ours to use, nor to remove.
    let network = format!("{NAME}-e2e");
    lab.docker(&["network", "create", &network]).success();
    lab.xtask(&["e2e", "setup-env"])
        .status(2)
        .says("was not created by xtask");
    lab.xtask(&["e2e", "cleanup"]).success().says("it is kept");
    lab.docker(&["network", "rm", &network]).success();
    assert_eq!(lab.things(), before);
}
