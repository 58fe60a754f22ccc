// SPDX-License-Identifier: Apache-2.0
//! Texts that are written over lines of their own.

use hcl_edit::{
    Span as _,
    template::{Element, HeredocTemplate, Template},
    visit::Visit,
};

use super::File;

/// The text of a template without expressions.
pub(super) fn literal<'t>(elements: impl Iterator<Item = &'t Element>) -> Option<String> {
    let texts = elements.map(|element| match element {
        Element::Literal(text) => Some(text.value().as_str()),
        _ => None,
    });
    texts.collect()
}

/// The text of a heredoc without expressions, and without the line end that it must have.
pub(super) fn text(template: &Template) -> Option<String> {
    let text = literal(template.iter())?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Some(text.strip_suffix('\r').unwrap_or(text).to_owned())
}

impl File {
    /// The lines where the heredocs of a top-level attribute begin.
    pub(crate) fn heredocs(&self, name: &str) -> Vec<usize> {
        let mut found = Found::default();
        if let Some(attribute) = self.body.get_attribute(name) {
            found.visit_attr(attribute);
        }
        let lines = found.at.into_iter();
        lines.map(|at| self.line(Some(at..usize::MAX))).collect()
    }
}

/// Where heredocs begin, in bytes.
#[derive(Default)]
struct Found {
    at: Vec<usize>,
}

impl Visit for Found {
    fn visit_heredoc_template(&mut self, node: &HeredocTemplate) {
        self.at.extend(node.span().map(|span| span.start));
    }
}
