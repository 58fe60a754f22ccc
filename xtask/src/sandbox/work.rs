// SPDX-License-Identifier: Apache-2.0
//! What only the making of a sandbox does: taking a folder, unpacking Debian's packages.

use std::{fmt, path::PathBuf};

use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    own::{file, folder},
    plan::{Cmd, Console, Location, Performed, Work, shell::operand},
};

/// Makes a folder the sandbox's, if it is absent or empty: see `own/folder.rs`.
#[derive(Debug)]
pub(super) struct Claim(pub PathBuf);

impl Work for Claim {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        folder::take(&self.0)?;
        Ok(Performed::Done(None))
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "mkdir -p -- {}", operand(&self.0))
    }
}

/// Extracts every Debian package that lies in a folder.
#[derive(Debug)]
pub(super) struct Extract {
    pub from: PathBuf,
    pub into: Location,
}

impl Work for Extract {
    fn programs(&self) -> &'static [&'static str] {
        &["dpkg-deb"]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        file::make_folder(&self.into)?;
        for entry in fs_err::read_dir(&self.from).map_err(anyhow::Error::from)? {
            let package = entry.map_err(anyhow::Error::from)?.path();
            if package.extension().is_some_and(|ending| ending == "deb") {
                let cmd = Cmd::new("dpkg-deb", format!("extract `{}`", package.display()))
                    .args(["-x", "--"])
                    .arg(&package)
                    .arg(self.into.as_os_str());
                exec.run(&cmd, Supervision::default(), console.line)?;
            }
        }
        Ok(Performed::Done(None))
    }
}

impl fmt::Display for Extract {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "for package in {}/*.deb; do dpkg-deb -x -- \"$package\" {}; done",
            operand(&self.from),
            operand(&self.into)
        )
    }
}
