// SPDX-License-Identifier: Apache-2.0
//! What bake's answer about an extension depends on: as long as all of it is the same, so is the answer, but for the
//! moment in it.

use std::collections::BTreeMap;

use hcl_edit::{
    expr::{Expression, FuncCall},
    structure::{Attribute, Body, Structure},
    visit::{self, Visit},
};
use serde::{Deserialize, Serialize};

use super::moment::Layout;

/// Functions of bake whose result is another in every call, on every machine, or made of the moment in a way that
/// cannot be followed. Fact: <https://docs.docker.com/build/bake/stdlib/>.
const PASSING: &[&str] = &[
    "bcrypt",
    "formattimestamp",
    "homedir",
    "timeadd",
    "unixtimestampparse",
    "uuidv4",
];

/// All that bake reads to say what it builds.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct Inputs {
    /// The texts of its files, by their names.
    pub files: BTreeMap<String, String>,
    /// The variables of the environment that these declare, as far as they are set.
    pub variables: BTreeMap<String, String>,
    /// Which program answers, and on what kind of machine.
    pub program: String,
}

/// What the files' expressions are, as far as an answer's life depends on it.
#[derive(Debug, Default)]
pub(crate) struct Expressions {
    /// The variables that bake takes from the environment.
    pub declared: Vec<String>,
    /// How the moment of the call is written; None: not all of it can be told, so that an answer is not kept.
    pub layouts: Option<Vec<Layout>>,
}

impl Expressions {
    /// Of the texts of bake files. One that is no HCL to us may be to bake: then nothing is known.
    pub(crate) fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Self {
        let bodies = texts.into_iter().map(hcl_edit::parser::parse_body);
        let Ok(bodies) = bodies.collect::<Result<Vec<Body>, _>>() else {
            return Self::default();
        };
        let declared = bodies.iter().flat_map(declared).collect();
        let mut moments = Moments::default();
        for body in &bodies {
            moments.name(body);
        }
        for body in &bodies {
            moments.visit_body(body);
        }
        let known = !moments.lost;
        Self {
            declared,
            layouts: known.then(|| {
                moments.layouts.push(Layout::of_timestamp());
                moments.layouts
            }),
        }
    }
}

/// The names of a file's `variable` blocks.
fn declared(body: &Body) -> Vec<String> {
    let variables = body
        .blocks()
        .filter(|block| block.ident.as_str() == "variable");
    let labels = variables.flat_map(|block| &block.labels);
    labels.map(|label| label.as_str().to_owned()).collect()
}

/// Follows the moment of the call through expressions.
#[derive(Default)]
struct Moments {
    /// Attributes and variables that are the moment itself.
    named: Vec<String>,
    layouts: Vec<Layout>,
    /// It went where it cannot be followed.
    lost: bool,
}

impl Moments {
    /// Notes the names that a file gives to the moment.
    fn name(&mut self, body: &Body) {
        for structure in body {
            let (name, value) = match structure {
                Structure::Attribute(Attribute { key, value, .. }) => (key.as_str(), Some(value)),
                Structure::Block(block) if block.ident.as_str() == "variable" => {
                    let label = block.labels.first().map_or("", |label| label.as_str());
                    let default = block.body.get_attribute("default");
                    (label, default.map(|default| &default.value))
                }
                Structure::Block(_) => continue,
            };
            if value.is_some_and(is_timestamp) {
                self.named.push(name.to_owned());
            }
        }
    }

    fn is_moment(&self, expression: &Expression) -> bool {
        match expression {
            Expression::Variable(name) => self.named.iter().any(|known| known == name.as_str()),
            other => is_timestamp(other),
        }
    }

    /// Whether the moment is anywhere in an expression.
    fn is_in(&self, expression: &Expression) -> bool {
        let mut search = Search {
            moments: self,
            found: false,
        };
        search.visit_expr(expression);
        search.found
    }
}

fn is_timestamp(expression: &Expression) -> bool {
    matches!(expression, Expression::FuncCall(call) if call.name.name.as_str() == "timestamp")
}

impl Visit for Moments {
    fn visit_func_call(&mut self, call: &FuncCall) {
        let (name, arguments) = (call.name.name.as_str(), &call.args);
        let layout = || match arguments.get(0) {
            Some(Expression::String(layout)) => Layout::parse(layout.value()),
            _ => None,
        };
        let of_moment = || {
            arguments
                .get(1)
                .is_some_and(|moment| self.is_moment(moment))
        };
        if name == "formatdate" && of_moment() {
            match layout() {
                Some(layout) => self.layouts.push(layout),
                None => self.lost = true,
            }
        } else {
            let passes = |argument: &Expression| self.is_in(argument);
            self.lost |= PASSING.contains(&name) || arguments.iter().any(passes);
            visit::visit_func_call(self, call);
        }
    }
}

/// Looks for the moment in an expression.
struct Search<'a> {
    moments: &'a Moments,
    found: bool,
}

impl Visit for Search<'_> {
    fn visit_expr(&mut self, expression: &Expression) {
        self.found |= self.moments.is_moment(expression);
        visit::visit_expr(self, expression);
    }

    /// What is written by a layout is followed there.
    fn visit_func_call(&mut self, call: &FuncCall) {
        if call.name.name.as_str() != "formatdate" {
            visit::visit_func_call(self, call);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layouts(text: &str) -> Option<usize> {
        Expressions::of([text]).layouts.map(|all| all.len())
    }

    #[test]
    fn a_moment_is_followed_through_names_templates_and_layouts() {
        let text = "now = timestamp()\nat = formatdate(\"YYYYMMDDhhmmss\", now)\nvariable \"v\" { default = timestamp() }\n\
                    target \"x\" {\n  tags = [\"a:${formatdate(\"YYYYMMDDhhmm\", v)}\", join(\"-\", [at, \"b\"])]\n  labels = { created = now, other = \"${now}\" }\n}\n";
        assert_eq!(layouts(text), Some(3));
        assert_eq!(Expressions::of([text]).declared, ["v"]);
    }

    #[test]
    fn where_it_cannot_be_followed_nothing_is_kept() {
        for text in [
            "a = sha256(timestamp())\n",
            "now = timestamp()\na = split(\"-\", now)\n",
            "a = formatdate(\"DD MMM YYYY\", timestamp())\n",
            "f = \"YYYY\"\na = formatdate(f, timestamp())\n",
            "a = uuidv4()\n",
            "a = timeadd(timestamp(), \"1h\")\n",
            "a = {\n",
        ] {
            assert_eq!(layouts(text), None, "{text}");
        }
        assert_eq!(layouts("a = upper(\"x\")\n"), Some(1));
    }
}
