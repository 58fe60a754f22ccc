// SPDX-License-Identifier: Apache-2.0
//! The binary behind `cargo xtask`: hands the arguments to the library and its answer to the shell.

use std::process::ExitCode;

fn main() -> ExitCode {
    xtask::run(std::env::args_os().skip(1).collect())
}
