// SPDX-License-Identifier: Apache-2.0
//! Removes things of the engine that may be on their way out already: a container that removes itself, say.

use std::time::{Duration, Instant};

use crate::{
    exec::{CmdFailure, Exec},
    plan::Owned,
};

/// How often it is looked again while somebody else removes the same thing.
const EVERY: Duration = Duration::from_millis(100);

/// What docker says when somebody else was faster, or is about to be.
const RACED: &[&str] = &["already in progress", "No such container"];

/// Removes what is `owned` but not what is `kept`. Who else removes it is waited for. Gives how many there were;
/// fails when something is left after `patience`, or cannot be removed at all.
pub(crate) fn remove(
    exec: &dyn Exec,
    owned: &Owned,
    kept: Option<&Owned>,
    patience: Duration,
) -> Result<usize, CmdFailure> {
    let end = Instant::now() + patience;
    let list = |owned: &Owned| Ok(owned.listed(&exec.read(&owned.list(), Some(patience))?));
    let mut most = 0;
    loop {
        let mut listed = list(owned)?;
        if let Some(kept) = kept.filter(|_| !listed.is_empty()) {
            let kept = list(kept)?;
            listed.retain(|id| !kept.contains(id));
        }
        most = most.max(listed.len());
        if listed.is_empty() {
            return Ok(most);
        }
        let Err(failed) = exec.read(&owned.remove(&listed), Some(patience)) else {
            return Ok(most);
        };
        let raced = RACED.iter().any(|text| failed.mentions(text));
        if !raced || Instant::now() > end {
            return Err(failed);
        }
        std::thread::sleep(EVERY);
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;
    use crate::{exec::Real, plan::Kind};

    /// What becomes of the one container of an engine on which its removal runs `script`, in a folder in which
    /// `there` stands for it.
    fn removed(script: &str) -> Result<usize, CmdFailure> {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("there"), "").unwrap();
        let docker = folder.path().join("bin/docker");
        fs::create_dir(folder.path().join("bin")).unwrap();
        let text = format!(
            "#!/bin/sh\ncase \"$*\" in\n\
             'rm --force --volumes -- there') {script} ;;\n\
             ps*) [ ! -e there ] || echo there ;;\n\
             esac\n"
        );
        fs::write(&docker, text).unwrap();
        fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
        let exec = Real::default()
            .in_folder(folder.path())
            .with_programs(&folder.path().join("bin"))
            .unwrap();
        let owned = Owned::new(Kind::Container, "a=1", "remove it");
        remove(&exec, &owned, None, Duration::from_secs(60))
    }

    #[test]
    fn what_is_going_is_waited_for_and_what_stays_is_a_failure() {
        assert_eq!(removed("rm there").unwrap(), 1);
        assert_eq!(
            removed("rm there; echo 'No such container: x' >&2; exit 1").unwrap(),
            1
        );
        let going = "rm there; echo 'removal of container x is already in progress' >&2; exit 1";
        assert_eq!(removed(going).unwrap(), 1);
        let failed = removed("echo 'permission denied' >&2; exit 1").unwrap_err();
        assert!(failed.mentions("permission denied"));
    }
}
