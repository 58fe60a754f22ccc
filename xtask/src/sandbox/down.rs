// SPDX-License-Identifier: Apache-2.0
//! Ends a sandbox: its processes, then its cgroups and files, and nothing else.

use std::path::Path;

use super::{Sandbox, State, engine, entries};
use crate::own::{
    file,
    folder::{self, Removed},
};

/// Stops the engine if it runs or starts: asks, waits up to 30 s, then kills. True when there was one.
pub(crate) fn stop(sandbox: &Sandbox) -> anyhow::Result<bool> {
    sandbox.refuse_foreign()?;
    if sandbox.state() == State::Absent {
        return Ok(false);
    }
    engine::end(sandbox).map(|(was, _lock)| was)
}

/// Removes the sandbox: all in its folder that has a name of ours, and the folder if that was all.
pub(crate) fn remove(sandbox: &Sandbox) -> anyhow::Result<Removed> {
    sandbox.refuse_foreign()?;
    if sandbox.state() == State::Absent {
        return Ok(Removed::Absent);
    }
    folder::refuse_mounts(&sandbox.folder)?;
    // Held until all is gone: an engine that was about to start finds it held, or gone.
    let (_was, _lock) = engine::end(sandbox)?;
    remove_cgroups(&sandbox.cgroup());
    folder::remove(&sandbox.folder, &entries::is_ours, entries::ENGINE_LOCK)
}

/// Ends the engine and removes a root that another version has made.
pub(crate) fn remove_root(sandbox: &Sandbox) -> anyhow::Result<()> {
    let (_was, _lock) = engine::end(sandbox)?;
    file::remove_folder(&sandbox.location(sandbox.root()))
}

/// Empty groups stay behind when their processes have gone. A group that is in use stays.
#[expect(clippy::disallowed_methods, reason = "folders of the kernel")]
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
