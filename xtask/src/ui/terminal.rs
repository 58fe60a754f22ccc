// SPDX-License-Identifier: Apache-2.0
//! The terminal that somebody looks at: how large it is now, and whether its cursor can be moved.

use std::os::fd::AsFd;

use terminal_size::{Height, Width, terminal_size_of};

/// Of a terminal that does not say how large it is.
const USUAL: Size = Size {
    columns: 80,
    rows: 24,
};

/// In characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub columns: usize,
    pub rows: usize,
}

impl Size {
    /// Of the terminal behind a stream, which may be resized at any time.
    pub(super) fn of(stream: impl AsFd) -> Self {
        match terminal_size_of(stream) {
            Some((Width(columns), Height(rows))) if columns > 0 && rows > 0 => Self {
                columns: columns.into(),
                rows: rows.into(),
            },
            _ => USUAL,
        }
    }
}

/// Whether a terminal does more than print line after line. Fact: terminfo's name for one that does not.
pub(super) fn can_move() -> bool {
    std::env::var_os("TERM").is_none_or(|name| name != "dumb")
}
