// SPDX-License-Identifier: Apache-2.0
//! Where reporters write: lines on standard error, above a status line at a terminal, and data on standard output.

use std::{
    cell::Cell,
    io::{IsTerminal, Write},
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{BAD, line::Line, workflow};
use crate::printable;

pub(super) struct Screen {
    /// Whether a GitHub runner reads it.
    pub(super) runner: bool,
    /// The line at the bottom of a terminal: what runs and what it says.
    status: Option<ProgressBar>,
    /// Data could not be written: whoever asked for it must not believe that it is all there.
    lost: Cell<bool>,
}

impl Screen {
    pub(super) fn new(runner: bool) -> Self {
        Self {
            runner,
            status: None,
            lost: Cell::new(false),
        }
    }

    /// With a status line, where standard error is a terminal.
    pub(super) fn with_status_line(runner: bool) -> Self {
        let bar = || {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            let style = ProgressStyle::with_template("{spinner} {wide_msg}");
            bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
            bar
        };
        Self {
            status: std::io::stderr().is_terminal().then(bar),
            ..Self::new(runner)
        }
    }

    /// A line on standard error.
    pub(super) fn line(&self, line: &Line) {
        self.raw_line(&line.render(self.runner));
    }

    /// The same for a text that is fit already.
    pub(super) fn raw_line(&self, text: &str) {
        // Nobody may be reading any more; that is no reason to fail, let alone to panic.
        let print = || {
            let _unread = writeln!(anstream::stderr(), "{text}");
        };
        match &self.status {
            Some(status) => status.suspend(print),
            None => print(),
        }
    }

    pub(super) fn has_status_line(&self) -> bool {
        self.status.is_some()
    }

    /// Begins anew, once it was taken away.
    pub(super) fn wake_status_line(&self) {
        if let Some(status) = self.status.as_ref().filter(|status| status.is_finished()) {
            status.reset();
        }
    }

    pub(super) fn status_line(&self, text: &str) {
        if let Some(status) = &self.status {
            status.set_message(Line::plain(text).render(false));
            status.tick();
        }
    }

    /// Takes the status line away.
    pub(super) fn no_status_line(&self) {
        if let Some(status) = &self.status {
            status.finish_and_clear();
        }
    }

    /// Data on standard output.
    pub(super) fn write(&self, text: &str) {
        if let Err(error) = write_all(text)
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            self.lost.set(true);
            let line = Line::styled(BAD, "error");
            self.line(&line.and(&format!(": cannot write to standard output: {error}")));
        }
    }

    /// A value, and the end of its line, on standard output. What is said in it acts on no terminal.
    pub(super) fn write_json(&self, json: &str) {
        let json = printable::json(json);
        let json = if self.runner {
            workflow::json_without_commands(&json)
        } else {
            json.into_owned()
        };
        self.write(&(json + "\n"));
    }

    /// Whether all data has arrived.
    pub(super) fn complete(&self) -> bool {
        !self.lost.get()
    }
}

fn write_all(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
