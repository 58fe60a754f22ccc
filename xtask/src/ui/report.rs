// SPDX-License-Identifier: Apache-2.0
//! Several tables that belong together, each below a title of its own.

use super::{Row, Table, line::Line, markdown};

/// How a result is printed on standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    Text,
    Json,
    Markdown,
}

impl Form {
    /// What options ask for, of which clap lets one be given.
    pub(crate) fn of(json: bool, markdown: bool) -> Self {
        match (json, markdown) {
            (true, _) => Self::Json,
            (_, true) => Self::Markdown,
            _ => Self::Text,
        }
    }
}

/// Tables with titles. Those without rows are left out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Report(Vec<(String, Table)>);

impl From<Table> for Report {
    fn from(table: Table) -> Self {
        Self(vec![(String::new(), table)])
    }
}

impl Report {
    #[must_use]
    pub(crate) fn and(mut self, title: impl Into<String>, table: Table) -> Self {
        self.0.push((title.into(), table));
        self
    }

    #[must_use]
    pub(crate) fn rows<R: Row>(self, title: impl Into<String>, rows: &[R]) -> Self {
        self.and(title, Table::of(rows))
    }

    /// Names with what is said of each.
    #[must_use]
    pub(crate) fn pairs(
        self,
        title: impl Into<String>,
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let rows = pairs.into_iter().map(|(name, value)| vec![name, value]);
        let table = Table {
            headings: vec!["", ""],
            rows: rows.collect(),
        };
        self.and(title, table)
    }

    fn shown(&self) -> impl Iterator<Item = &(String, Table)> {
        self.0.iter().filter(|(_, table)| !table.rows.is_empty())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.shown().next().is_none()
    }

    /// Aligned lines. `runner`: a GitHub runner reads them. `width`: that of the terminal, if there is one.
    pub(super) fn text(&self, runner: bool, width: Option<usize>) -> String {
        let parts = self.shown().map(|(title, table)| {
            let title = match title.as_str() {
                "" => String::new(),
                title => Line::plain(title).render(runner) + "\n",
            };
            title + &table.text(runner, width)
        });
        parts.collect::<Vec<_>>().join("\n")
    }

    /// As Markdown of at most `room` bytes, in which later tables have what earlier ones leave. None: there is no room.
    pub(super) fn markdown(&self, room: usize) -> Option<String> {
        let mut text = String::new();
        for (title, table) in self.shown() {
            let title = match title.as_str() {
                "" => String::new(),
                title => format!("### {}\n\n", markdown::cell(title)),
            };
            let left = room.checked_sub(text.len() + title.len())?;
            let table = table.markdown(left)?;
            text += &title;
            text += &table;
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report() -> Report {
        let table = |cell: &str| Table {
            headings: vec!["A"],
            rows: vec![vec![cell.to_owned()]],
        };
        let pairs = [("a b".to_owned(), "c|d".to_owned())];
        let none = Table {
            headings: vec!["A"],
            rows: Vec::new(),
        };
        Report::from(table("x"))
            .and("None", none)
            .pairs("T\u{1b}[31m", pairs)
    }

    #[test]
    fn tables_stand_below_their_titles_and_empty_ones_are_left_out() {
        assert_eq!(report().text(false, None), "A\nx\n\nT\na b  c|d\n");
        let markdown = report().markdown(usize::MAX).unwrap();
        assert_eq!(
            markdown,
            "| A |\n| --- |\n| x |\n\n### T\n\n|  |  |\n| --- | --- |\n| a b | c\\|d |\n\n"
        );
    }

    #[test]
    fn markdown_has_no_more_bytes_than_there_is_room_for() {
        let all = report().markdown(usize::MAX).unwrap();
        for room in 0..all.len() + 100 {
            let text = report().markdown(room);
            assert!(text.is_none_or(|text| text.len() <= room), "{room}");
        }
    }
}
