// SPDX-License-Identifier: Apache-2.0
//! A process to start, as a value that prints as a line for a shell.

use std::{
    ffi::{OsStr, OsString},
    fmt,
};

use super::{Secret, shell};
use crate::image::Image;

/// One argument of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Arg {
    Plain(OsString),
    /// `prefix` + the image's reference, pinned to the digest that its bake wrote + `suffix`.
    /// The digest is not known before the bake has run; printed, it is the tag.
    Image {
        prefix: String,
        image: Image,
        suffix: String,
    },
}

impl<T: AsRef<OsStr>> From<T> for Arg {
    fn from(text: T) -> Self {
        Arg::Plain(text.as_ref().to_owned())
    }
}

impl Arg {
    fn printed(&self) -> String {
        match self {
            Arg::Plain(text) => shell::word(text),
            Arg::Image {
                prefix,
                image,
                suffix,
            } => shell::word(format!("{prefix}{}{suffix}", image.reference())),
        }
    }
}

/// What goes to a process's standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stdin {
    Text(String),
    Secret(Secret),
}

/// A process to start: what for, program, arguments, environment, standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cmd {
    /// What it is for, as a verb phrase that reads well after "failed to".
    pub purpose: String,
    pub program: OsString,
    pub args: Vec<Arg>,
    pub env: Vec<(String, String)>,
    pub stdin: Option<Stdin>,
}

impl Cmd {
    pub(crate) fn new(program: impl AsRef<OsStr>, purpose: impl Into<String>) -> Self {
        Self {
            purpose: purpose.into(),
            program: program.as_ref().to_owned(),
            args: Vec::new(),
            env: Vec::new(),
            stdin: None,
        }
    }

    #[must_use]
    pub(crate) fn arg(mut self, arg: impl Into<Arg>) -> Self {
        self.args.push(arg.into());
        self
    }

    #[must_use]
    pub(crate) fn args<A: Into<Arg>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    #[must_use]
    pub(crate) fn env(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }

    #[must_use]
    pub(crate) fn stdin(mut self, text: impl Into<String>) -> Self {
        self.stdin = Some(Stdin::Text(text.into()));
        self
    }

    #[must_use]
    pub(crate) fn secret_stdin(mut self, secret: Secret) -> Self {
        self.stdin = Some(Stdin::Secret(secret));
        self
    }
}

impl Cmd {
    /// The line without what goes to standard input: for messages, where a whole script is too much.
    pub(crate) fn headline(&self) -> String {
        let shown = Self {
            stdin: None,
            env: self
                .env
                .iter()
                .filter(|(_, value)| !value.contains('\n'))
                .cloned()
                .collect(),
            ..self.clone()
        };
        shown.to_string()
    }
}

/// What a shell takes: environment, program and arguments; in front of them, what prints the standard input.
impl fmt::Display for Cmd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(stdin) = &self.stdin {
            let text = match stdin {
                Stdin::Text(text) => shell::prints(text),
                Stdin::Secret(secret) => shell::prints(&secret.to_string()),
            };
            write!(f, "{text} | ")?;
        }
        for (name, value) in &self.env {
            write!(f, "{name}={} ", shell::word(value))?;
        }
        f.write_str(&shell::program(&self.program))?;
        for arg in &self.args {
            write!(f, " {}", arg.printed())?;
        }
        Ok(())
    }
}
