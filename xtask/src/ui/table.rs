// SPDX-License-Identifier: Apache-2.0
//! A table of results, for people: aligned text, or Markdown for a step summary.

mod fit;

use serde::Serialize;

use super::{line::Line, markdown};
use crate::printable::{LONGEST_LINE, clipped, columns, printable};

/// To so many columns cells are filled up with blanks: a last line of output may be as long as its tool likes.
const WIDEST: usize = 120;

/// Between two columns.
const GAP: &str = "  ";

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

    /// Aligned lines. `runner`: a GitHub runner reads them. `width`: that of the terminal that shows them, if there is one;
    /// elsewhere every cell is whole.
    pub(super) fn text(&self, runner: bool, width: Option<usize>) -> String {
        let fit = |cell: &str| clipped(&printable(cell), LONGEST_LINE).into_owned();
        let rows = self.rows.iter();
        let rows = rows.map(|row| row.iter().map(|cell| fit(cell)).collect());
        let rows: Vec<Vec<String>> = rows.collect();
        let lines = match width {
            Some(width) => self.fitted(&rows, width),
            None => self.whole(&rows),
        };
        let line = |line: &String| Line::plain(line).render(runner) + "\n";
        lines.iter().map(line).collect()
    }

    /// The lines of the rows, with the headings, where there are some, above them.
    fn with_headings(&self, rows: &[Vec<String>]) -> Vec<Vec<String>> {
        let headings = self.headings.iter().map(|text| (*text).to_owned());
        let headings: Vec<String> = headings.collect();
        let is_there = headings.iter().any(|heading| !heading.is_empty());
        let headings = is_there.then_some(headings);
        headings.into_iter().chain(rows.iter().cloned()).collect()
    }

    /// How wide each column is when nothing is folded.
    fn natural(&self, lines: &[Vec<String>]) -> Vec<usize> {
        let width = |column: usize| {
            let cells = lines.iter().filter_map(|line| line.get(column));
            cells.map(|cell| columns(cell)).max().unwrap_or_default()
        };
        (0..self.headings.len()).map(width).collect()
    }

    fn whole(&self, rows: &[Vec<String>]) -> Vec<String> {
        let lines = self.with_headings(rows);
        let widths: Vec<usize> = self.natural(&lines);
        let aligned = |line: &Vec<String>| {
            let cells = line.iter().zip(&widths).map(|(cell, width)| {
                let blanks = (*width).min(WIDEST).saturating_sub(columns(cell));
                cell.clone() + &" ".repeat(blanks)
            });
            let line = cells.collect::<Vec<_>>().join(GAP);
            line.trim_end().to_owned()
        };
        lines.iter().map(aligned).collect()
    }

    fn fitted(&self, rows: &[Vec<String>], width: usize) -> Vec<String> {
        let lines = self.with_headings(rows);
        let least: Vec<usize> = self.headings.iter().map(|text| columns(text)).collect();
        let widths = fit::widths(&self.natural(&lines), &least, width);
        let aligned = widths.and_then(|widths| fit::rows(&lines, &widths));
        aligned.unwrap_or_else(|| fit::stacked(&self.headings, rows, width))
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
            table.text(false, None),
            "a          long\nwide cell  x\ny\n漢字       z\ne\u{301}          w\n"
        );
    }

    #[test]
    fn a_cell_of_any_length_and_content_stays_one_cell() {
        let long = "x".repeat(70_000);
        let table = table(&[[&long, "a\u{1b}[31mb\nc"], ["::error::x", "a|b"]]);
        let text = table.text(true, None);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{text}");
        assert!(lines[1].starts_with(&"x".repeat(7_000)), "{text}");
        assert!(lines[2].starts_with("| ::error::x "), "{text}");
        // What is longer than any line is cut off, and the other rows are as wide as they need be.
        assert!(text.len() < 10_000, "{}", text.len());
        for width in [100, 40, 10, 1] {
            let text = table.text(true, Some(width));
            assert!(text.len() < 5_000, "{width}: {}", text.len());
        }
        let markdown = table.markdown(10_000).unwrap();
        assert_eq!(markdown.lines().count(), 5);
        assert!(markdown.contains("| &#58;&#58;error&#58;&#58;x | a\\|b |\n"));
    }

    /// What a smoke test says, at a terminal of so many columns.
    fn proofs(width: usize) -> String {
        let long = "10 rows, nearest to [1,2,3] is [1,2,4]; an index of 3 lists was used; a halfvec and a sparsevec were cast";
        let row = |cells: [&str; 5]| cells.map(str::to_owned).to_vec();
        let table = Table {
            headings: vec!["RESULT", "EXTENSION", "SERVER", "TIME", "PROOF"],
            rows: vec![
                row(["passed", "pgvector", "18 trixie", "1.2s", long]),
                row(["passed", "pg_cron", "18 trixie", "0.9s", "a job was run"]),
            ],
        };
        table.text(false, Some(width))
    }

    #[test]
    fn a_table_is_as_wide_as_the_terminal() {
        assert_eq!(
            proofs(100),
            "RESULT  EXTENSION  SERVER     TIME  PROOF\n\
             passed  pgvector   18 trixie  1.2s  10 rows, nearest to [1,2,3] is [1,2,4]; an index of 3 lists was\n\
             \u{20}                                   used; a halfvec and a sparsevec were cast\n\
             passed  pg_cron    18 trixie  0.9s  a job was run\n"
        );
        // Three lines of a cell, and it is seen that there is more.
        let narrow = proofs(60);
        assert_eq!(narrow.lines().count(), 5, "{narrow}");
        assert!(narrow.contains('…'), "{narrow}");
        assert_eq!(
            proofs(40),
            "RESULT     passed\n\
             EXTENSION  pgvector\n\
             SERVER     18 trixie\n\
             TIME       1.2s\n\
             PROOF      10 rows, nearest to [1,2,3]\n\
             \u{20}          is [1,2,4]; an index of 3\n\
             \u{20}          lists was used; a halfvec an…\n\
             \n\
             RESULT     passed\n\
             EXTENSION  pg_cron\n\
             SERVER     18 trixie\n\
             TIME       0.9s\n\
             PROOF      a job was run\n"
        );
        for width in 12..200 {
            for line in proofs(width).lines() {
                assert!(columns(line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn names_with_values_fit_too() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let pairs = Table {
            headings: vec!["", ""],
            rows: vec![
                row(["digest", "sha256:0123456789abcdef"]),
                row(["size", "1 kB"]),
            ],
        };
        assert_eq!(
            pairs.text(false, Some(22)),
            "digest  sha256:0123456\n        789abcdef\nsize    1 kB\n"
        );
        assert_eq!(
            pairs.text(false, Some(12)),
            "digest\n  sha256:\n  0123456789\n  abcdef\nsize\n  1 kB\n"
        );
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
