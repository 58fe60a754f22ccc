// SPDX-License-Identifier: Apache-2.0
//! What `upgrade-paths` asks of docker, and what it refuses.

use crate::cli::world::World;

#[test]
fn an_older_image_is_mounted_beside_the_new_one_and_its_server_told_of_it() {
    let world = World::new();
    let call = "upgrade-paths beta --no-bake --distro trixie --from elsewhere/beta:1,elsewhere/beta:2 --dry-run";
    let printed = world.run(call).success().stdout;
    for part in [
        "docker pull --quiet -- elsewhere/beta:2",
        "--mount type=image,source=localhost:5000/beta-testing:",
        "target=/extensions/beta ",
        "--mount type=image,source=elsewhere/beta:1,target=/older/0 ",
        "--mount type=image,source=elsewhere/beta:2,target=/older/1 ",
        "extension_control_path=$system:/older/1/share:/extensions/alpha/share",
        "--network none ",
    ] {
        assert!(printed.contains(part), "{part}\n{printed}");
    }
    world.calls.never("docker run");
}

#[test]
fn what_has_told_of_no_older_version_has_not_been_tried() {
    let world = World::new();
    let ended = world
        .run("upgrade-paths gamma --no-bake --distro trixie --json")
        .success()
        .says("0 of 0 passed, 1 not run");
    let rows = ended.json();
    assert_eq!(rows[0]["result"], "not run", "{rows:#}");
    let why = "no older version is known of it: `--from` takes an older image";
    assert_eq!(rows[0]["proof"], why, "{rows:#}");
}

#[test]
fn what_cannot_be_meant_is_said() {
    let world = World::new();
    for (call, said) in [
        (
            "upgrade-paths alpha beta --from elsewhere/beta:1",
            "`--from` names older images of one extension: name the one that it is",
        ),
        (
            "upgrade-paths gamma --no-bake --from elsewhere/gamma:1",
            "`--from` names older images of one of 2 images",
        ),
        ("upgrade-paths gamma --from Nobody", "Nobody"),
    ] {
        world.run(call).status(2).says(said);
    }
    world.calls.never("docker run");
    let copied = [("XTASK_SMOKE_MOUNT", "copy")];
    world
        .run_with("upgrade-paths gamma --no-bake", &copied)
        .status(3)
        .says("Docker 28");
}
