// SPDX-License-Identifier: Apache-2.0
//! What a terminal shows: an emulator reads what is written.

use vt100::Parser;

use super::Region;

/// What stands on the screen, row by row, without blank ones at the end.
fn rows(terminal: &Parser) -> Vec<String> {
    let text = terminal.screen().contents();
    text.trim_end().lines().map(str::to_owned).collect()
}

fn lines(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[test]
fn what_stays_stands_above_and_what_runs_is_drawn_again() {
    let mut terminal = Parser::new(10, 20, 100);
    let mut region = Region::default();
    terminal.process(b"$ cargo xtask\r\n");
    for (said, running, shown) in [
        (
            "",
            &["a 1s", "b 1s", "2 running"][..],
            &["$ cargo xtask", "a 1s", "b 1s", "2 running"][..],
        ),
        (
            "ok a\r\n",
            &["a 1s", "b 1s", "2 running"],
            &["$ cargo xtask", "ok a", "a 1s", "b 1s", "2 running"],
        ),
        ("", &["b", "1"], &["$ cargo xtask", "ok a", "b", "1"]),
        ("ok b\r\n", &[], &["$ cargo xtask", "ok a", "ok b"]),
    ] {
        if !said.is_empty() {
            terminal.process(region.above(said).as_bytes());
        }
        if let Some(text) = region.draw(lines(running)) {
            terminal.process(text.as_bytes());
        }
        assert_eq!(rows(&terminal), shown);
        // What is typed, or said by somebody else, is where it can be taken away again.
        assert_eq!(terminal.screen().cursor_position().1, 0);
    }
    assert_eq!(region.draw(Vec::new()), None);
}

#[test]
fn at_the_bottom_of_the_screen_nothing_that_stays_is_lost() {
    let mut terminal = Parser::new(4, 20, 100);
    let mut region = Region::default();
    for at in 0..20 {
        terminal.process(region.above(&format!("ok {at}\r\n")).as_bytes());
        let running = format!("step {}", at + 1);
        if let Some(text) = region.draw(lines(&[&running, "all"])) {
            terminal.process(text.as_bytes());
        }
    }
    assert_eq!(rows(&terminal), ["ok 18", "ok 19", "step 20", "all"]);
    terminal.process(region.erase().as_bytes());
    terminal.screen_mut().set_scrollback(100);
    assert_eq!(rows(&terminal)[..3], ["ok 0", "ok 1", "ok 2"]);
}

#[test]
fn a_terminal_that_is_resized_keeps_what_stays_and_nothing_else() {
    let mut terminal = Parser::new(12, 60, 100);
    let mut region = Region::default();
    terminal.process(b"ok\r\n");
    let long = "x".repeat(59);
    terminal.process(region.draw(lines(&[&long, &long])).unwrap().as_bytes());
    for columns in [20, 100, 30] {
        terminal.screen_mut().set_size(12, columns);
        let short = "y".repeat(usize::from(columns) - 1);
        terminal.process(region.draw(lines(&[&short, "all"])).unwrap().as_bytes());
        assert_eq!(rows(&terminal), ["ok", &short, "all"]);
    }
    // A terminal that folds what has become too long: the cursor stays with the first of these lines.
    let mut folding = Parser::new(12, 20, 100);
    folding.process(format!("ok\r\n{long}{long}\x1b[3;1H\x1b[1A").as_bytes());
    folding.process(region.draw(lines(&["z", "all"])).unwrap().as_bytes());
    assert_eq!(rows(&folding), ["ok", "z", "all"]);
}
