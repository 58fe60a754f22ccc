// SPDX-License-Identifier: Apache-2.0
//! The picture of a terminal in README.md, drawn from what a real run has printed, colours included.

use std::path::Path;

use super::read;
use crate::{failure::Failure, printable::columns};

/// What was printed, as it came: CONTRIBUTING.md says how it is recorded.
const RECORD: &str = "docs/pictures/smoke.txt";

/// Of the picture, in pixels.
const MARGIN: usize = 18;
const LINE: usize = 20;
/// Of a character: fonts differ, so the picture has room to spare.
const CHARACTER: f64 = 8.5;

/// How text is shown, as far as terminals say it: colour by number, and bold.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Look {
    colour: Option<u8>,
    bold: bool,
    dim: bool,
}

pub(super) fn document(root: &Path) -> Result<String, Failure> {
    let record = read(root, RECORD)?;
    let lines: Vec<Vec<(Look, String)>> = record.lines().map(pieces).collect();
    let width = |line: &Vec<(Look, String)>| line.iter().map(|(_, text)| columns(text)).sum();
    let widest: usize = lines.iter().map(width).max().unwrap_or_default();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a few hundred columns"
    )]
    let width = (widest as f64 * CHARACTER) as usize + 2 * MARGIN;
    let height = lines.len() * LINE + 2 * MARGIN;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\">\n\
         <title>What a run prints on a terminal</title>\n\
         <style>text{{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;fill:#d7dae0;white-space:pre}}\
         .c1{{fill:#ef7f7b}}.c2{{fill:#8cc57f}}.c3{{fill:#e3c078}}.c4{{fill:#7db3f0}}.c5{{fill:#cf9bdc}}.c6{{fill:#6fc5cf}}.d{{fill:#9299a6}}.b{{font-weight:bold}}</style>\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#1f2329\"/>\n"
    );
    for (at, line) in lines.iter().enumerate() {
        let y = MARGIN + LINE * at + 15;
        let spans: String = line.iter().map(span).collect();
        svg += &format!("<text x=\"{MARGIN}\" y=\"{y}\" xml:space=\"preserve\">{spans}</text>\n");
    }
    Ok(svg + "</svg>\n")
}

fn span((look, text): &(Look, String)) -> String {
    let mut classes = Vec::new();
    classes.extend(look.colour.map(|colour| format!("c{colour}")));
    classes.extend(look.bold.then(|| "b".to_owned()));
    classes.extend(look.dim.then(|| "d".to_owned()));
    let text = quick_xml::escape::escape(text.as_str());
    if classes.is_empty() {
        return text.into_owned();
    }
    format!("<tspan class=\"{}\">{text}</tspan>", classes.join(" "))
}

/// A line in pieces of one look each. Of what moves a cursor nothing is drawn.
fn pieces(line: &str) -> Vec<(Look, String)> {
    let mut look = Look::default();
    let mut pieces: Vec<(Look, String)> = Vec::new();
    let mut rest = line;
    while let Some((text, after)) = rest.split_once("\u{1b}[") {
        push(&mut pieces, look, text);
        let end = after.find(|c: char| c.is_ascii_alphabetic());
        let (codes, after) = after.split_at(end.unwrap_or(after.len()));
        if after.starts_with('m') {
            codes.split(';').for_each(|code| look.change(code));
        }
        rest = after.get(1..).unwrap_or_default();
    }
    push(&mut pieces, look, rest);
    pieces
}

fn push(pieces: &mut Vec<(Look, String)>, look: Look, text: &str) {
    let text = text.trim_end_matches('\r');
    match pieces.last_mut() {
        Some((same, before)) if *same == look => before.push_str(text),
        _ if text.is_empty() => {}
        _ => pieces.push((look, text.to_owned())),
    }
}

impl Look {
    fn change(&mut self, code: &str) {
        match code.parse() {
            Err(_) | Ok(0) => *self = Self::default(),
            Ok(1) => self.bold = true,
            Ok(2 | 90) => self.dim = true,
            Ok(39) => self.colour = None,
            Ok(colour @ 31..=36) => self.colour = Some(colour - 30),
            Ok(colour @ 91..=96) => self.colour = Some(colour - 90),
            Ok(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_of_a_terminal_are_pieces() {
        let green = Look {
            colour: Some(2),
            ..Look::default()
        };
        let plain = Look::default();
        assert_eq!(
            pieces("\u{1b}[32m✓\u{1b}[0m bake\u{1b}[K pgvector\r"),
            [
                (green, "✓".to_owned()),
                (plain, " bake pgvector".to_owned())
            ]
        );
        assert_eq!(
            span(&(green, "a<b".to_owned())),
            "<tspan class=\"c2\">a&lt;b</tspan>"
        );
    }
}
