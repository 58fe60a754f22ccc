// SPDX-License-Identifier: Apache-2.0
//! Takes the libraries that the server loads at its start out of the metadata.

use super::fields::{Fields, Requirement};
use crate::value::Library;

impl Fields<'_> {
    /// `shared_preload_libraries`, in the order in which they are loaded: each once.
    pub(super) fn libraries(&mut self) -> Vec<String> {
        let field = "shared_preload_libraries";
        let mut libraries: Vec<String> = Vec::new();
        for (name, line) in self.nodes(field, Requirement::Expected) {
            let wrong = if name.is_empty() {
                Some(format!("`{field}` has an empty name; take it out"))
            } else if libraries.contains(&name) {
                Some(format!("`{field}` has `{name}` twice; keep one"))
            } else if Library::is(&name) {
                None
            } else {
                Some(format!(
                    "`{field}` has `{name}`; it must be {}",
                    Library::WANTED
                ))
            };
            if let Some(message) = wrong {
                self.findings.error(line, message);
            }
            libraries.push(name);
        }
        libraries
    }
}
