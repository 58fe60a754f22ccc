// SPDX-License-Identifier: Apache-2.0
//! Suites of Debian's archive: the sandbox's own, and those beside it that are asked for a PostgreSQL that it lacks.

use crate::{
    config::{self, Config},
    failure::Failure,
    plan::Cmd,
    value::Suite,
};

const READ: &str = include_str!("suite.sh");

/// The sandbox's own suite, and the others.
pub(super) fn configured(config: &Config) -> Result<(Suite, Vec<Suite>), Failure> {
    let name = config::SANDBOX_SUITES.name();
    let mut suites: Vec<Suite> = Vec::new();
    for text in config.get(config::SANDBOX_SUITES) {
        let suite: Suite = text.parse().map_err(|wanted| {
            Failure::invalid(format!(
                "setting `{name}` has `{text}`, which is not {wanted}"
            ))
        })?;
        if !suites.contains(&suite) {
            suites.push(suite);
        }
    }
    if suites.is_empty() {
        return Err(Failure::invalid(format!("setting `{name}` names no suite"))
            .hint("name at least the Debian suite that the sandbox is to be made of: `forky`"));
    }
    let own = suites.remove(0);
    Ok((own, suites))
}

/// Where the index of a suite is, in the sandbox.
fn place(suite: &Suite) -> String {
    format!("/var/lib/xtask/apt/{suite}")
}

/// The command that reads the index of another suite than the sandbox's `own`, to be run inside.
pub(crate) fn read_cmd(own: &Suite, other: &Suite) -> Cmd {
    read_into_cmd(own, other, &place(other))
}

fn read_into_cmd(own: &Suite, other: &Suite, place: &str) -> Cmd {
    Cmd::new("sh", format!("read the package index of Debian {other}"))
        .args(["-c", READ, "suite"])
        .arg(own)
        .arg(other)
        .arg(place)
}

/// The same command, whose apt knows that suite and no other. Its index has been read.
pub(crate) fn of_suite(cmd: Cmd, suite: &Suite) -> Cmd {
    Cmd::new("env", cmd.purpose)
        .arg(format!("APT_CONFIG={}/apt.conf", place(suite)))
        .arg(cmd.program)
        .args(cmd.args)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exec::{Exec, Real};

    /// An apt that leaves a field that a source lacks as it is written, as the real one does, and is asked for what it was told.
    const APT_GET: &str = r#"#!/bin/sh
set -eu
case "$*" in
  indextargets*)
    echo 'forky http://one/debian/ $(SIGNED_BY)'
    echo 'forky http://one/debian/ $(SIGNED_BY)'
    echo 'forky http://two/debian/ /usr/share/keyrings/two.gpg'
    echo 'forky-security http://three/debian/ $(SIGNED_BY)' ;;
  *update*) cat "$APT_CONFIG" ;;
esac
"#;

    #[test]
    fn another_suite_is_read_from_where_the_first_one_comes_and_with_its_keys() {
        let tools = tempfile::tempdir().unwrap();
        let program = tools.path().join("apt-get");
        fs_err::write(&program, APT_GET).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs_err::set_permissions(&program, mode).unwrap();
        let place = tools.path().join("place");
        let (own, other) = ("forky".parse().unwrap(), "experimental".parse().unwrap());
        let exec = Real::default().with_programs(tools.path()).unwrap();
        let read = read_into_cmd(&own, &other, place.to_str().unwrap());
        let told = exec.read(&read, None).unwrap();
        assert_eq!(
            fs_err::read_to_string(place.join("sources.list")).unwrap(),
            "deb [signed-by=/usr/share/keyrings/two.gpg] http://two/debian/ experimental main\n\
             deb http://one/debian/ experimental main\n"
        );
        assert!(told.contains("/place/sources.list\";"), "{told}");
    }
}
