// SPDX-License-Identifier: Apache-2.0
//! `hyperfine`: how long commands take. It is called once for each round with all commands of it, so that they alternate: by
//! itself it would do all runs of the first one before the second one's.
//!
//! Fact: the form of what it exports, <https://github.com/sharkdp/hyperfine#export-results>.

use std::path::Path;

use serde::Deserialize;

use super::version::Least;
use crate::{
    failure::Failure,
    plan::{Cmd, shell},
};

/// The first with `--shell none`.
pub(crate) const LEAST: Least = Least::of(&[1, 13]);

/// Runs each of these scripts once, in this order, and writes what it has measured to `into`. A script is `(name, file)`.
pub(crate) fn round_cmd<'a>(
    purpose: String,
    scripts: impl IntoIterator<Item = (&'a str, &'a Path)>,
    into: &Path,
) -> Cmd {
    let mut cmd = Cmd::new("hyperfine", purpose)
        .args(["--shell", "none", "--show-output"])
        .args(["--warmup", "0", "--runs", "1", "--export-json"])
        .arg(into);
    let mut commands = Vec::new();
    for (name, file) in scripts {
        cmd = cmd.args(["--command-name", name]);
        // It splits a command into words as a shell does.
        commands.push(format!("sh -eu -- {}", shell::word(file)));
    }
    cmd.arg("--").args(commands)
}

/// What it has measured of one command, in seconds.
#[derive(Clone, Debug, Deserialize, PartialEq)]
pub(crate) struct Measured {
    /// The command's name.
    pub command: String,
    /// By the clock.
    #[serde(rename = "mean")]
    pub seconds: f64,
    /// Of processors, of the command and of all that it has waited for.
    pub user: f64,
    pub system: f64,
}

/// The measurements in what it has exported.
pub(crate) fn parse(text: &str) -> Result<Vec<Measured>, Failure> {
    #[derive(Deserialize)]
    struct Exported {
        results: Vec<Measured>,
    }
    let exported = serde_json::from_str::<Exported>(text);
    exported.map(|exported| exported.results).map_err(|error| {
        Failure::failed(format!("hyperfine has not said what it measured: {error}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_runs_each_script_once() {
        let scripts = [
            ("reference", Path::new("a b/r.sh")),
            ("ours", Path::new("o.sh")),
        ];
        let cmd = round_cmd("measure".into(), scripts, Path::new("out.json"));
        assert_eq!(
            cmd.to_string(),
            "hyperfine --shell none --show-output --warmup 0 --runs 1 --export-json out.json \
             --command-name reference --command-name ours -- 'sh -eu -- '\\''a b/r.sh'\\''' 'sh -eu -- o.sh'"
        );
    }

    #[test]
    fn its_export_is_read() {
        let text = r#"{"results":[{"command":"ours","mean":0.1036,"stddev":null,"median":0.1036,"user":0.001067,
            "system":0.00115,"min":0.1036,"max":0.1036,"times":[0.1036],"exit_codes":[0]}]}"#;
        let read = parse(text).unwrap();
        assert_eq!(read[0].command, "ours");
        assert_eq!(
            (read[0].seconds, read[0].user, read[0].system),
            (0.1036, 0.001_067, 0.001_15)
        );
        assert!(parse("{}").is_err());
    }
}
