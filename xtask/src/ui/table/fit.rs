// SPDX-License-Identifier: Apache-2.0
//! A table as wide as a terminal: wide columns give way first, and their cells are folded; where there is no room for columns,
//! cells stand one below the other.

use super::GAP;
use crate::printable::{clipped, columns};

/// Lines of a sentence at most. Who wants all of it asks for JSON, or looks at it without a terminal. A name is never cut: it
/// may be wanted as it is.
const LINES: usize = 3;

/// Lines of a name at most in a column.
const LINES_OF_NAME: usize = 4;

/// Columns of a name at most, such as of an image with its registry and digest.
const LONGEST_NAME: usize = 300;

/// Columns in which a folded cell can be read.
const FEW: usize = 10;

/// Widths of the columns of a table that is no wider than `width`. None: there is no room for them. `least`: what a
/// column needs for its heading.
pub(super) fn widths(natural: &[usize], least: &[usize], width: usize) -> Option<Vec<usize>> {
    let room = width.checked_sub(GAP.len() * natural.len().saturating_sub(1))?;
    let floor = |at: usize| natural[at].min(least[at].max(FEW));
    if (0..natural.len()).map(floor).sum::<usize>() > room {
        return None;
    }
    let widths = |level: usize| -> Vec<usize> {
        let one = |at: usize| natural[at].min(level).max(floor(at));
        (0..natural.len()).map(one).collect()
    };
    // The widest that fits; one of all columns is that of the widest.
    let most = natural.iter().copied().max().unwrap_or_default();
    let level = (0..=most)
        .rev()
        .find(|level| widths(*level).iter().sum::<usize>() <= room)?;
    let mut widths = widths(level);
    // What the level leaves over is for the last of those that gave way: there stands what is said in words.
    let left = room - widths.iter().sum::<usize>();
    if let Some(at) = (0..natural.len())
        .rev()
        .find(|at| widths[*at] < natural[*at])
    {
        widths[at] = natural[at].min(widths[at] + left);
    }
    Some(widths)
}

/// The rows of a table whose columns are so wide. None: a name would stand in pieces.
pub(super) fn rows(rows: &[Vec<String>], widths: &[usize]) -> Option<Vec<String>> {
    let mut lines = Vec::new();
    for row in rows {
        let cells: Vec<Vec<String>> = row
            .iter()
            .zip(widths)
            .map(|(cell, width)| folded(cell, *width))
            .collect();
        let names = row.iter().zip(&cells).filter(|(cell, _)| is_name(cell));
        if names.map(|(_, lines)| lines.len()).max() > Some(LINES_OF_NAME) {
            return None;
        }
        let height = cells.iter().map(Vec::len).max().unwrap_or_default();
        for at in 0..height {
            let line = cells.iter().zip(widths).map(|(cell, width)| {
                let text = cell.get(at).map_or("", String::as_str);
                text.to_owned() + &" ".repeat(width.saturating_sub(columns(text)))
            });
            let line = line.collect::<Vec<_>>().join(GAP);
            lines.push(line.trim_end().to_owned());
        }
    }
    Some(lines)
}

/// Each row as lines of its own, one of each cell, behind its heading.
pub(super) fn stacked(headings: &[&str], all: &[Vec<String>], width: usize) -> Vec<String> {
    let label = headings
        .iter()
        .map(|text| columns(text))
        .max()
        .unwrap_or_default();
    // Without headings the first cell is one.
    let before = if label == 0 {
        GAP.len()
    } else {
        label + GAP.len()
    };
    let room = width.saturating_sub(before).max(1);
    let mut lines = Vec::new();
    for row in all {
        if !lines.is_empty() && label > 0 {
            lines.push(String::new());
        }
        for (at, (heading, cell)) in headings.iter().zip(row).enumerate() {
            if cell.is_empty() {
                continue;
            }
            if label == 0 && at == 0 {
                lines.extend(folded(cell, width));
                continue;
            }
            for (at, text) in folded(cell, room).iter().enumerate() {
                let heading = if at == 0 { *heading } else { "" };
                let blanks = " ".repeat(before.saturating_sub(columns(heading)));
                lines.push(format!("{heading}{blanks}{text}"));
            }
        }
    }
    lines
}

/// Whether a text may be wanted as it is.
fn is_name(text: &str) -> bool {
    !text.contains(' ') && columns(text) <= LONGEST_NAME
}

/// A text in lines of so many columns, broken between words, or in one that is longer. What is left out is seen.
fn folded(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines: Vec<String> = vec![String::new()];
    for word in text.split(' ') {
        let mut word = word;
        loop {
            let line = lines.last_mut().map_or(0, |line| columns(line));
            let blank = usize::from(line > 0);
            if line + blank + columns(word) <= width {
                if let Some(last) = lines.last_mut() {
                    *last += if blank > 0 { " " } else { "" };
                    *last += word;
                }
                break;
            }
            if line > 0 {
                lines.push(String::new());
                continue;
            }
            let end = piece(word, width);
            if let Some(last) = lines.last_mut() {
                *last += &word[..end];
            }
            word = &word[end..];
            lines.push(String::new());
        }
    }
    if lines.len() > LINES && !is_name(text) {
        lines.truncate(LINES);
        if let Some(last) = lines.last_mut() {
            *last = clipped(&format!("{last}…"), width).into_owned();
            if !last.ends_with('…') {
                last.push('…');
            }
        }
    }
    lines
}

/// Where the first piece of a word ends that is as wide as there is room; it has one character at least.
fn piece(word: &str, width: usize) -> usize {
    let ends = word.char_indices().map(|(at, c)| at + c.len_utf8());
    let first = ends.clone().next().unwrap_or(word.len());
    let fits = ends.take_while(|end| columns(&word[..*end]) <= width);
    let end = fits.last().unwrap_or(first);
    // Names are read in their parts, where these are not small.
    let part = word[..end].rfind(['/', ':', '@']).map(|at| at + 1);
    part.filter(|part| part * 2 > end).unwrap_or(end)
}
