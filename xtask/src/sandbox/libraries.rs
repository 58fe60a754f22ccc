// SPDX-License-Identifier: Apache-2.0
//! Which packages of Debian's archive hold the shared libraries that an image lacks.

use crate::plan::Cmd;

const HOLDERS: &str = include_str!("holders.sh");

/// What `smoke.sh` says before their names.
const LACKING: &str = "libraries that the image asks for and nothing provides: ";

/// The libraries that a smoke test has missed, by the line that says so.
pub(crate) fn lacking(said: &str) -> Vec<&str> {
    let names = said.split_once(LACKING).map_or("", |(_, names)| names);
    let is_name = |name: &&str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._+-".contains(c);
        name.starts_with("lib") && name.chars().all(allowed)
    };
    names.split_whitespace().filter(is_name).collect()
}

/// The command that looks for these libraries in what packages (`name=version`) need, to be run where the archive can be
/// asked.
pub(crate) fn holders_cmd(packages: &[String], libraries: &[&str]) -> Cmd {
    Cmd::new("sh", "look for the libraries in the archive's packages")
        .args(["-c", HOLDERS, "holders"])
        .args(packages)
        .arg("--")
        .args(libraries)
}

/// Libraries with their packages, as [`holders_cmd`] has printed them: "`libcurl.so.4` is in `libcurl4t64`".
pub(crate) fn holders(printed: &str) -> Vec<String> {
    let pairs = printed.lines().filter_map(|line| line.split_once('\t'));
    pairs
        .map(|(library, package)| format!("`{library}` is in `{package}`"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missed_is_read_from_what_the_test_says() {
        let said = format!("error: {LACKING}libcurl.so.4 libstdc++.so.6 -x $(y) lib;z");
        assert_eq!(lacking(&said), ["libcurl.so.4", "libstdc++.so.6"]);
        assert_eq!(lacking("error: initdb did not succeed"), [""; 0]);
    }

    #[test]
    fn packages_are_named_with_what_they_hold() {
        let printed = "libcurl.so.4\tlibcurl4t64\nnonsense\n";
        assert_eq!(holders(printed), ["`libcurl.so.4` is in `libcurl4t64`"]);
    }
}
