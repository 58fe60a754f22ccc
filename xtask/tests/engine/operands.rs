// SPDX-License-Identifier: Apache-2.0
//! The real tools take `--` for the end of their options, wherever xtask writes it: what stands behind it is
//! a name to them, even when it looks like an option.

use crate::support::repository::Repository;

/// What begins a call, and what the tool says of a name that it cannot have.
const CALLS: &[(&[&str], &str)] = &[
    (
        &["image", "inspect", "--format", "{{.Id}}", "--", "--help"],
        "invalid reference format",
    ),
    (
        &["pull", "--quiet", "--", "--help"],
        "invalid reference format",
    ),
    (
        &["push", "--quiet", "--", "--help"],
        "invalid reference format",
    ),
    (&["tag", "--", "--help", "x:1"], "invalid reference format"),
    (&["image", "rm", "--", "--help"], "invalid reference format"),
    (&["run", "--rm", "--", "--help"], "invalid reference format"),
    (
        &["create", "--", "--help", "none"],
        "invalid reference format",
    ),
    (
        &["rm", "--volumes", "--", "--help"],
        "No such container: --help",
    ),
    (&["start", "--", "--help"], "No such container: --help"),
    (
        &["logs", "--tail", "5", "--", "--help"],
        "No such container: --help",
    ),
    (
        &["exec", "--interactive", "--", "--help", "sh"],
        "No such container: --help",
    ),
    (
        &["cp", "--quiet", "--", "--help:/", "/nowhere"],
        "No such container: --help",
    ),
    (
        &["volume", "create", "--label", "a=b", "--", "--help"],
        "--help",
    ),
    (&["volume", "rm", "--", "--help"], "--help"),
    (
        &["buildx", "imagetools", "inspect", "--raw", "--", "--help"],
        "invalid reference format",
    ),
    (&["buildx", "inspect", "--", "--help"], "--help"),
    (
        &["buildx", "build", "--provenance=false", "--", "--help"],
        "--help",
    ),
];

#[test]
fn no_operand_is_an_option_to_docker() {
    let repository = Repository::new();
    for (args, says) in CALLS {
        let ended = repository.docker(args);
        let text = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!text.contains("Usage:  docker"), "{args:?}: {text}");
        assert!(text.contains(says), "{args:?}: {text}");
        assert_ne!(ended.status, Some(0), "{args:?}: {text}");
    }
    // A network may have that name, and goes by it.
    let create = ["network", "create", "--label", "a=b", "--", "--help"];
    repository.docker(&create).success();
    let removed = repository.docker(&["network", "rm", "--", "--help"]);
    assert_eq!(removed.success().stdout, "--help\n");
    // To list what is not there is no failure.
    let list = [
        "image",
        "ls",
        "--format",
        "{{.Tag}}",
        "--",
        "nothing/of/this/name",
    ];
    assert_eq!(repository.docker(&list).success().stdout, "");
}
