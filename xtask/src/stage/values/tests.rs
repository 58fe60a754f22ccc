// SPDX-License-Identifier: Apache-2.0
use super::*;

#[test]
fn what_a_flag_has_said_is_said_again_and_nothing_else() {
    let config = Config::defaults();
    let own = Place::kind(&config, None).unwrap();
    assert!(Told::of(&config, false, &own).flags.is_empty());
    let config = config
        .with_flag(config::SANDBOX_FOLDER, "--sandbox-folder", Some("/a b"))
        .and_then(|config| config.with_flag(config::SANDBOX_BASE, "--base", Some("debian")))
        .and_then(|config| config.with_flag(config::E2E_NODES, "--nodes", Some("3")))
        .and_then(|config| {
            config.with_said(&["e2e.name=mine".into(), "registry=localhost:5001".into()])
        })
        .unwrap();
    let told = Told::of(&config, true, &own);
    assert_eq!(
        told.flags,
        [
            "--sandbox",
            "--sandbox-folder",
            "/a b",
            "--base",
            "debian",
            "--set",
            "e2e.name=mine"
        ]
    );
    assert_eq!(told.registry.as_deref(), Some("localhost:5001"));
}
