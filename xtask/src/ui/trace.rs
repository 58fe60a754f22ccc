// SPDX-License-Identifier: Apache-2.0
//! What `XTASK_LOG` asks for: every command that is started, for those who look for what is wrong with
//! xtask itself.

use std::io::Write;

use crate::printable::printable;

/// Shows every command that is started, the questions among them too, when `XTASK_LOG` names a level
/// (`debug`, `trace`).
pub(crate) fn trace() {
    let level = std::env::var("XTASK_LOG")
        .ok()
        .and_then(|name| name.parse().ok());
    if let Some(level) = level {
        let level: tracing::Level = level;
        // Set once, at the start; a second one would be refused, and the first one is as good.
        let _first = tracing_subscriber::fmt()
            .with_max_level(level)
            .with_target(false)
            .with_ansi(false)
            .with_writer(|| Trace)
            .try_init();
    }
}

/// Standard error, for text that is fit for a terminal.
struct Trace;

impl Write for Trace {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // One event is one call.
        for line in String::from_utf8_lossy(bytes).lines() {
            writeln!(std::io::stderr(), "{}", printable(line))?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}
