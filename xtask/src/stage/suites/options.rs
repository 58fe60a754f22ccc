// SPDX-License-Identifier: Apache-2.0
//! How suites are run, as a user says it.

/// How suites are run. The default is what is done when nobody says anything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Namespaces stay, for whoever wants to look.
    pub(super) skip_delete: bool,
    /// For chainsaw, behind our own.
    pub(super) flags: Vec<String>,
}

impl Options {
    /// With flags for chainsaw. Its own `--skip-delete` is always given, as the namespaces are ours to remove: among
    /// the flags it means them.
    pub(crate) fn of_chainsaw(flags: &[String]) -> Self {
        let (skip, flags): (Vec<String>, Vec<String>) = flags
            .iter()
            .cloned()
            .partition(|flag| flag == "--skip-delete" || flag == "--skip-delete=true");
        Self {
            skip_delete: !skip.is_empty(),
            flags,
        }
    }

    /// The same, and the namespaces stay.
    #[must_use]
    pub(crate) fn skip_delete(self) -> Self {
        Self {
            skip_delete: true,
            ..self
        }
    }
}
