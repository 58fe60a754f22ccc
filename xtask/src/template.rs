// SPDX-License-Identifier: Apache-2.0
//! Templates in the language of Go's `text/template`, as far as those of extensions are written in it: fields, variables, pipelines,
//! `if` and `range`, and the functions that the old tooling gave them. What is more is refused with its line.
//!
//! Facts: <https://pkg.go.dev/text/template>.

mod parse;
mod pipeline;

use std::collections::BTreeMap;

use self::parse::{Command, Node, Operand, Pipeline};

/// What a field or a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Value {
    Text(String),
    Number(i64),
    Truth(bool),
    List(Vec<Value>),
}

/// Why a text is no template, or cannot be filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Wrong {
    /// From 1.
    pub line: usize,
    pub why: String,
}

/// The functions that are known.
const FUNCTIONS: &str = "replaceAll, toTitle, printf, eq, ne, not, and, or, len";

/// A template's text with what its fields hold.
pub(crate) fn filled(text: &str, fields: &BTreeMap<&str, Value>) -> Result<String, Wrong> {
    let nodes = parse::nodes(text)?;
    let mut filling = Filling {
        fields,
        dot: None,
        variables: Vec::new(),
        text: String::new(),
    };
    filling.all(&nodes)?;
    Ok(filling.text)
}

struct Filling<'a> {
    fields: &'a BTreeMap<&'a str, Value>,
    /// What `.` is within a `range`. None: all fields.
    dot: Option<Value>,
    /// The innermost are the last.
    variables: Vec<(String, Value)>,
    text: String,
}

impl Filling<'_> {
    fn all(&mut self, nodes: &[Node]) -> Result<(), Wrong> {
        let outer = self.variables.len();
        for node in nodes {
            self.node(node)?;
        }
        self.variables.truncate(outer);
        Ok(())
    }

    fn node(&mut self, node: &Node) -> Result<(), Wrong> {
        match node {
            Node::Text(text) => self.text += text,
            Node::Print(pipeline) => {
                let value = self.value(pipeline)?;
                self.text += &shown(&value);
            }
            Node::Define(name, pipeline) => {
                let value = self.value(pipeline)?;
                self.variables.push((name.clone(), value));
            }
            Node::If(branches, otherwise) => {
                for (condition, body) in branches {
                    if is_true(&self.value(condition)?) {
                        return self.all(body);
                    }
                }
                self.all(otherwise)?;
            }
            Node::Range {
                names,
                over,
                body,
                otherwise,
            } => self.range(names, over, body, otherwise)?,
        }
        Ok(())
    }

    fn range(
        &mut self,
        names: &[String],
        over: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
    ) -> Result<(), Wrong> {
        let Value::List(items) = self.value(over)? else {
            return Err(over.wrong("`range` goes over what is no list"));
        };
        if items.is_empty() {
            return self.all(otherwise);
        }
        for (at, item) in (0..).zip(items) {
            let outer = (self.variables.len(), self.dot.replace(item.clone()));
            match names {
                [one] => self.variables.push((one.clone(), item)),
                [index, one] => {
                    self.variables.push((index.clone(), Value::Number(at)));
                    self.variables.push((one.clone(), item));
                }
                _ => {}
            }
            self.all(body)?;
            self.variables.truncate(outer.0);
            self.dot = outer.1;
        }
        Ok(())
    }

    fn value(&self, pipeline: &Pipeline) -> Result<Value, Wrong> {
        let mut piped = None;
        for command in &pipeline.commands {
            piped = Some(self.command(command, piped, pipeline)?);
        }
        piped.ok_or_else(|| pipeline.wrong("there is nothing to print"))
    }

    fn command(
        &self,
        command: &Command,
        piped: Option<Value>,
        pipeline: &Pipeline,
    ) -> Result<Value, Wrong> {
        let values = command.operands.iter();
        let values: Result<Vec<Value>, Wrong> =
            values.map(|one| self.operand(one, pipeline)).collect();
        let mut values = values?;
        values.extend(piped);
        match (&command.function, values.as_slice()) {
            (Some(name), _) => {
                called(name, &values).map_err(|why| pipeline.wrong(&format!("`{name}`: {why}")))
            }
            (None, [one]) => Ok(one.clone()),
            (None, _) => Err(pipeline.wrong("values stand side by side without a function")),
        }
    }

    fn operand(&self, operand: &Operand, pipeline: &Pipeline) -> Result<Value, Wrong> {
        Ok(match operand {
            Operand::Value(value) => value.clone(),
            Operand::Inner(inner) => self.value(inner)?,
            Operand::Dot => match &self.dot {
                Some(dot) => dot.clone(),
                None => return Err(pipeline.wrong("`.` alone is all fields")),
            },
            Operand::Field(name) if self.dot.is_some() => {
                let why = format!("`.{name}`: within a `range` fields are `$.{name}`");
                return Err(pipeline.wrong(&why));
            }
            Operand::Field(name) | Operand::OuterField(name) => {
                let field = self.fields.get(name.as_str()).cloned();
                let known: Vec<&str> = self.fields.keys().copied().collect();
                field.ok_or_else(|| {
                    pipeline.wrong(&format!(
                        "there is no field `{name}`, but {}",
                        known.join(", ")
                    ))
                })?
            }
            Operand::Variable(name) => {
                let mut inner = self.variables.iter().rev();
                let found = inner.find(|(known, _)| known == name);
                let found = found.map(|(_, value)| value.clone());
                found.ok_or_else(|| pipeline.wrong(&format!("there is no variable `${name}`")))?
            }
        })
    }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Text(text) => !text.is_empty(),
        Value::Number(number) => *number != 0,
        Value::Truth(truth) => *truth,
        Value::List(items) => !items.is_empty(),
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Truth(truth) => truth.to_string(),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(" "))
        }
    }
}

