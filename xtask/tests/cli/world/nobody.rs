// SPDX-License-Identifier: Apache-2.0
//! Another user of this machine, who has nothing of ours.

use std::{
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::Command,
};

/// Copies the binary to where nobody may read it. By a process of its own: a program that is open for writing, here or
/// in what another thread has just forked, cannot be started.
pub(crate) fn copy_of_xtask(folder: &Path) -> PathBuf {
    let copy = folder.join("xtask");
    let program = env!("CARGO_BIN_EXE_xtask");
    let copied = Command::new("cp").arg(program).arg(&copy).status();
    assert!(copied.unwrap().success());
    copy
}

/// Starts `program` as nobody, or as we are where that is not root. Of the environment it has a PATH and a home:
/// whatever the caller's variables name, it may not be able to read.
pub(crate) fn as_nobody(program: &Path, home: &Path) -> Command {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let mut command = if is_root {
        let mut command = Command::new("setpriv");
        command
            .args(["--reuid", "65534", "--regid", "65534", "--clear-groups"])
            .arg(program);
        command
    } else {
        Command::new(program)
    };
    command
        .env_clear()
        .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
        .env("HOME", home);
    command
}
