// SPDX-License-Identifier: Apache-2.0
//! A template's text as nodes.

use super::{Value, Wrong, pipeline::pipeline};

#[derive(Clone, Debug)]
pub(super) enum Node {
    Text(String),
    Print(Pipeline),
    Define(String, Pipeline),
    /// The first whose condition holds, or else the last nodes.
    If(Vec<(Pipeline, Vec<Node>)>, Vec<Node>),
    Range {
        /// The variables for the place and the item, or the item alone.
        names: Vec<String>,
        over: Pipeline,
        body: Vec<Node>,
        otherwise: Vec<Node>,
    },
}

/// Commands, each with the value of the one before as its last argument.
#[derive(Clone, Debug)]
pub(super) struct Pipeline {
    pub line: usize,
    pub commands: Vec<Command>,
}

impl Pipeline {
    pub(super) fn wrong(&self, why: &str) -> Wrong {
        Wrong {
            line: self.line,
            why: why.to_owned(),
        }
    }
}

#[derive(Clone, Debug, Default)]
pub(super) struct Command {
    pub function: Option<String>,
    pub operands: Vec<Operand>,
}

#[derive(Clone, Debug)]
pub(super) enum Operand {
    Value(Value),
    Dot,
    Field(String),
    /// `$.Name`.
    OuterField(String),
    Variable(String),
    Inner(Pipeline),
}

/// A text, or what stands between two pairs of braces, with its line.
enum Piece<'a> {
    Text(&'a str),
    Action(usize, &'a str),
}

/// All of a template.
pub(super) fn nodes(text: &str) -> Result<Vec<Node>, Wrong> {
    let pieces = pieces(text)?;
    let mut pieces = pieces.iter();
    let (nodes, end) = block(&mut pieces)?;
    match end {
        None => Ok(nodes),
        Some((line, word)) => Err(Wrong {
            line,
            why: format!("`{word}` ends nothing"),
        }),
    }
}

/// Takes actions apart from text. `{{-` and `-}}` take the blanks on their side.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Wrong> {
    let mut pieces = Vec::new();
    let (mut rest, mut line, mut trims) = (text, 1, false);
    while let Some((before, behind)) = rest.split_once("{{") {
        let at = line + before.matches('\n').count();
        let (inner, after) = behind.split_once("}}").ok_or_else(|| Wrong {
            line: at,
            why: "`{{` is not closed".to_owned(),
        })?;
        let mut plain = if trims { before.trim_start() } else { before };
        let mut action = inner;
        if let Some(trimmed) = inner.strip_prefix("- ") {
            plain = plain.trim_end();
            action = trimmed;
        }
        trims = action.ends_with(" -");
        let action = action.strip_suffix(" -").unwrap_or(action).trim();
        pieces.push(Piece::Text(plain));
        if !(action.starts_with("/*") && action.ends_with("*/")) {
            pieces.push(Piece::Action(at, action));
        }
        line = at + inner.matches('\n').count();
        rest = after;
    }
    pieces.push(Piece::Text(if trims { rest.trim_start() } else { rest }));
    Ok(pieces)
}

/// The nodes up to an `else` or `end` of this block, which is given with its line; None: the template ended.
type Block = (Vec<Node>, Option<(usize, String)>);

fn block(pieces: &mut std::slice::Iter<'_, Piece<'_>>) -> Result<Block, Wrong> {
    let mut nodes = Vec::new();
    while let Some(piece) = pieces.next() {
        let (line, action) = match piece {
            Piece::Text(text) => {
                nodes.push(Node::Text((*text).to_owned()));
                continue;
            }
            Piece::Action(line, action) => (*line, *action),
        };
        let (word, rest) = action
            .split_once(char::is_whitespace)
            .unwrap_or((action, ""));
        match word {
            "end" | "else" => return Ok((nodes, Some((line, action.to_owned())))),
            "if" => nodes.push(condition(line, rest, pieces)?),
            "range" => nodes.push(range(line, rest, pieces)?),
            "with" | "define" | "template" | "block" | "break" | "continue" => {
                return Err(Wrong {
                    line,
                    why: format!("`{word}` is not known here"),
                });
            }
            _ => nodes.push(match assigned(action) {
                Some((name, value)) => Node::Define(name.to_owned(), pipeline(line, value)?),
                None => Node::Print(pipeline(line, action)?),
            }),
        }
    }
    Ok((nodes, None))
}

fn condition(
    line: usize,
    text: &str,
    pieces: &mut std::slice::Iter<'_, Piece<'_>>,
) -> Result<Node, Wrong> {
    let mut branches = Vec::new();
    let mut asked = Some(pipeline(line, text)?);
    loop {
        let (body, end) = block(pieces)?;
        let end = end.ok_or_else(|| open(line, "if"))?;
        let otherwise = match asked.take() {
            Some(condition) => {
                branches.push((condition, body));
                Vec::new()
            }
            None => body,
        };
        match end.1.strip_prefix("else") {
            None => return Ok(Node::If(branches, otherwise)),
            Some(more) => {
                let more = more.trim();
                let next = more.strip_prefix("if ");
                asked = next.map(|text| pipeline(end.0, text)).transpose()?;
            }
        }
    }
}

fn range(
    line: usize,
    text: &str,
    pieces: &mut std::slice::Iter<'_, Piece<'_>>,
) -> Result<Node, Wrong> {
    let (names, over) = match text.split_once(":=") {
        Some((names, over)) => {
            let names = names
                .split(',')
                .map(|name| name.trim().trim_start_matches('$'));
            (names.map(str::to_owned).collect(), over)
        }
        None => (Vec::new(), text),
    };
    let over = pipeline(line, over)?;
    let (body, end) = block(pieces)?;
    let (_, word) = end.ok_or_else(|| open(line, "range"))?;
    let otherwise = if word.starts_with("else") {
        let (otherwise, end) = block(pieces)?;
        end.ok_or_else(|| open(line, "range"))?;
        otherwise
    } else {
        Vec::new()
    };
    Ok(Node::Range {
        names,
        over,
        body,
        otherwise,
    })
}

fn open(line: usize, word: &str) -> Wrong {
    Wrong {
        line,
        why: format!("`{word}` has no `end`"),
    }
}

/// `$name := value`.
fn assigned(action: &str) -> Option<(&str, &str)> {
    let (name, value) = action.strip_prefix('$')?.split_once(":=")?;
    let name = name.trim();
    (!name.contains(char::is_whitespace)).then_some((name, value))
}
