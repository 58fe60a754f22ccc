// SPDX-License-Identifier: Apache-2.0
//! What is shown to people, shells and runners.

use super::text;
use crate::{
    plan::Cmd,
    printable::{is_hidden, printable},
    tool::reading,
    ui::Fit,
};

/// One word a line: what is printed of a command is, for a shell, exactly its words.
pub fn shell_line(data: &[u8]) {
    let text = text(data);
    if text.contains('\0') || text.chars().any(is_hidden) || text.contains("##[") {
        // No argument can hold it, or it is printed by a `printf`, which only a shell can read.
        return;
    }
    let words: Vec<&str> = text.split("  ").collect();
    let cmd = Cmd::new("program", "try").args(&words);
    let printed = cmd.to_string();
    let read = shell_words::split(&printed).unwrap_or_default();
    assert_eq!(
        read.first().map(String::as_str),
        Some("program"),
        "{printed}"
    );
    assert_eq!(read[1..], words, "{printed}");
}

/// Whatever a tool says: on a terminal one line that acts on nothing, for a runner no command of its own, in a
/// table one cell.
pub fn shown_text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let once = printable(&text);
    assert!(!once.contains(is_hidden), "{once:?}");
    assert_eq!(printable(&once), once);
    let fit = Fit::of(&text);
    // The styles of a plain line are empty.
    assert!(!fit.terminal.contains(is_hidden), "{:?}", fit.terminal);
    assert!(!fit.runner.contains(is_hidden), "{:?}", fit.runner);
    assert!(
        !fit.runner.trim_start().starts_with("::"),
        "{:?}",
        fit.runner
    );
    assert!(!fit.runner.contains("##["), "{:?}", fit.runner);
    assert!(!fit.command.contains(is_hidden), "{:?}", fit.command);
    let property = fit.command.split("::").nth(1).unwrap_or_default();
    let property = property.strip_prefix("error").unwrap_or("?");
    assert!(
        property.is_empty() || property.starts_with(" file="),
        "{:?}",
        fit.command
    );
    assert!(!property.contains(','), "{:?}", fit.command);
    assert!(!fit.cell.contains(is_hidden), "{:?}", fit.cell);
    assert!(!fit.cell.contains(['<', '@']), "{:?}", fit.cell);
    let mut marks = fit.cell.chars();
    while let Some(c) = marks.next() {
        match c {
            '\\' => assert!(marks.next().is_some(), "{:?}", fit.cell),
            _ => assert!(c != '|' && c != '`', "{:?}", fit.cell),
        }
    }
}

/// Whatever a tool says, in words it is one line that acts on nothing.
pub fn tool_line(data: &[u8]) {
    for line in String::from_utf8_lossy(data).lines() {
        let Some(words) = reading::of(line) else {
            continue;
        };
        assert!(!words.contains(is_hidden), "{words:?}");
        assert!(words.contains(char::is_alphanumeric), "{words:?}");
    }
}
