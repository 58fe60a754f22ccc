// SPDX-License-Identifier: Apache-2.0
//! What stands on the screen of whoever waits: at terminals of several sizes, resized ones, plain ones, and none.

use std::{fs, process::Command};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::cli::world::{BUILD, World, metadata, terminal::Terminal};

/// What `BuildKit` prints of a step, and of what that has printed.
fn says(target: &str, line: &str) -> String {
    let data = BASE64_STANDARD.encode(format!("{line}\n"));
    let name = format!("[{target} builder 2/3] RUN --mount=from=archive,target=/archive set -eu");
    format!(
        r#"{{"vertexes":[{{"digest":"{target} run","name":"{name}","started":"2026-01-01T00:00:01Z"}}]}}
{{"logs":[{{"vertex":"{target} run","stream":1,"data":"{data}"}}]}}
"#
    )
}

const DOWNLOAD: &str =
    "Get:5 http://x.example/debian trixie/main amd64 libgdal36 amd64 3.11.4-1 [8,392 kB]";

/// Alpha and gamma are built, and say something; it goes on when `go` is there.
fn waiting(line: &str) -> World {
    let world = World::new();
    let said = says("alpha-1_2-18-trixie", line) + &says("gamma-1_2-18-trixie", "cc -c gamma.c");
    fs::write(world.state("said"), said).unwrap();
    world.tools.rule(
        BUILD,
        r#"cat "$here/said" >&2; until [ -e "$here/go" ]; do sleep 0.02; done"#,
    );
    world
}

fn go(world: &World) {
    fs::write(world.state("go"), "").unwrap();
}

fn command(world: &World, variables: &[(&str, &str)]) -> Command {
    let mut command = world.command("bake alpha gamma");
    command.env("TERM", "xterm-256color");
    command.envs(variables.iter().copied());
    command
}

#[test]
fn each_step_that_runs_has_a_line_below_those_that_have_ended() {
    for (columns, said) in [
        (100, "download libgdal36 3.11.4-1 (8,392 kB)"),
        (40, "download"),
    ] {
        let world = waiting(DOWNLOAD);
        let terminal = Terminal::start(&mut command(&world, &[]), columns, 70);
        terminal.shows("2 running").shows(said).shows("cc -c");
        let rows = terminal.rows();
        let of = |text: &str| rows.iter().position(|row| row.contains(text)).unwrap();
        let (alpha, gamma, all) = (of("… bake alpha"), of("… bake gamma"), of("2 running"));
        assert!(
            alpha < gamma && gamma < all && all == rows.len() - 1,
            "{rows:#?}"
        );
        go(&world);
        let left = terminal.end();
        assert_eq!(left.status, Some(0), "{:#?}", left.rows);
        let text = left.rows.join("\n");
        for done in ["✓ bake alpha", "✓ bake gamma"] {
            assert!(text.contains(done), "{text}");
        }
        // Nothing is left of what ran.
        for gone in ["… bake", "running", "download"] {
            assert!(!text.contains(gone), "{text}");
        }
    }
}

#[test]
fn what_fails_stays_whole_and_the_others_go_on_below_it() {
    let world = waiting(DOWNLOAD);
    world
        .docker
        .bake_fails("gamma", "ERROR: the disk is gone\n");
    let terminal = Terminal::start(&mut command(&world, &[]), 60, 80);
    terminal.shows("2 running");
    go(&world);
    let left = terminal.end();
    assert_eq!(left.status, Some(1));
    let text = left.rows.join("\n");
    assert!(text.contains("✗ bake gamma"), "{text}");
    assert!(text.contains("the disk is gone"), "{text}");
    assert!(!text.contains("running"), "{text}");
}

#[test]
fn a_terminal_that_is_resized_shows_what_runs_once() {
    let world = waiting(DOWNLOAD);
    let terminal = Terminal::start(&mut command(&world, &[]), 120, 30);
    terminal.shows("3.11.4-1 (8,392 kB)");
    for (columns, rows, shown) in [
        (40, 30, "libgdal3…"),
        (100, 8, "(8,392 kB)"),
        (30, 12, "2 runn"),
        (90, 24, "(8,392 kB)"),
    ] {
        terminal.resize(columns, rows);
        terminal.shows(shown);
        let all = terminal.rows();
        let count = |text: &str| all.iter().filter(|row| row.contains(text)).count();
        assert_eq!(
            (count("… bake alpha"), count("2 running")),
            (1, 1),
            "{all:#?}"
        );
    }
    go(&world);
    let left = terminal.end();
    assert!(
        !left.rows.join("\n").contains("running"),
        "{:#?}",
        left.rows
    );
}

