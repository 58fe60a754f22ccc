// SPDX-License-Identifier: Apache-2.0
//! What the names of bake files hold. A name that holds the moment once holds it everywhere, whatever its scope.

use std::collections::BTreeSet;

use hcl_edit::{
    Ident,
    expr::{Expression, ForExpr, FuncCall},
    structure::{Attribute, Block, Body, Structure},
    template::ForTemplateExpr,
    visit::{self, Visit},
};

use super::TIMESTAMP;

/// What the names of bake files hold: attributes, variables, functions, parameters, and those of `for`.
#[derive(Debug, Default)]
pub(in crate::target) struct Names {
    /// They hold the moment, or something with the moment in it.
    holding: BTreeSet<String>,
    /// They are the moment itself, wherever they are defined.
    exact: BTreeSet<String>,
    /// Functions that the files define.
    pub(super) functions: BTreeSet<String>,
}

impl Names {
    /// Goes through the files until no further name holds the moment.
    pub(in crate::target) fn of(bodies: &[Body]) -> Self {
        let mut definitions = Definitions::default();
        for body in bodies {
            definitions.file(body);
        }
        let is_exact = |name: &&String| {
            let values = definitions.plain.iter().filter(|(of, _)| of == *name);
            let mut values = values.map(|(_, value)| is_timestamp(value)).peekable();
            values.peek().is_some() && values.all(|exact| exact)
        };
        let plain = definitions.plain.iter().map(|(name, _)| name);
        let exact = plain
            .filter(|name| !definitions.other.contains(*name))
            .filter(is_exact);
        let mut names = Self {
            exact: exact.cloned().collect(),
            functions: definitions.functions,
            ..Self::default()
        };
        loop {
            let before = names.holding.len();
            for (name, value) in definitions.plain.iter().chain(&definitions.values) {
                if names.is_in(value) {
                    names.holding.insert(name.clone());
                }
            }
            if names.holding.len() == before {
                return names;
            }
        }
    }

    /// Whether the moment is anywhere in an expression.
    pub(super) fn is_in(&self, expression: &Expression) -> bool {
        let mut search = self.search();
        search.visit_expr(expression);
        search.found
    }

    pub(super) fn search(&self) -> Search<'_> {
        Search {
            names: self,
            found: false,
        }
    }

    /// Whether an expression is the moment and nothing else.
    pub(super) fn is_moment(&self, expression: &Expression) -> bool {
        match expression {
            Expression::Variable(name) => self.exact.contains(name.as_str()),
            other => is_timestamp(other),
        }
    }
}

fn is_timestamp(expression: &Expression) -> bool {
    matches!(expression, Expression::FuncCall(call) if call.name.name.as_str() == TIMESTAMP && call.args.is_empty())
}

/// Looks for the moment in an expression.
pub(super) struct Search<'a> {
    names: &'a Names,
    pub(super) found: bool,
}

impl Visit for Search<'_> {
    fn visit_expr(&mut self, expression: &Expression) {
        if let Expression::Variable(name) = expression {
            self.found |= self.names.holding.contains(name.as_str());
        }
        visit::visit_expr(self, expression);
    }

    fn visit_func_call(&mut self, call: &FuncCall) {
        let name = call.name.name.as_str();
        self.found |= name == TIMESTAMP || self.names.holding.contains(name);
        visit::visit_func_call(self, call);
    }
}

/// The names that files define.
#[derive(Default)]
struct Definitions {
    /// Attributes of a file, with their values.
    plain: Vec<(String, Expression)>,
    /// Everything else that holds a value: it may be replaced from the environment, or is only a part.
    values: Vec<(String, Expression)>,
    /// The names of all that is not plain.
    other: BTreeSet<String>,
    functions: BTreeSet<String>,
}

impl Definitions {
    fn file(&mut self, body: &Body) {
        for structure in body {
            match structure {
                Structure::Attribute(Attribute { key, value, .. }) => {
                    self.plain.push((key.as_str().to_owned(), value.clone()));
                }
                Structure::Block(block) => self.block(block),
            }
        }
        self.visit_body(body);
    }

    /// `target.x.args` is a name too: it holds whatever a block of that kind holds.
    fn block(&mut self, block: &Block) {
        let kind = block.ident.as_str();
        let labels = block.labels.iter().map(|label| label.as_str().to_owned());
        let names: Vec<String> = labels.chain([kind.to_owned()]).collect();
        if kind == "function" {
            self.functions.extend(names.iter().cloned());
        }
        let mut values = Values::default();
        values.visit_body(&block.body);
        for value in values.0 {
            if let ("function", Expression::Array(parameters)) = (kind, &value) {
                let parameters = parameters.iter().filter_map(|one| match one {
                    Expression::Variable(name) => Some(name.as_str().to_owned()),
                    _ => None,
                });
                self.other.extend(parameters);
            }
            if let Expression::Object(object) = &value {
                // What a matrix binds.
                let keys = object.iter().filter_map(|(key, _)| key.as_ident());
                self.other.extend(keys.map(|key| key.as_str().to_owned()));
            }
            let held = names.iter().map(|name| (name.clone(), value.clone()));
            self.values.extend(held);
        }
        self.other.extend(names);
    }

    fn bound(&mut self, key: Option<&Ident>, value: &Ident, collection: &Expression) {
        for name in key.into_iter().chain([value]) {
            self.other.insert(name.as_str().to_owned());
            self.values
                .push((name.as_str().to_owned(), collection.clone()));
        }
    }
}

impl Visit for Definitions {
    fn visit_for_expr(&mut self, expression: &ForExpr) {
        let intro = &expression.intro;
        self.bound(
            intro.key_var.as_deref(),
            &intro.value_var,
            &intro.collection_expr,
        );
        visit::visit_for_expr(self, expression);
    }

    fn visit_for_template_expr(&mut self, expression: &ForTemplateExpr) {
        self.bound(
            expression.key_var.as_deref(),
            &expression.value_var,
            &expression.collection_expr,
        );
        visit::visit_for_template_expr(self, expression);
    }
}

/// The values of a block's attributes, those of the blocks in it too.
#[derive(Default)]
struct Values(Vec<Expression>);

impl Visit for Values {
    fn visit_attr(&mut self, attribute: &Attribute) {
        self.0.push(attribute.value.clone());
    }
}
