// SPDX-License-Identifier: Apache-2.0
//! A process to start, as a value that prints as a line for a shell.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    path::PathBuf,
    sync::Arc,
};

use super::{Secret, shell};
use crate::failure::Failure;

/// A text that is known only once the steps before have run: an image's digest, say. It prints as what
/// stands for it until then.
pub(crate) trait Pending: fmt::Display + fmt::Debug + Send + Sync {
    /// The text itself. Fails when the steps before have not left it where it was to be.
    fn text(&self) -> Result<String, Failure>;
}

/// One argument of a step's command.
#[derive(Clone, Debug)]
pub(crate) enum Arg {
    Plain(OsString),
    /// `prefix` + what is not known yet + `suffix`.
    Pending {
        prefix: String,
        text: Arc<dyn Pending>,
        suffix: String,
    },
}

impl From<OsString> for Arg {
    fn from(text: OsString) -> Self {
        Arg::Plain(text)
    }
}

impl Arg {
    fn known(&self) -> Result<OsString, Failure> {
        Ok(match self {
            Arg::Plain(text) => text.clone(),
            Arg::Pending {
                prefix,
                text,
                suffix,
            } => format!("{prefix}{}{suffix}", text.text()?).into(),
        })
    }
}

/// What a command's arguments are made of.
pub(crate) trait Word: Clone + From<OsString> {
    /// As a word for a shell.
    fn word(&self) -> String;
}

impl Word for OsString {
    fn word(&self) -> String {
        shell::word(self)
    }
}

impl Word for Arg {
    fn word(&self) -> String {
        match self {
            Arg::Plain(text) => shell::word(text),
            Arg::Pending {
                prefix,
                text,
                suffix,
            } => shell::word(format!("{prefix}{text}{suffix}")),
        }
    }
}

/// What goes to a process's standard input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stdin {
    Text(String),
    Secret(Secret),
    /// What a file holds once the command starts.
    File(PathBuf),
}

/// A process to start: what for, program, arguments, environment, standard input. With [`Arg`]s it is one
/// that cannot be started yet: see [`Cmd::known`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cmd<A = OsString> {
    /// What it is for, as a verb phrase that reads well after "failed to".
    pub purpose: String,
    pub program: OsString,
    pub args: Vec<A>,
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
}

impl From<Cmd> for Cmd<Arg> {
    fn from(cmd: Cmd) -> Self {
        Self {
            purpose: cmd.purpose,
            program: cmd.program,
            args: cmd.args.into_iter().map(Arg::Plain).collect(),
            env: cmd.env,
            stdin: cmd.stdin,
        }
    }
}

impl Cmd<Arg> {
    /// Adds an argument that is known only when the command starts.
    #[must_use]
    pub(crate) fn pending(
        mut self,
        prefix: impl Into<String>,
        text: impl Pending + 'static,
        suffix: impl Into<String>,
    ) -> Self {
        self.args.push(Arg::Pending {
            prefix: prefix.into(),
            text: Arc::new(text),
            suffix: suffix.into(),
        });
        self
    }

    /// The command with all its arguments, when the steps before have run.
    pub(crate) fn known(&self) -> Result<Cmd, Failure> {
        let args: Result<Vec<OsString>, Failure> = self.args.iter().map(Arg::known).collect();
        Ok(Cmd {
            purpose: self.purpose.clone(),
            program: self.program.clone(),
            args: args?,
            env: self.env.clone(),
            stdin: self.stdin.clone(),
        })
    }
}

impl<A: Word> Cmd<A> {
    #[must_use]
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.args.push(arg.as_ref().to_owned().into());
        self
    }

    #[must_use]
    pub(crate) fn args<T: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        let args = args.into_iter().map(|arg| arg.as_ref().to_owned().into());
        self.args.extend(args);
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

    #[must_use]
    pub(crate) fn stdin_of(mut self, file: impl Into<PathBuf>) -> Self {
        self.stdin = Some(Stdin::File(file.into()));
        self
    }

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

/// What a shell takes: environment, program and arguments; in front of them, what prints the standard input, or behind
/// them the file that is read.
impl<A: Word> fmt::Display for Cmd<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.stdin {
            Some(Stdin::Text(text)) => write!(f, "{} | ", shell::prints(text))?,
            Some(Stdin::Secret(secret)) => write!(f, "{} | ", shell::prints(&secret.to_string()))?,
            Some(Stdin::File(_)) | None => {}
        }
        for (name, value) in &self.env {
            write!(f, "{name}={} ", shell::word(value))?;
        }
        f.write_str(&shell::program(&self.program))?;
        for arg in &self.args {
            write!(f, " {}", arg.word())?;
        }
        if let Some(Stdin::File(path)) = &self.stdin {
            write!(f, " < {}", shell::word(path))?;
        }
        Ok(())
    }
}
