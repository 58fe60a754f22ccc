// SPDX-License-Identifier: Apache-2.0
//! Behind a proxy: what the environment names reaches the sandbox's archive, its engine and the steps of its builds.
//! That it reaches the nodes of a cluster stands in lane `e2e`.

use crate::support::{
    forward::Forward,
    repository::{Repository, sandboxed},
};

#[test]
fn the_archive_the_engine_and_builds_ask_the_proxy_of_the_environment() {
    if !sandboxed() {
        return;
    }
    let repository = Repository::new();
    let proxy = Forward::start();
    let url = format!("http://127.0.0.1:{}", proxy.port);
    let named = [
        ("HTTP_PROXY", url.as_str()),
        ("HTTPS_PROXY", &url),
        ("XTASK_SANDBOX_BASE", "debian"),
    ];
    repository.xtask(&["sandbox", "down", "--keep"]).success();
    repository.xtask_with(&["sandbox", "up"], &named).success();
    proxy.asked();

    // The steps of a build: packages come through it, and the image is made and works.
    repository
        .xtask_with(&["bake", "wal2json", "--no-cache"], &named)
        .success();
    let asked = proxy.asked();
    let package = |line: &String| line.contains("wal2json") && line.ends_with(".deb");
    assert!(asked.iter().any(package), "{asked:?}");
    repository
        .xtask_with(&["smoke", "wal2json", "--no-bake"], &named)
        .success();

    // The engine: a name that nobody has is looked for by way of it.
    let pulled = repository.docker(&["pull", "registry.invalid/somebody/thing:1"]);
    assert!(!pulled.stderr.is_empty());
    let asked = proxy.asked();
    let registry = "CONNECT registry.invalid:443".to_owned();
    assert!(asked.contains(&registry), "{asked:?}\n{}", pulled.stderr);

    // At this machine's own address, which the sandbox has too.
    let url = format!("http://169.254.1.3:{}", proxy.port);
    let elsewhere = [("HTTP_PROXY", url.as_str()), named[2]];
    repository.xtask(&["sandbox", "down", "--keep"]).success();
    repository
        .xtask_with(&["bake", "wal2json", "--no-cache"], &elsewhere)
        .success();
    assert!(proxy.asked().iter().any(package));

    // And no more once the environment names none.
    repository.xtask(&["sandbox", "down", "--keep"]).success();
    repository
        .xtask_with(&["bake", "wal2json", "--no-cache"], &named[2..])
        .success();
    assert_eq!(proxy.asked(), Vec::<String>::new());
}
