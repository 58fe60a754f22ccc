// SPDX-License-Identifier: Apache-2.0
//! `ci docs`: documents that are made of the program are written, and found where they say something else.

use crate::cli::world::World;

const PAGE: &str = "# Troubles\n\nby hand\n\n\
    <!-- From here on made by `cargo xtask ci docs`: what stands here is changed in xtask/src/symptom/. -->\n\
    <!-- Up to here. -->\n\nand below\n";

fn world() -> World {
    let world = World::new();
    world.write("xtask/Cargo.toml", "");
    world.write("docs/troubleshooting.md", PAGE);
    world.write("docs/pictures/smoke.txt", "\u{1b}[32m✓\u{1b}[0m a < b\n");
    world
}

#[test]
fn documents_are_written_once_and_what_is_stale_is_named() {
    let world = world();
    world
        .run("ci docs --check")
        .status(1)
        .says("4 documents out of date")
        .says("`cargo xtask ci docs` writes them");
    assert_eq!(world.read("docs/troubleshooting.md"), PAGE);
    world.run("ci docs").success();
    world.run("ci docs --check").success();
    let rows = world.run("ci docs --json").success().json();
    for row in rows.as_array().unwrap() {
        assert_eq!(row["result"], "current", "{row}");
    }
    let page = world.read("docs/troubleshooting.md");
    assert!(page.starts_with("# Troubles\n\nby hand\n"), "{page}");
    assert!(page.ends_with("\nand below\n"), "{page}");
    assert!(page.contains("`no space left on device`"), "{page}");
    let picture = world.read("docs/pictures/smoke.svg");
    assert!(
        picture.contains("<tspan class=\"c2\">✓</tspan> a &lt; b</text>"),
        "{picture}"
    );
    for (file, heading) in [
        (
            "docs/reference/commands.md",
            "\n## cargo xtask e2e test-full\n",
        ),
        (
            "docs/reference/settings.md",
            "\n| `bake.jobs` | `XTASK_BAKE_JOBS` |",
        ),
    ] {
        let text = world.read(file);
        assert!(text.contains(heading), "{text}");
        world.write(file, &text.replace(heading, "\n"));
        let stale = world.run("ci docs --check").status(1).stdout;
        let row = stale.lines().find(|line| line.starts_with(file));
        assert!(row.unwrap().ends_with("out of date"), "{stale}");
        world.run("ci docs").success();
        assert_eq!(world.read(file), text);
    }
}

#[test]
fn a_page_without_a_place_for_what_is_made_is_refused() {
    let world = world();
    world.write("docs/troubleshooting.md", "# Troubles\n");
    world
        .run("ci docs")
        .status(2)
        .says("`docs/troubleshooting.md` lacks the lines between which it is made");
    assert_eq!(world.read("docs/troubleshooting.md"), "# Troubles\n");
}
