// SPDX-License-Identifier: Apache-2.0
//! What a child prints, on its way to its log, to whoever listens, and to the failure message.

use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    time::Instant,
};

use super::{
    CmdFailure, Reason,
    tail::{Lines, Tail},
};
use crate::{own::file, plan::Cmd};

pub(super) struct Output<'a> {
    log: Option<(PathBuf, File)>,
    listener: &'a mut dyn FnMut(&str),
    lines: Lines,
    tail: Tail,
}

impl<'a> Output<'a> {
    /// The log begins with the command itself.
    pub(super) fn begin(
        cmd: &Cmd,
        log: Option<&Path>,
        listener: &'a mut dyn FnMut(&str),
    ) -> Result<Self, CmdFailure> {
        let open = |path: &Path| match file::open_log(path, false) {
            Ok(mut file) => {
                // A log that cannot be written (a full disk) must not end the work that it reports.
                let _full = writeln!(file, "$ {cmd}");
                Ok((path.to_owned(), file))
            }
            Err(error) => {
                let why = format!("cannot write `{}`: {error}", path.display());
                Err(CmdFailure::before_start(cmd, Reason::Io(why)))
            }
        };
        Ok(Self {
            log: log.map(open).transpose()?,
            listener,
            lines: Lines::default(),
            tail: Tail::default(),
        })
    }

    /// Takes what was read.
    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.take(|lines, line| lines.push(bytes, line));
    }

    /// What is left, a line without an end.
    pub(super) fn end(&mut self) {
        self.take(Lines::finish);
    }

    fn take(&mut self, read: impl FnOnce(&mut Lines, &mut dyn FnMut(&str))) {
        let (log, listener, tail) = (&mut self.log, &mut self.listener, &mut self.tail);
        read(&mut self.lines, &mut |line| {
            if let Some((_, file)) = log {
                let _full = writeln!(file, "{line}");
            }
            tail.push(line);
            listener(line);
        });
    }

    /// The failure of a command that has printed this, and ended for this reason.
    pub(super) fn failure(self, cmd: &Cmd, reason: Reason, started: Instant) -> CmdFailure {
        CmdFailure {
            log: self.log.map(|(path, _)| path),
            ..self.tail.failure(cmd, reason, started)
        }
    }
}
