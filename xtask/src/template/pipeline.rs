// SPDX-License-Identifier: Apache-2.0
//! What stands between a template's braces, as commands with their operands.

use super::{
    Value, Wrong,
    parse::{Command, Operand, Pipeline},
};

/// All of a text.
pub(super) fn pipeline(line: usize, text: &str) -> Result<Pipeline, Wrong> {
    let wrong = |why: String| Wrong { line, why };
    let mut rest = text.trim();
    let found = commands(line, &mut rest)?;
    if rest.is_empty() {
        Ok(found)
    } else {
        Err(wrong(format!("`{rest}` is one parenthesis too many")))
    }
}

/// Commands up to the end or a closing parenthesis, which stays.
fn commands(line: usize, rest: &mut &str) -> Result<Pipeline, Wrong> {
    let wrong = |why: String| Wrong { line, why };
    let mut commands = vec![Command::default()];
    loop {
        *rest = rest.trim_start();
        let Some(letter) = rest.chars().next().filter(|letter| *letter != ')') else {
            return Ok(Pipeline { line, commands });
        };
        let is_first = commands
            .last()
            .is_some_and(|one| one.function.is_none() && one.operands.is_empty());
        let operand = match letter {
            '|' => {
                *rest = &rest[1..];
                commands.push(Command::default());
                continue;
            }
            '(' => {
                *rest = &rest[1..];
                let inner = self::commands(line, rest)?;
                let after = rest.strip_prefix(')');
                *rest = after.ok_or_else(|| wrong("`(` is not closed".to_owned()))?;
                Operand::Inner(inner)
            }
            '"' => Operand::Value(Value::Text(
                quoted(rest).ok_or_else(|| wrong("a text is not closed".to_owned()))?,
            )),
            '`' => {
                let closed = rest[1..].split_once('`');
                let (text, after) =
                    closed.ok_or_else(|| wrong("a text is not closed".to_owned()))?;
                *rest = after;
                Operand::Value(Value::Text(text.to_owned()))
            }
            _ => {
                let end = rest.find(|c: char| c.is_whitespace() || "|()\"`".contains(c));
                let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
                *rest = after;
                match named(word) {
                    Some(operand) => operand,
                    None if is_first && is_name(word) => {
                        if let Some(command) = commands.last_mut() {
                            command.function = Some(word.to_owned());
                        }
                        continue;
                    }
                    None => return Err(wrong(format!("`{word}` is not known here"))),
                }
            }
        };
        if let Some(command) = commands.last_mut() {
            command.operands.push(operand);
        }
    }
}

/// A field, a variable, a number or a truth.
fn named(word: &str) -> Option<Operand> {
    if let Some(name) = word.strip_prefix("$.") {
        return is_name(name).then(|| Operand::OuterField(name.to_owned()));
    }
    if let Some(name) = word.strip_prefix('$') {
        return is_name(name).then(|| Operand::Variable(name.to_owned()));
    }
    if word == "." {
        return Some(Operand::Dot);
    }
    if let Some(name) = word.strip_prefix('.') {
        return is_name(name).then(|| Operand::Field(name.to_owned()));
    }
    match word {
        "true" | "false" => Some(Operand::Value(Value::Truth(word == "true"))),
        _ => word
            .parse()
            .ok()
            .map(|number| Operand::Value(Value::Number(number))),
    }
}

fn is_name(word: &str) -> bool {
    !word.is_empty()
        && word.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !word.starts_with(|c: char| c.is_ascii_digit())
}

/// A text in quotes, which is taken off. None: it is not closed.
fn quoted(rest: &mut &str) -> Option<String> {
    let mut text = String::new();
    let mut letters = rest.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => {
                *rest = &rest[at + 1..];
                return Some(text);
            }
            '\\' => match letters.next()?.1 {
                'n' => text.push('\n'),
                't' => text.push('\t'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    None
}
