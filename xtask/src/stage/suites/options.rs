// SPDX-License-Identifier: Apache-2.0
//! How suites are run, as a user says it.

/// Flags of chainsaw's that neither leave a test out nor change what one asks for; `-timeout` ends the names of all that say how
/// long something may take. Fact: chainsaw 0.2, `chainsaw test --help`.
const HARMLESS: [&str; 5] = [
    "--fail-fast",
    "--no-color",
    "--parallel",
    "--full-name",
    "--quiet",
];
const TIMEOUT: &str = "-timeout";

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

    /// Whether a flag may leave tests out: suites that have passed with it may have asked nothing.
    pub(crate) fn may_narrow(&self) -> bool {
        let is_harmless = |flag: &String| {
            let name = flag.split('=').next().unwrap_or_default();
            let is_timeout = name.starts_with("--") && name.ends_with(TIMEOUT);
            is_timeout && flag.contains('=') || HARMLESS.contains(&name)
        };
        !self.flags.iter().all(is_harmless)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_flags_that_leave_no_test_out_are_harmless() {
        let narrows = |flags: &[&str]| {
            let flags: Vec<String> = flags.iter().map(|&flag| flag.to_owned()).collect();
            Options::of_chainsaw(&flags).may_narrow()
        };
        for flags in [
            &[][..],
            &["--skip-delete", "--fail-fast"],
            &["--assert-timeout=5m", "--parallel=2"],
        ] {
            assert!(!narrows(flags), "{flags:?}");
        }
        for flags in [
            &["--exclude-test-regex", "."][..],
            &["--include-test-regex=x"],
            &["--fail-fast", "--selector=a=b"],
            &["--test-file=other.yaml"],
            &["-timeout"],
            &["elsewhere"],
            &["--", "--fail-fast"],
        ] {
            assert!(narrows(flags), "{flags:?}");
        }
    }
}
