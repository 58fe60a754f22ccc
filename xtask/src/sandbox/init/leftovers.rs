// SPDX-License-Identifier: Apache-2.0
//! What an engine leaves that was killed, and that the next one would stumble over.

use std::time::Duration;

use crate::{
    exec::{CmdFailure, Exec as _, Real},
    plan::Cmd,
    sandbox::PATH,
};

const SWEEP: &str = include_str!("leftovers.sh");
/// Where dockerd's own containerd listens.
const SOCKET: &str = "/run/docker/containerd/containerd.sock";

/// Lets the containerd of an engine that has just been started collect what nobody has recorded. Nothing else may use
/// the engine before.
pub(super) fn sweep(exec: &Real) -> Result<(), CmdFailure> {
    let cmd = Cmd::new("/bin/sh", "remove what a killed engine left")
        .args(["-c", SWEEP, "leftovers", SOCKET])
        .env("PATH", PATH);
    exec.read(&cmd, Some(Duration::from_secs(60))).map(drop)
}
