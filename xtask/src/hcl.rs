// SPDX-License-Identifier: Apache-2.0
//! HCL as a tree of plain values, each with its line. Knows nothing of extensions.
//!
//! Only literals have a value here: what `buildx bake` makes of expressions is asked of bake itself, and takes their place.

mod heredoc;
mod variable;

use std::{fmt, ops::Range};

use hcl_edit::{
    Span,
    expr::{Expression, Object, ObjectKey},
    structure::{Body, Structure},
};

use crate::finding::Findings;

/// What some editors begin a file with: bake reads over it.
pub(crate) const BYTE_ORDER_MARK: char = '\u{feff}';
/// What hcl-edit says of a key that an object has twice. It parses no such object.
const REPEATED: &str = "redefined object key";

#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Node {
    /// From 1.
    pub line: usize,
    pub value: Value,
}

#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    String(String),
    Bool(bool),
    /// As it is written, so that `1.30` stays `1.30`.
    Number(String),
    Null,
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
    /// An expression that is more than a literal.
    Expression,
}

impl Node {
    /// Whether there is an expression in it, which bake alone evaluates.
    pub(crate) fn is_open(&self) -> bool {
        match &self.value {
            Value::Expression => true,
            Value::List(items) => items.iter().any(Self::is_open),
            Value::Map(entries) => entries.iter().any(|(_, value)| value.is_open()),
            _ => false,
        }
    }

    /// The values that bake makes of it, with the lines where they are written: those of what holds them, where they
    /// come out of an expression.
    pub(crate) fn evaluated(&self, value: &serde_json::Value) -> Self {
        use serde_json::Value as Json;
        let around = Self {
            line: self.line,
            value: Value::Expression,
        };
        let value = match value {
            Json::Null => Value::Null,
            Json::Bool(flag) => Value::Bool(*flag),
            Json::Number(number) => Value::Number(number.to_string()),
            Json::String(text) => match &self.value {
                // A heredoc, whose line end is none of the text.
                Value::String(written) if text.strip_suffix('\n') == Some(written) => {
                    Value::String(written.clone())
                }
                _ => Value::String(text.clone()),
            },
            Json::Array(items) => {
                let written = match &self.value {
                    Value::List(written) if written.len() == items.len() => &written[..],
                    _ => &[],
                };
                let item = |(at, item)| written.get(at).unwrap_or(&around).evaluated(item);
                Value::List(items.iter().enumerate().map(item).collect())
            }
            Json::Object(entries) => {
                let written = match &self.value {
                    Value::Map(written) => &written[..],
                    _ => &[],
                };
                let entry = |(name, value): (&String, &Json)| {
                    let known = written.iter().find(|(known, _)| known == name);
                    let node = known.map_or(&around, |(_, node)| node).evaluated(value);
                    (name.clone(), node)
                };
                Value::Map(entries.iter().map(entry).collect())
            }
        };
        Self {
            line: self.line,
            value,
        }
    }
}

impl Value {
    /// The name of the type, for messages.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Value::String(_) => "a string",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::Null => "null",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
            Value::Expression => "an expression",
        }
    }
}

/// In one line, for people.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::String(text) | Value::Number(text) => f.write_str(text),
            Value::Bool(flag) => write!(f, "{flag}"),
            Value::List(items) => {
                let items = items.iter().map(|item| item.value.to_string());
                f.write_str(&items.collect::<Vec<_>>().join(", "))
            }
            Value::Map(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, node)| format!("{key}={}", node.value));
                f.write_str(&entries.collect::<Vec<_>>().join(", "))
            }
            Value::Null | Value::Expression => f.write_str(self.kind()),
        }
    }
}

/// A parsed file: its text, and the body with all comments kept.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub text: String,
    pub body: Body,
}

impl File {
    /// Parses `text`, without the byte order mark that it may begin with. A syntax error becomes a finding with its line.
    pub(crate) fn parse(text: &str, findings: &mut Findings) -> Option<Self> {
        let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
        match hcl_edit::parser::parse_body(text) {
            Ok(body) => Some(Self {
                text: text.to_owned(),
                body,
            }),
            Err(error) => {
                let message = if error.message().contains(REPEATED) {
                    "a key stands twice in one object: keep one of the two".to_owned()
                } else {
                    format!("not valid HCL: {}", error.message())
                };
                findings.error(error.location().line(), message);
                None
            }
        }
    }

