// SPDX-License-Identifier: Apache-2.0
//! Where a file names a variable.

use hcl_edit::{Span as _, expr::Expression, visit};

use super::File;

impl File {
    /// The line of the first expression that is the variable of this name. None: there is none.
    pub(crate) fn variable_at(&self, name: &str) -> Option<usize> {
        let mut found = Found { name, at: None };
        visit::visit_body(&mut found, &self.body);
        Some(self.line(Some(found.at?..usize::MAX)))
    }
}

/// A variable that is looked for.
struct Found<'a> {
    name: &'a str,
    /// In bytes.
    at: Option<usize>,
}

impl visit::Visit for Found<'_> {
    fn visit_expr(&mut self, node: &Expression) {
        match node {
            Expression::Variable(variable) if variable.as_str() == self.name => {
                let start = node.span().map(|span| span.start);
                self.at = self.at.or(start);
            }
            _ => visit::visit_expr(self, node),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{finding::Findings, hcl::File};

    #[test]
    fn a_variable_is_found_wherever_an_expression_names_it() {
        for (text, line) in [
            ("a = 1\nb = { C = \"x/${root}/y\" }\n", Some(2)),
            ("a = [\n  f(\n    root)]\n", Some(3)),
            ("a = <<E\n${root}\nE\n", Some(2)),
            ("a = \"$${root}\"\nroot = x.root\n", None),
        ] {
            let mut findings = Findings::about("x");
            let file = File::parse(text, &mut findings).unwrap();
            assert_eq!(file.variable_at("root"), line, "{text}");
        }
    }
}
