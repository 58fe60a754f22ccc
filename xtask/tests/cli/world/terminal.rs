// SPDX-License-Identifier: Apache-2.0
//! A terminal in which the program runs, and what stands on its screen.

use std::{
    fs::File,
    io::Read,
    os::fd::OwnedFd,
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
};

use nix::pty::{OpenptyResult, Winsize, openpty};
use rustix::termios;
use vt100::Parser;

use super::process::{comes_true, send};

pub(crate) struct Terminal {
    child: Child,
    master: OwnedFd,
    seen: Arc<Mutex<Seen>>,
    reader: JoinHandle<()>,
}

/// What has come to the terminal.
struct Seen {
    screen: Parser,
    /// As it was written.
    bytes: Vec<u8>,
}

/// How it ended.
pub(crate) struct Left {
    pub(crate) status: Option<i32>,
    /// The rows of the screen, without blank ones at its end.
    pub(crate) rows: Vec<String>,
    /// Whether each of them goes on in the next one.
    pub(crate) wrapped: Vec<bool>,
    pub(crate) bytes: String,
}

impl Terminal {
    /// Starts a command in a terminal of this size, on which all its streams are.
    pub(crate) fn start(command: &mut Command, columns: u16, rows: u16) -> Self {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let OpenptyResult { master, slave } = openpty(Some(&size), None).unwrap();
        let own = || Stdio::from(slave.try_clone().unwrap());
        let child = command.stdin(own()).stdout(own()).stderr(own()).spawn();
        // Nobody here has the other end open: it closes when the program ends.
        command.stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        drop(slave);
        let seen = Arc::new(Mutex::new(Seen {
            screen: Parser::new(rows, columns, 1_000),
            bytes: Vec::new(),
        }));
        let (written, mut read) = (Arc::clone(&seen), File::from(master.try_clone().unwrap()));
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = read.read(&mut bytes) {
                let mut seen = written.lock().unwrap();
                seen.screen.process(&bytes[..count]);
                seen.bytes.extend_from_slice(&bytes[..count]);
            }
        });
        Self {
            child: child.unwrap(),
            master,
            seen,
            reader,
        }
    }

    pub(crate) fn rows(&self) -> Vec<String> {
        rows(&self.seen.lock().unwrap().screen)
    }

    /// Waits until a row of the screen holds this text.
    #[track_caller]
    pub(crate) fn shows(&self, text: &str) -> &Self {
        let found = comes_true(|| self.rows().iter().any(|row| row.contains(text)));
        let rows = || self.rows().join("\n");
        assert!(found, "`{text}` is not shown:\n{}", rows());
        self
    }

    pub(crate) fn resize(&self, columns: u16, rows: u16) {
        let mut size = termios::tcgetwinsize(&self.master).unwrap();
        (size.ws_col, size.ws_row) = (columns, rows);
        // What was written before is for the old size.
        let mut seen = self.seen.lock().unwrap();
        seen.screen.screen_mut().set_size(rows, columns);
        termios::tcsetwinsize(&self.master, size).unwrap();
    }

    pub(crate) fn send(&self, signal: &str) {
        send(signal, &self.child);
    }

    /// Waits until the program has ended.
    pub(crate) fn end(mut self) -> Left {
        let status = self.child.wait().unwrap();
        self.reader.join().unwrap();
        let mut seen = self.seen.lock().unwrap();
        let bytes = String::from_utf8_lossy(&std::mem::take(&mut seen.bytes)).into_owned();
        let screen = seen.screen.screen();
        let all = rows(&seen.screen);
        Left {
            status: status.code(),
            wrapped: (0..)
                .take(all.len())
                .map(|row| screen.row_wrapped(row))
                .collect(),
            rows: all,
            bytes,
        }
    }
}

fn rows(screen: &Parser) -> Vec<String> {
    let screen = screen.screen();
    let (_, columns) = screen.size();
    let mut rows: Vec<String> = screen.rows(0, columns).collect();
    while rows.last().is_some_and(|row| row.trim().is_empty()) {
        rows.pop();
    }
    rows
}
