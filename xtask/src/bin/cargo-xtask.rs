// SPDX-License-Identifier: Apache-2.0
//! The same program where it is installed: Cargo finds it for `cargo xtask`, in repositories without its source too, and puts that
//! word first.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1).peekable();
    args.next_if(|arg| arg == "xtask");
    xtask::run(args.collect())
}
