// SPDX-License-Identifier: Apache-2.0
//! A table of results, for people: aligned text, or Markdown for a step summary.

use serde::Serialize;

use super::{line::Line, markdown};
use crate::printable::{clipped, columns, printable};

/// Columns of a cell at most: a last line of output may be as long as its tool likes. JSON has all of it.
const WIDEST: usize = 120;

/// Bytes that are enough to say how many rows are left out.
const LEFT_OUT: usize = 64;

/// A row of a command's results: cells for people; scripts get it as it is serialised.
pub(crate) trait Row: Serialize {
    const HEADINGS: &'static [&'static str];

    /// As many as there are headings.
    fn cells(&self) -> Vec<String>;
}

/// Headings, and rows of as many cells. Where all headings are empty, text has none.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    pub headings: Vec<&'static str>,
    pub rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn of<R: Row>(rows: &[R]) -> Self {
        Self {
            headings: R::HEADINGS.to_vec(),
            rows: rows.iter().map(Row::cells).collect(),
        }
    }

    /// Aligned lines. `runner`: a GitHub runner reads them.
    pub(super) fn text(&self, runner: bool) -> String {
        let fit = |cell: &str| clipped(&printable(cell), WIDEST).into_owned();
        let headings = self.headings.iter().map(|heading| fit(heading)).collect();
        let rows = self
            .rows
            .iter()
            .map(|row| row.iter().map(|cell| fit(cell)).collect());
        let mut lines: Vec<Vec<String>> = std::iter::once(headings).chain(rows).collect();
        if self.headings.iter().all(|heading| heading.is_empty()) {
            lines.remove(0);
        }
        let width = |column: usize| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| columns(cell)).max().unwrap_or_default()
        };
        let widths: Vec<usize> = (0..self.headings.len()).map(width).collect();
        let mut text = String::new();
        for line in &lines {
            let cells = line.iter().zip(&widths);
            let cells = cells.map(|(cell, width)| {
                cell.clone() + &" ".repeat(width.saturating_sub(columns(cell)))
            });
            let cells = cells.collect::<Vec<_>>().join("  ");
            text += &Line::plain(cells.trim_end()).render(runner);
            text.push('\n');
        }
        text
    }

    /// As Markdown of at most `room` bytes, which says how many rows it has no room for. None: there is not even room to
    /// say that.
    pub(super) fn markdown(&self, room: usize) -> Option<String> {
        let row = |cells: &mut dyn Iterator<Item = String>| {
            format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "))
        };
        let mut text = row(&mut self.headings.iter().map(|heading| markdown::cell(heading)));
        text += &row(&mut self.headings.iter().map(|_| "---".to_owned()));
        let mut shown = 0;
        for cells in &self.rows {
            let row = row(&mut cells.iter().map(|cell| markdown::cell(cell)));
            if text.len() + row.len() + LEFT_OUT > room {
                break;
            }
            text += &row;
            shown += 1;
        }
        text.push('\n');
        let left = self.rows.len() - shown;
        if left > 0 {
            text += &format!("{left} more rows, which `--json` prints.\n\n");
        }
        (text.len() <= room).then_some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(rows: &[[&str; 2]]) -> Table {
        let row = |cells: &[&str; 2]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        Table {
            headings: vec!["a", "long"],
            rows: rows.iter().map(row).collect(),
        }
    }

    #[test]
    fn it_is_aligned_and_has_no_trailing_blanks() {
        let table = table(&[
            ["wide cell", "x"],
            ["y", ""],
            ["漢字", "z"],
            ["e\u{301}", "w"],
        ]);
        assert_eq!(
            table.text(false),
            "a          long\nwide cell  x\ny\n漢字       z\ne\u{301}          w\n"
        );
    }

    #[test]
    fn a_cell_of_any_length_and_content_stays_one_cell() {
        let long = "x".repeat(70_000);
        let table = table(&[[&long, "a\u{1b}[31mb\nc"], ["::error::x", "a|b"]]);
        let text = table.text(true);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].ends_with("x…  ab\\nc"), "{text}");
        assert!(lines[2].starts_with("| ::error::x "), "{text}");
        assert!(text.len() < 1_000, "{}", text.len());
        let markdown = table.markdown(10_000).unwrap();
        assert_eq!(markdown.lines().count(), 5);
        assert!(markdown.contains("| &#58;&#58;error&#58;&#58;x | a\\|b |\n"));
    }

    #[test]
    fn a_step_summary_is_no_larger_than_it_may_be() {
        let cell = "x".repeat(50);
        let table = table(&vec![[cell.as_str(), "y"]; 30]);
        let all = table.markdown(usize::MAX).unwrap();
        assert!(!all.contains("more"), "{all}");
        assert_eq!(table.markdown(all.len() + LEFT_OUT), Some(all.clone()));
        for room in 0..all.len() {
            let Some(text) = table.markdown(room) else {
                assert!(room < 150, "{room}");
                continue;
            };
            assert!(text.len() <= room, "{room}: {text}");
            let rows = text.lines().filter(|line| line.starts_with("| x")).count();
            let left = format!("\n\n{} more rows, which `--json` prints.\n\n", 30 - rows);
            assert!(text.ends_with(&left), "{room}: {text}");
        }
    }
}
