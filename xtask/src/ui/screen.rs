// SPDX-License-Identifier: Apache-2.0
//! Where reporters write: lines on standard error, above those that are drawn again at a terminal, and data on standard output.

use std::{
    cell::{Cell, RefCell},
    io::{IsTerminal, Write},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use anstream::{AutoStream, ColorChoice, adapter::strip_str};

use super::{
    BAD,
    line::Line,
    region::{GONE, Region},
    terminal::{self, Size},
    workflow,
};
use crate::printable;

pub(super) struct Screen {
    /// Whether a GitHub runner reads it.
    pub(super) runner: bool,
    /// None: no terminal, or one that prints line after line.
    region: Option<RefCell<Region>>,
    /// Whether something is drawn at the terminal, for those who leave at once.
    is_drawn: Arc<AtomicBool>,
    /// Data could not be written: whoever asked for it must not believe that it is all there.
    lost: Cell<bool>,
}

impl Screen {
    pub(super) fn new(runner: bool) -> Self {
        Self {
            runner,
            region: None,
            is_drawn: Arc::default(),
            lost: Cell::new(false),
        }
    }

    /// With lines that are drawn again, where standard error is a terminal that can do so.
    pub(super) fn live(runner: bool) -> Self {
        let is_live = std::io::stderr().is_terminal() && terminal::can_move();
        let mut screen = Self::new(runner);
        screen.region = is_live.then(RefCell::default);
        screen
    }

    /// A line on standard error.
    pub(super) fn line(&self, line: &Line) {
        self.raw_line(&line.render(self.runner));
    }

    /// The same for a text that is fit already.
    pub(super) fn raw_line(&self, text: &str) {
        match &self.region {
            Some(region) => {
                let text = coloured(text) + "\r\n";
                say(&region.borrow().above(&text));
            }
            // Nobody may be reading any more; that is no reason to fail, let alone to panic.
            None => drop(writeln!(anstream::stderr(), "{text}")),
        }
    }

    /// The terminal's size, where lines can be drawn again.
    pub(super) fn size(&self) -> Option<Size> {
        self.region.as_ref().map(|_| Size::of(std::io::stderr()))
    }

    /// Draws lines below all others, in place of those that were. They must be shorter than the terminal.
    pub(super) fn draw(&self, lines: &[Line]) {
        let Some(region) = &self.region else {
            return;
        };
        let lines = lines.iter().map(|line| coloured(&line.render(false)));
        let mut region = region.borrow_mut();
        if let Some(text) = region.draw(lines.collect()) {
            self.is_drawn.store(!region.is_empty(), Ordering::SeqCst);
            say(&text);
        }
    }

    /// Takes them away.
    pub(super) fn erase(&self) {
        if let Some(region) = &self.region {
            let mut region = region.borrow_mut();
            if !region.is_empty() {
                say(region.erase());
            }
            self.is_drawn.store(false, Ordering::SeqCst);
        }
    }

    /// The same, from any thread, for those who leave at once.
    pub(super) fn leaving(&self) -> impl Fn() + Send + Sync + use<> {
        let is_drawn = Arc::clone(&self.is_drawn);
        move || {
            if is_drawn.load(Ordering::SeqCst) {
                say(GONE);
            }
        }
    }

    /// Data on standard output.
    pub(super) fn write(&self, text: &str) {
        self.erase();
        if let Err(error) = write_all(text)
            && error.kind() != std::io::ErrorKind::BrokenPipe
        {
            self.lost.set(true);
            let line = Line::styled(BAD, "error");
            self.line(&line.and(&format!(": cannot write to standard output: {error}")));
        }
    }

    /// How wide standard output is; None: it is no terminal.
    pub(super) fn columns() -> Option<usize> {
        let stdout = std::io::stdout();
        stdout.is_terminal().then(|| Size::of(stdout).columns)
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

/// What is drawn is for the time in which something runs.
impl Drop for Screen {
    fn drop(&mut self) {
        self.erase();
    }
}

/// Writes to the terminal at once, and as it is: `anstream` would take away what moves the cursor.
fn say(text: &str) {
    let _unread = std::io::stderr().lock().write_all(text.as_bytes());
}

/// The text with colours where they are wanted. All that is in it besides is fit for a terminal.
fn coloured(text: &str) -> String {
    match AutoStream::choice(&std::io::stderr()) {
        ColorChoice::Never => strip_str(text).to_string(),
        _ => text.to_owned(),
    }
}

fn write_all(text: &str) -> std::io::Result<()> {
    let mut stdout = std::io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()
}
