// SPDX-License-Identifier: Apache-2.0
//! Follows the moment of a call of bake through the expressions of its files, by the names that hold it. What is not
//! certain counts as the worse.

mod names;

use hcl_edit::{
    expr::{Expression, FuncCall, ObjectKey, TraversalOperator},
    structure::{Attribute, Body},
    template::Directive,
    visit::{self, Visit},
};

pub(super) use self::names::Names;

use super::moment::Layout;

const TIMESTAMP: &str = "timestamp";
const FORMAT: &str = "formatdate";
/// Functions that put texts together and leave each whole.
const GATHERING: &[&str] = &["concat", "flatten", "join", "merge"];
/// Functions of bake whose result is another in every call, on every machine, or made of the moment in a way that
/// cannot be followed. Fact: <https://docs.docker.com/build/bake/stdlib/>.
const PASSING: &[&str] = &[
    "bcrypt",
    "formattimestamp",
    "homedir",
    "unixtimestampparse",
    "uuidv4",
];
/// Attributes of a target whose value says which targets there are.
const NAMING: &[&str] = &["matrix", "name"];

/// How the moment is written where it becomes text. None: somewhere it becomes something else, or cannot be followed.
pub(super) fn layouts(bodies: &[Body], names: &Names) -> Option<Vec<Layout>> {
    let known = [TIMESTAMP, FORMAT].iter().chain(GATHERING).chain(PASSING);
    if known
        .into_iter()
        .any(|name| names.functions.contains(*name))
    {
        return None;
    }
    let mut uses = Uses {
        names,
        layouts: Vec::new(),
        lost: false,
    };
    for body in bodies {
        uses.visit_body(body);
    }
    (!uses.lost).then_some(uses.layouts)
}

/// All expressions, with what becomes of the moment in them.
struct Uses<'a> {
    names: &'a Names,
    layouts: Vec<Layout>,
    /// It went where it cannot be followed.
    lost: bool,
}

impl Uses<'_> {
    /// The moment may not be here.
    fn without(&mut self, expression: &Expression) {
        self.lost |= self.names.is_in(expression);
    }

    fn format(&mut self, call: &FuncCall) {
        let arguments: Vec<&Expression> = call.args.iter().collect();
        let layout = match arguments[..] {
            [Expression::String(layout), moment] if self.names.is_moment(moment) => {
                Layout::parse(layout.value()).filter(Layout::is_distinct)
            }
            _ => None,
        };
        match layout {
            Some(layout) => self.layouts.push(layout),
            None => self.lost = true,
        }
    }
}

impl Visit for Uses<'_> {
    fn visit_attr(&mut self, attribute: &Attribute) {
        if NAMING.contains(&attribute.key.as_str()) {
            self.without(&attribute.value);
        }
        visit::visit_attr(self, attribute);
    }

    fn visit_expr(&mut self, expression: &Expression) {
        match expression {
            Expression::UnaryOp(_) | Expression::BinaryOp(_) => self.without(expression),
            Expression::Conditional(conditional) => self.without(&conditional.cond_expr),
            Expression::ForExpr(one) => {
                let condition = one.cond.as_ref().map(|condition| &condition.expr);
                for part in condition.into_iter().chain(&one.key_expr) {
                    self.without(part);
                }
            }
            Expression::Object(object) => {
                for (key, _) in object {
                    if let ObjectKey::Expression(key) = key {
                        self.without(key);
                    }
                }
            }
            Expression::Traversal(traversal) => {
                for operator in &traversal.operators {
                    if let TraversalOperator::Index(index) = operator.value() {
                        self.without(index);
                    }
                }
            }
            _ => {}
        }
        visit::visit_expr(self, expression);
    }

    fn visit_func_call(&mut self, call: &FuncCall) {
        match call.name.name.as_str() {
            FORMAT => return self.format(call),
            TIMESTAMP => self.layouts.push(Layout::of_timestamp()),
            name if PASSING.contains(&name) => self.lost = true,
            name if GATHERING.contains(&name) => {}
            _ => call.args.iter().for_each(|argument| self.without(argument)),
        }
        visit::visit_func_call(self, call);
    }

    fn visit_directive(&mut self, directive: &Directive) {
        let mut search = self.names.search();
        search.visit_directive(directive);
        self.lost |= search.found;
        visit::visit_directive(self, directive);
    }
}

#[cfg(test)]
mod tests;
