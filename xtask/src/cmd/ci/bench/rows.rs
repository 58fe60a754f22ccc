// SPDX-License-Identifier: Apache-2.0
//! The table of what is measured: one row for each kind of work, with the way that it is compared to.
//!
//! All commands are text for `sh -eu`, run in the repository's root. They find there: `$XTASK`, this program; `$BENCH`, a folder of
//! the row's own; for rows that need an engine its programs on PATH, and `$IMAGES`, a file with a line for each image: extension,
//! tag, base image, major, target, and the Debian packages as `name=version*`, between tabs. What `images.sh` defines is there too.

use super::{Needs, Row};

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "start",
        what: "xtask --version",
        against: "the same through cargo xtask",
        needs: Needs::Nothing,
        reference_needs: None,
        rounds: 15,
        goal: 0.1,
        before: "cargo xtask --version",
        reference: "cargo xtask --version",
        ours: "\"$XTASK\" --version",
    },
    Row {
        name: "plan",
        what: "bake --all --dry-run",
        against: "go-task lists 40 tasks",
        needs: Needs::Engine,
        reference_needs: Some("task"),
        rounds: 15,
        goal: 0.05,
        before: "echo 'version: \"3\"\ntasks:' > \"$BENCH/Taskfile.yml\"\n\
                 for number in $(seq 40); do printf '  task-%s:\\n    desc: one\\n    cmds: [\"true\"]\\n' \"$number\"; done >> \"$BENCH/Taskfile.yml\"",
        reference: "task --list --taskfile \"$BENCH/Taskfile.yml\"",
        ours: "\"$XTASK\" bake --all --dry-run",
    },
    Row {
        name: "targets",
        what: "targets --images --json, 1,000 extensions with four images each",
        against: "the same of 100",
        needs: Needs::EngineAndTime,
        reference_needs: None,
        rounds: 5,
        goal: 15.0,
        before: "repository 100; repository 1000",
        reference: "cd \"$BENCH/100\"; \"$XTASK\" targets --images --json",
        ours: "cd \"$BENCH/1000\"; \"$XTASK\" targets --images --json",
    },
    Row {
        name: "bake",
        what: "bake --all --no-cache",
        against: "one docker buildx bake --no-cache after the other, which installs the packages",
        needs: Needs::Engine,
        reference_needs: None,
        rounds: 3,
        goal: 0.3,
        before: "",
        reference: "one_by_one --no-cache",
        ours: "\"$XTASK\" bake --all --no-cache",
    },
    Row {
        name: "bake-unchanged",
        what: "bake --all, nothing has changed",
        against: "one docker buildx bake after the other, each of which asks the archive too",
        needs: Needs::Engine,
        reference_needs: None,
        rounds: 5,
        goal: 0.35,
        before: "\"$XTASK\" bake --all; with_bake_alone; \"$XTASK\" bake --all",
        reference: "with_bake_alone",
        ours: "\"$XTASK\" bake --all",
    },
    Row {
        name: "smoke",
        what: "smoke pgvector --no-bake",
        against: "docker run with the image, initdb and psql",
        needs: Needs::Engine,
        reference_needs: None,
        rounds: 5,
        goal: 0.7,
        before: "",
        reference: "try_by_hand pgvector vector",
        ours: "\"$XTASK\" smoke pgvector --no-bake",
    },
    Row {
        name: "smoke-all",
        what: "smoke --all --no-bake",
        against: "a run for each extension, one after the other",
        needs: Needs::Engine,
        reference_needs: None,
        rounds: 3,
        goal: 0.2,
        before: "",
        reference: "each smoke --no-bake",
        ours: "\"$XTASK\" smoke --all --no-bake",
    },
    Row {
        name: "e2e",
        what: "e2e test-full pgvector from nothing",
        against: "environment, bake, values and suites by commands of their own, one after the other",
        needs: Needs::EngineAndTime,
        reference_needs: None,
        rounds: 1,
        goal: 0.75,
        before: "",
        reference: "\"$XTASK\" e2e cleanup; \"$XTASK\" e2e setup-env; \"$XTASK\" bake pgvector --push; \
                    values pgvector; \"$XTASK\" e2e test pgvector",
        ours: "\"$XTASK\" e2e cleanup; \"$XTASK\" e2e test-full pgvector",
    },
    Row {
        name: "e2e-all",
        what: "e2e test-full --all, the environment is up",
        against: "a run for each extension, one after the other",
        needs: Needs::EngineAndTime,
        reference_needs: None,
        rounds: 1,
        goal: 0.22,
        before: "\"$XTASK\" e2e setup-env",
        reference: "each e2e test-full",
        ours: "\"$XTASK\" e2e test-full --all",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_have_names_of_their_own_and_the_document_has_them_all() {
        let document = include_str!("../../../../../docs/performance.md");
        let mut names: Vec<&str> = ROWS.iter().map(|row| row.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ROWS.len());
        for row in ROWS {
            let is_name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(row.name.chars().all(is_name), "{}", row.name);
            assert!(row.rounds > 0 && row.goal > 0.0, "{}", row.name);
            let cell = format!("| {} |", row.name);
            assert!(document.contains(&cell), "docs/performance.md lacks {cell}");
        }
    }
}
