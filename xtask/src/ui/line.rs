// SPDX-License-Identifier: Apache-2.0
//! A line for people, made of parts with a style each.

use anstyle::Style;

use super::workflow;
use crate::printable::{LONGEST_LINE, clipped, printable};

/// Whatever its parts hold, it is one line, and its colours are ours.
#[derive(Clone, Debug, Default)]
pub(super) struct Line(Vec<(Style, String)>);

impl Line {
    /// Begins with a text in no style.
    pub(super) fn plain(text: &str) -> Self {
        Self::default().and(text)
    }

    pub(super) fn styled(style: Style, text: &str) -> Self {
        Self::default().in_style(style, text)
    }

    #[must_use]
    pub(super) fn and(self, text: &str) -> Self {
        self.in_style(Style::new(), text)
    }

    #[must_use]
    pub(super) fn in_style(mut self, style: Style, text: &str) -> Self {
        let text = printable(text);
        self.0
            .push((style, clipped(&text, LONGEST_LINE).into_owned()));
        self
    }

    /// As it is written, with colours. `runner`: a GitHub runner reads it, which must find no command.
    pub(super) fn render(&self, runner: bool) -> String {
        let mut text = String::new();
        if runner && workflow::begins_command(self.0.iter().map(|(_, text)| text.as_str())) {
            text += workflow::NO_COMMAND;
        }
        for (style, part) in &self.0 {
            let part = if runner {
                workflow::without_commands(part)
            } else {
                part.into()
            };
            text += &format!("{style}{part}{style:#}");
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use anstyle::AnsiColor;

    use super::*;

    #[test]
    fn a_part_cannot_end_the_line_or_its_colour() {
        let line = Line::styled(AnsiColor::Red.on_default(), "a\u{1b}[0m\nb").and("c");
        assert_eq!(line.render(false), "\u{1b}[31ma\\nb\u{1b}[0mc");
    }

    #[test]
    fn a_runner_finds_no_command_in_it() {
        for (parts, shown) in [
            (["::error::", "x"], "| ::error::x"),
            ([" ", "\u{3000}::add-mask::x"], "|  \u{3000}::add-mask::x"),
            ([":", ":stop"], "| ::stop"),
            (["a ##[group]", "b"], "a ##\\[group]b"),
            (["a::b", ""], "a::b"),
        ] {
            let line = Line::plain(parts[0]).and(parts[1]);
            assert_eq!(line.render(true), shown);
            assert_eq!(line.render(false), parts.concat());
        }
    }
}