    /// The value of a top-level attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<Node> {
        let attribute = self.body.iter().find_map(|structure| match structure {
            Structure::Attribute(attribute) if attribute.key.as_str() == name => Some(attribute),
            _ => None,
        })?;
        Some(self.node(&attribute.value, self.line(attribute.key.span())))
    }

    /// Whether there is a top-level block `kind "label" { … }`.
    pub(crate) fn has_block(&self, kind: &str, label: &str) -> bool {
        self.body.blocks().any(|block| {
            block.ident.as_str() == kind && block.labels.iter().any(|own| own.as_str() == label)
        })
    }

    /// The text of the comments directly above a line.
    pub(crate) fn comment_above(&self, line: usize) -> String {
        let above: Vec<&str> = self.text.lines().take(line.saturating_sub(1)).collect();
        above
            .iter()
            .rev()
            .map(|text| text.trim())
            .take_while(|text| text.starts_with("//") || text.starts_with('#'))
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// Where a plain text stands, with its quotes: bytes of the file. `path` names an attribute, and then keys of objects.
    /// None: there is none, or it is an expression that is more.
    pub(crate) fn text_at(&self, path: &[&str]) -> Option<Range<usize>> {
        let found = self.expression_at(path)?;
        let span = found.span()?;
        let written = self.text.get(span.clone())?;
        let is_plain = matches!(found, Expression::String(_)) && written.starts_with('"');
        is_plain.then_some(span)
    }

    /// The same of a value, whatever it is.
    pub(crate) fn value_at(&self, path: &[&str]) -> Option<Range<usize>> {
        self.expression_at(path)?.span()
    }

    fn expression_at(&self, path: &[&str]) -> Option<&Expression> {
        let (name, keys) = path.split_first()?;
        let attribute = self.body.get_attribute(name)?;
        let mut found = &attribute.value;
        for wanted in keys {
            let Expression::Object(object) = found else {
                return None;
            };
            let mut entries = object.iter().filter(|(key, _)| is_literal(key));
            let (_, value) = entries.find(|(key, _)| name_of(key).0 == *wanted)?;
            found = value.expr();
        }
        Some(found)
    }

    fn line(&self, span: Option<Range<usize>>) -> usize {
        let end = span.map_or(0, |span| span.start.min(self.text.len()));
        // A span starts at a character, never inside of one.
        1 + self
            .text
            .get(..end)
            .unwrap_or_default()
            .matches('\n')
            .count()
    }

    fn node(&self, expression: &Expression, fallback: usize) -> Node {
        let line = match expression.span() {
            Some(span) => self.line(Some(span)),
            None => fallback,
        };
        let value = match expression {
            Expression::String(text) => Value::String(text.value().clone()),
            Expression::Bool(flag) => Value::Bool(*flag.value()),
            Expression::Number(number) => {
                let written = number.span().and_then(|span| self.text.get(span));
                Value::Number(written.map_or_else(|| number.to_string(), str::to_owned))
            }
            Expression::Null(_) => Value::Null,
            Expression::Array(items) => {
                Value::List(items.iter().map(|item| self.node(item, line)).collect())
            }
            Expression::Object(object) if object.iter().all(|(key, _)| is_literal(key)) => {
                Value::Map(self.entries(object, line))
            }
            Expression::StringTemplate(template) => {
                heredoc::literal(template.iter()).map_or(Value::Expression, Value::String)
            }
            Expression::HeredocTemplate(written) => {
                heredoc::text(&written.template).map_or(Value::Expression, Value::String)
            }
            _ => Value::Expression,
        };
        Node { line, value }
    }

    fn entries(&self, object: &Object, fallback: usize) -> Vec<(String, Node)> {
        object
            .iter()
            .map(|(key, value)| {
                let (name, span) = name_of(key);
                let line = span.map_or(fallback, |span| self.line(Some(span)));
                (name, self.node(value.expr(), line))
            })
            .collect()
    }
}

