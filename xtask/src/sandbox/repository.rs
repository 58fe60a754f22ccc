// SPDX-License-Identifier: Apache-2.0
//! Shows a repository to the sandbox, where it has a folder of its own in that place (`/var`, `/usr`).

use std::path::Path;

use super::{Sandbox, State, entries, identity};
use crate::{
    exec::{Exec, Real},
    failure::Failure,
    own::{LockFile, mounts},
    plan::Cmd,
};

/// Makes the repository visible inside under its own name. The sandbox must run.
pub(crate) fn reveal(sandbox: &Sandbox, repository: &Path, exec: &Real) -> anyhow::Result<()> {
    let State::Running(engine) = sandbox.state() else {
        return Err(Failure::failed("the sandbox's engine has ended")
            .detail(format!("log: {}", sandbox.engine_log().display()))
            .into());
    };
    let inside = |path: &Path| {
        let root = Path::new("/proc").join(engine.pid.to_string()).join("root");
        root.join(path.strip_prefix("/").unwrap_or(path))
    };
    let shows = |path: &Path| identity(&inside(path)) == identity(path);
    if shows(repository) {
        return Ok(());
    }
    // Without the sandbox's lock two calls may come here at once. Nothing else is waited for while it is held.
    let _alone = LockFile::take(
        &sandbox.folder.join(entries::REPOSITORY_LOCK),
        &|| exec.interrupted(),
        &mut |_| {},
    )?;
    if shows(repository) {
        return Ok(());
    }
    let host = Path::new("/host").join(repository.strip_prefix("/")?);
    if identity(&inside(&host)) != identity(repository) {
        return Err(hidden(repository).into());
    }
    let enter = |purpose: &str, words: [&str; 2]| {
        let pid = engine.pid.to_string();
        Cmd::new("nsenter", purpose)
            // Its processes too: what unmounts looks for itself in /proc.
            .args(["--target", &pid, "--mount", "--pid", "--root", "--"])
            .args(words)
    };
    for shown in mounts::above(repository, engine.pid)? {
        if is_revealed(sandbox, &shown) && !shows(&shown) {
            let unmount = enter("unmount an earlier repository", ["umount", "--lazy"]);
            exec.read(&unmount.arg(&shown), None)?;
        }
    }
    let purpose = "create the mount point of the repository in the sandbox";
    exec.read(&enter(purpose, ["mkdir", "-p"]).arg(repository), None)?;
    let purpose = "mount the repository in the sandbox";
    let mount = enter(purpose, ["mount", "--rbind"]).arg(&host);
    exec.read(&mount.arg(repository), None)?;
    Ok(())
}

/// Whether something that is mounted inside, at a repository or above it, is a repository that was shown: one that was removed or
/// moved since leaves its old self there. All else is what the sandbox began with.
fn is_revealed(sandbox: &Sandbox, shown: &Path) -> bool {
    let is_top_level = shown.components().count() <= 2;
    !is_top_level && shown != sandbox.folder && shown != Path::new("/var/lib/docker")
}

fn hidden(repository: &Path) -> Failure {
    Failure::failed(format!(
        "the sandbox cannot see `{}`: it lies on what was mounted after its engine was started",
        repository.display()
    ))
    .hint("`cargo xtask sandbox down` ends the engine and removes the sandbox with its images; the next command makes one that sees it")
}
