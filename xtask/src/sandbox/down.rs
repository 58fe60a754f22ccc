// SPDX-License-Identifier: Apache-2.0
//! Ends a sandbox: its processes, then its cgroups and files, and nothing else.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;

use super::{Sandbox, State};
use crate::{failure::Failure, own::folder};

/// Stops the engine if it runs: asks, waits up to 30 s, then kills. True when there was one.
pub(crate) fn stop(sandbox: &Sandbox) -> anyhow::Result<bool> {
    let State::Running(engine) = sandbox.state() else {
        return Ok(false);
    };
    let pid = engine.pid;
    for (signal, patience) in [(Signal::SIGTERM, 30), (Signal::SIGKILL, 30)] {
        if let Err(error) = engine.signal(signal, &|_| true) {
            return Err(Failure::unavailable(format!(
                "the sandbox's process {pid} cannot be ended: {error}"
            ))
            .hint("run this as the user who started the sandbox")
            .into());
        }
        let end = Instant::now() + Duration::from_secs(patience);
        while Instant::now() < end {
            if !engine.lives() {
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
    Err(Failure::failed(format!("the sandbox's process {pid} does not end")).into())
}

/// Removes the sandbox altogether. True when there was one.
pub(crate) fn remove(sandbox: &Sandbox) -> anyhow::Result<bool> {
    sandbox.refuse_foreign()?;
    if sandbox.state() == State::Absent {
        return Ok(false);
    }
    folder::refuse_mounts(&sandbox.folder)?;
    stop(sandbox)?;
    remove_cgroups(&sandbox.cgroup());
    folder::remove(&sandbox.folder)
}

/// Empty groups stay behind when their processes have gone. A group that is in use stays.
fn remove_cgroups(name: &str) {
    let Ok(controllers) = fs_err::read_dir("/sys/fs/cgroup") else {
        return;
    };
    let mut places: Vec<_> = controllers
        .filter_map(Result::ok)
        .map(|entry| entry.path().join(name))
        .collect();
    places.push(Path::new("/sys/fs/cgroup").join(name));
    for place in places.iter().filter(|place| place.is_dir()) {
        let inside = walkdir::WalkDir::new(place).contents_first(true);
        for folder in inside
            .into_iter()
            .filter_map(Result::ok)
            .filter(|entry| entry.file_type().is_dir())
        {
            // Refused by the kernel while a process is in it, which then is not ours to end.
            let _in_use = fs_err::remove_dir(folder.path());
        }
    }
}