#[test]
fn without_colours_it_is_the_same_view() {
    let world = waiting(DOWNLOAD);
    let terminal = Terminal::start(&mut command(&world, &[("NO_COLOR", "1")]), 100, 24);
    terminal.shows("2 running").shows("libgdal36");
    go(&world);
    let left = terminal.end();
    assert!(left.bytes.contains("\u{1b}[J"), "{}", left.bytes);
    let styles = left.bytes.split('\u{1b}').skip(1).filter(|sequence| {
        let end = sequence.find(|c: char| c.is_ascii_alphabetic());
        end.is_some_and(|end| sequence[end..].starts_with('m'))
    });
    assert_eq!(styles.collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn a_terminal_that_cannot_move_and_no_terminal_get_line_after_line() {
    let world = waiting(DOWNLOAD);
    go(&world);
    let terminal = Terminal::start(&mut command(&world, &[("TERM", "dumb")]), 100, 24);
    let left = terminal.end();
    assert!(!left.bytes.contains('\u{1b}'), "{}", left.bytes);
    assert!(left.bytes.contains("✓ bake alpha"), "{}", left.bytes);
    let ended = world.run("bake alpha gamma").success();
    assert!(!ended.stderr.contains(['\u{1b}', '\r']), "{}", ended.stderr);
    ended.says("✓ bake alpha").says_nothing_of("running");
}

#[test]
fn what_a_tool_says_moves_nothing() {
    let hostile = "\u{1b}[2J\u{1b}[H\u{1b}]0;title\u{7}gone\u{1b}c\u{202e}";
    let world = waiting(hostile);
    let terminal = Terminal::start(&mut command(&world, &[]), 100, 24);
    terminal.shows("gone\\u{1b}c\\u{202e}").shows("2 running");
    go(&world);
    let left = terminal.end();
    assert!(
        left.rows[0].contains("note") || left.rows[0].contains('✓'),
        "{:#?}",
        left.rows
    );
    for sequence in ["\u{1b}[2J", "\u{1b}[H", "\u{1b}]", "\u{1b}c"] {
        assert!(!left.bytes.contains(sequence), "{sequence:?}");
    }
}

#[test]
fn whoever_leaves_at_once_leaves_nothing_drawn() {
    let world = waiting(DOWNLOAD);
    let terminal = Terminal::start(&mut command(&world, &[]), 100, 24);
    terminal.shows("2 running");
    terminal.send("-INT");
    let left = terminal.end();
    assert_eq!(left.status, Some(130));
    assert!(
        !left.rows.join("\n").contains("running"),
        "{:#?}",
        left.rows
    );
}

#[test]
fn a_table_is_no_wider_than_the_terminal_and_whole_elsewhere() {
    let world = World::new();
    let long = "a proof that says in many words what was seen, ".repeat(6);
    world.extension("alpha", &metadata("alpha", &[]));
    world.docker.proof(&long);
    for columns in [100, 60, 40] {
        let mut command = world.command("smoke alpha --no-bake");
        command.env("TERM", "xterm");
        let left = Terminal::start(&mut command, columns, 60).end();
        assert_eq!(left.status, Some(0), "{:#?}", left.rows);
        let table = left
            .rows
            .iter()
            .zip(&left.wrapped)
            .filter(|(row, _)| row.contains("proof that"));
        for (row, wrapped) in table {
            assert!(!wrapped, "{columns}: {row}");
        }
        assert!(
            left.rows.iter().any(|row| row.contains('…')),
            "{columns}: {:#?}",
            left.rows
        );
    }
    let ended = world.run("smoke alpha --no-bake").success();
    assert!(ended.stdout.contains(long.trim_end()), "{}", ended.stdout);
}