/// What a key says, and where.
fn name_of(key: &ObjectKey) -> (String, Option<Range<usize>>) {
    match key {
        ObjectKey::Ident(name) => (name.as_str().to_owned(), name.span()),
        ObjectKey::Expression(key) => match key.as_str() {
            Some(name) => (name.to_owned(), key.span()),
            None => (key.to_string().trim().to_owned(), key.span()),
        },
    }
}

/// Whether a key is what it says, and not the value of an expression.
fn is_literal(key: &ObjectKey) -> bool {
    matches!(
        key,
        ObjectKey::Ident(_) | ObjectKey::Expression(Expression::String(_) | Expression::Number(_))
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "// SPDX\nmetadata = {\n  name = \"x\"\n  env = { \"A\" = \"$${image_root}/share\" }\n  n = 1.30\n  v = {\n    \"18\" = {\n      // renovate: depName=postgresql-18-x\n      package = \"1.2\"\n    }\n  }\n}\nvariable \"registry\" { default = \"a\" }\n";

    fn file() -> File {
        let mut findings = Findings::about("x");
        let file = File::parse(TEXT, &mut findings).unwrap();
        assert!(findings.all.is_empty());
        file
    }

    fn get<'a>(node: &'a Node, name: &str) -> &'a Node {
        let Value::Map(entries) = &node.value else {
            panic!("{node:?}")
        };
        &entries.iter().find(|(key, _)| key == name).unwrap().1
    }

    #[test]
    fn literals_keep_their_text_and_their_line() {
        let metadata = file().attribute("metadata").unwrap();
        let name = get(&metadata, "name");
        assert_eq!((name.line, &name.value), (3, &Value::String("x".into())));
        let root = get(get(&metadata, "env"), "A");
        assert_eq!(root.value, Value::String("${image_root}/share".into()));
        assert_eq!(get(&metadata, "n").value, Value::Number("1.30".into()));
        let package = get(get(get(&metadata, "v"), "18"), "package");
        assert_eq!(package.line, 9);
        assert!(file().comment_above(9).contains("depName=postgresql-18-x"));
    }

    #[test]
    fn what_bake_evaluates_has_the_lines_of_what_is_written() {
        let mut findings = Findings::about("x");
        let text = "m = {\n  name = \"x\"\n  licenses = concat(common(), [\n    \"MIT\"])\n  paths = [\"a\",\n    \"${b}\"]\n}\nn = { (k) = 1 }\n";
        let file = File::parse(text, &mut findings).unwrap();
        let metadata = file.attribute("m").unwrap();
        assert!(metadata.is_open() && !get(&metadata, "name").is_open());
        assert!(
            file.attribute("n").unwrap().is_open(),
            "a key of an expression"
        );
        let values = serde_json::json!({"name": "x", "licenses": ["A", "MIT"], "paths": ["a", "b"], "more": 1.5});
        let evaluated = metadata.evaluated(&values);
        assert!(!evaluated.is_open());
        let Value::List(licenses) = &get(&evaluated, "licenses").value else {
            panic!("{evaluated:?}")
        };
        assert_eq!(
            (licenses[1].line, &licenses[1].value),
            (3, &Value::String("MIT".into()))
        );
        let Value::List(paths) = &get(&evaluated, "paths").value else {
            panic!("{evaluated:?}")
        };
        assert_eq!(
            (paths[1].line, &paths[1].value),
            (6, &Value::String("b".into()))
        );
        assert_eq!(get(&evaluated, "more").value, Value::Number("1.5".into()));
    }

    #[test]
    fn a_syntax_error_has_its_line() {
        let mut findings = Findings::about("x.hcl");
        assert!(File::parse("a = 1\nb = {\n", &mut findings).is_none());
        let text = findings.all[0].to_string();
        assert!(text.starts_with("x.hcl:"), "{text}");
        assert!(text.contains("not valid HCL"), "{text}");
    }
}
