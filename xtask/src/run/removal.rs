// SPDX-License-Identifier: Apache-2.0
//! Removes things of the engine that may be on their way out already: a container that removes itself, say.

use std::time::{Duration, Instant};

use crate::{
    exec::{CmdFailure, Exec},
    plan::Cmd,
};

/// How often it is looked again while somebody else removes the same thing.
const EVERY: Duration = Duration::from_millis(100);

/// What docker says when somebody else was faster, or is about to be.
const RACED: &[&str] = &["already in progress", "No such container"];

/// Removes what `list` names. Who else removes it is waited for. Gives how many
/// there were; fails when something is left after `patience`, or cannot be removed at all.
pub(crate) fn remove(
    exec: &dyn Exec,
    list: &dyn Fn() -> Result<Vec<String>, CmdFailure>,
    removal: &dyn Fn(&[String]) -> Cmd,
    patience: Duration,
) -> Result<usize, CmdFailure> {
    let end = Instant::now() + patience;
    let mut most = 0;
    loop {
        let listed = list()?;
        most = most.max(listed.len());
        if listed.is_empty() {
            return Ok(most);
        }
        let Err(failed) = exec.read(&removal(&listed), Some(patience)) else {
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
    use super::*;
    use crate::exec::Real;

    /// What becomes of one thing when its removal runs `script` in a folder in which `there` names it.
    fn removed(script: &str) -> Result<usize, CmdFailure> {
        let folder = tempfile::tempdir().unwrap();
        fs_err::File::create(folder.path().join("there")).unwrap();
        let exec = Real::default().in_folder(folder.path());
        let list = || {
            let text = exec.read(&Cmd::new("ls", "list"), None)?;
            Ok(text.lines().map(str::to_owned).collect())
        };
        let removal = |listed: &[String]| {
            assert_eq!(listed, ["there"]);
            Cmd::new("sh", "remove it").args(["-c", script])
        };
        remove(&exec, &list, &removal, Duration::from_secs(60))
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
