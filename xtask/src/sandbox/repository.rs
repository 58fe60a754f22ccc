// SPDX-License-Identifier: Apache-2.0
//! Shows a repository to the sandbox, where it has a folder of its own in that place (`/var`, `/usr`).

use std::path::Path;

use super::{Sandbox, State, entries, identity};
use crate::{
    exec::{Exec, Real},
    failure::Failure,
    own::LockFile,
    plan::Cmd,
};

/// Makes the repository visible inside under its own name. The sandbox must run.
pub(crate) fn reveal(sandbox: &Sandbox, repository: &Path, exec: &Real) -> anyhow::Result<()> {
    let State::Running(engine) = sandbox.state() else {
        return Err(Failure::failed("the sandbox's engine has ended")
            .detail(format!("log: {}", sandbox.engine_log().display()))
            .into());
    };
    let inside = Path::new("/proc")
        .join(engine.pid.to_string())
        .join("root")
        .join(repository.strip_prefix("/")?);
    let is_visible = || identity(&inside) == identity(repository);
    if is_visible() {
        return Ok(());
    }
    // Without the sandbox's lock two calls may come here at once. Nothing else is waited for while it is held.
    let _alone = LockFile::take(
        &sandbox.folder.join(entries::REPOSITORY_LOCK),
        &|| exec.interrupted(),
        &mut |_| {},
    )?;
    if is_visible() {
        return Ok(());
    }
    let enter = |purpose: &str| {
        Cmd::new("nsenter", purpose).args([
            "--target",
            &engine.pid.to_string(),
            "--mount",
            "--root",
            "--",
        ])
    };
    // A checkout that was removed and made again left its old self mounted. Mostly there is none.
    let stale = enter("unmount an earlier repository")
        .args(["umount", "--lazy"])
        .arg(repository);
    if let Err(failed) = exec.read(&stale, None) {
        tracing::debug!(%failed, "nothing to unmount");
    }
    let host = Path::new("/host").join(repository.strip_prefix("/")?);
    for cmd in [
        enter("create the mount point of the repository in the sandbox")
            .args(["mkdir", "-p"])
            .arg(repository),
        enter("mount the repository in the sandbox")
            .args(["mount", "--rbind"])
            .arg(&host)
            .arg(repository),
    ] {
        exec.read(&cmd, None).map_err(Failure::from)?;
    }
    Ok(())
}
