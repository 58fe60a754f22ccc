// SPDX-License-Identifier: Apache-2.0
//! A question about the world, asked before a step or until the answer is yes.

use std::{fmt, path::PathBuf};

use super::{
    Cmd,
    shell::{self, operand},
};

/// A question about the world that changes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Probe {
    /// The command exits with status 0.
    Succeeds(Cmd),
    /// The file holds exactly this text.
    Holds { path: PathBuf, text: String },
    /// The file or folder is there.
    Exists(PathBuf),
    /// An HTTP server at `host:port` answers a GET of the path with status 200.
    Answers { address: String, path: &'static str },
}

impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Probe::Succeeds(cmd) => cmd.fmt(f),
            Probe::Holds { path, text } => {
                write!(f, "{} | cmp -s -- - {}", shell::prints(text), operand(path))
            }
            Probe::Exists(path) => write!(f, "[ -e {} ]", operand(path)),
            Probe::Answers { address, path } => write!(
                f,
                "curl --silent --fail --output /dev/null --url {}",
                shell::word(format!("http://{address}{path}"))
            ),
        }
    }
}
