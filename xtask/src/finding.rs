// SPDX-License-Identifier: Apache-2.0
//! What a check has to say about a place in a file.

use std::path::PathBuf;

use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    Warning,
    /// It would build or run wrongly, or not at all.
    Error,
}

impl Severity {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// Relative to the repository's root where it lies inside.
    pub file: PathBuf,
    /// From 1; None when it is about the file as a whole.
    pub line: Option<usize>,
    pub severity: Severity,
    pub message: String,
}

/// The findings about one file, while they are collected.
#[derive(Debug)]
pub(crate) struct Findings {
    file: PathBuf,
    pub all: Vec<Finding>,
}

impl Findings {
    pub(crate) fn about(file: impl Into<PathBuf>) -> Self {
        Self {
            file: file.into(),
            all: Vec::new(),
        }
    }

    pub(crate) fn error(&mut self, line: impl Into<Option<usize>>, message: impl Into<String>) {
        self.push(Severity::Error, line.into(), message.into());
    }

    pub(crate) fn warning(&mut self, line: impl Into<Option<usize>>, message: impl Into<String>) {
        self.push(Severity::Warning, line.into(), message.into());
    }

    fn push(&mut self, severity: Severity, line: Option<usize>, message: String) {
        self.all.push(Finding {
            file: self.file.clone(),
            line,
            severity,
            message,
        });
    }
}

/// `file:line: severity: message`, as compilers write it.
impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        write!(f, ": {}: {}", self.severity.name(), self.message)
    }
}