/// What a function makes of its arguments; or why it makes nothing of them.
fn called(name: &str, values: &[Value]) -> Result<Value, String> {
    let texts: Vec<String> = values.iter().map(shown).collect();
    Ok(match (name, texts.as_slice()) {
        ("replaceAll", [text, old, new]) => Value::Text(text.replace(old.as_str(), new)),
        ("toTitle", [text]) => Value::Text(titled(text)),
        ("printf", [format, rest @ ..]) => Value::Text(printed(format, rest)?),
        ("eq", [first, rest @ ..]) if !rest.is_empty() => Value::Truth(rest.contains(first)),
        ("ne", [one, other]) => Value::Truth(one != other),
        ("not", [_]) => Value::Truth(!is_true(&values[0])),
        ("and", [_, ..]) => first(values, |one| !is_true(one)),
        ("or", [_, ..]) => first(values, is_true),
        ("len", [text]) => match &values[0] {
            Value::List(items) => number(items.len()),
            _ => number(text.len()),
        },
        ("replaceAll" | "toTitle" | "printf" | "eq" | "ne" | "not" | "and" | "or" | "len", _) => {
            return Err(format!("it does not take {} values", texts.len()));
        }
        _ => return Err(format!("it is no function that is known here: {FUNCTIONS}")),
    })
}

fn number(count: usize) -> Value {
    Value::Number(i64::try_from(count).unwrap_or(i64::MAX))
}

/// The first that is so, or else the last.
fn first(values: &[Value], is_it: impl Fn(&Value) -> bool) -> Value {
    let found = values.iter().find(|one| is_it(one)).or(values.last());
    found.cloned().unwrap_or(Value::Truth(false))
}

/// With a capital letter at the beginning of each word, of which `_` is a part, as in `cases.Title` of Go.
fn titled(text: &str) -> String {
    let mut begins = true;
    let letters = text.chars().map(|c| {
        let letter = if begins {
            c.to_uppercase().to_string()
        } else {
            c.to_lowercase().to_string()
        };
        begins = !c.is_alphanumeric() && c != '_';
        letter
    });
    letters.collect()
}

fn printed(format: &str, values: &[String]) -> Result<String, String> {
    let mut text = String::new();
    let mut rest = values.iter();
    let mut letters = format.chars();
    while let Some(letter) = letters.next() {
        if letter != '%' {
            text.push(letter);
            continue;
        }
        match letters.next() {
            Some('%') => text.push('%'),
            Some('s' | 'd' | 'v') => text += rest.next().ok_or("a value is missing")?,
            Some('q') => text += &format!("{:?}", rest.next().ok_or("a value is missing")?),
            other => return Err(format!("`%{}` is not known", other.unwrap_or(' '))),
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests;
