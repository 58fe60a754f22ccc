// SPDX-License-Identifier: Apache-2.0
//! What people type: two or three calls of each command, and what each is for.

/// A call, and why.
pub(super) type Example = (&'static str, &'static str);

/// The examples of a command: `e2e test-full`. None: it has none of its own.
pub(super) fn of(path: &str) -> &'static [Example] {
    let found = EXAMPLES.iter().find(|(name, _)| *name == path);
    found.map_or(&[], |(_, examples)| examples)
}

const EXAMPLES: &[(&str, &[Example])] = &[
    (
        "",
        &[
            (
                "cargo xtask smoke pgvector",
                "build it and try it in PostgreSQL",
            ),
            (
                "cargo xtask smoke pgvector --sandbox",
                "the same without Docker",
            ),
            ("cargo xtask bake --help", "all that a command takes"),
        ],
    ),
    (
        "prereqs",
        &[
            ("cargo xtask prereqs", "what is there, and what is missing"),
            (
                "cargo xtask prereqs --for e2e",
                "only what the cluster needs",
            ),
        ],
    ),
    (
        "status",
        &[
            ("cargo xtask status", "what to do next"),
            ("cargo xtask status --offline --json", "for a script"),
        ],
    ),
    (
        "targets",
        &[
            (
                "cargo xtask targets --images",
                "every image with its package",
            ),
            (
                "cargo xtask targets --json --changed-since origin/main",
                "a branch's matrix for CI",
            ),
        ],
    ),
    (
        "checks",
        &[
            ("cargo xtask checks --all", "every extension"),
            ("cargo xtask checks pgvector --no-bake", "without Docker"),
        ],
    ),
    (
        "bake",
        &[
            ("cargo xtask bake pgvector", "for every distro and major"),
            (
                "cargo xtask bake --all --distro trixie --push",
                "to the registry of the settings",
            ),
            (
                "cargo xtask bake pgvector --dry-run",
                "what would be run, to paste",
            ),
        ],
    ),
    (
        "smoke",
        &[
            (
                "cargo xtask smoke pgvector",
                "build it and try it in PostgreSQL",
            ),
            ("cargo xtask smoke --together", "all images in one server"),
            (
                "cargo xtask smoke pgvector --image localhost:5000/pgvector:1",
                "one from anywhere",
            ),
        ],
    ),
    (
        "upgrade-paths",
        &[
            (
                "cargo xtask upgrade-paths pg-ivm",
                "from what its scripts make",
            ),
            (
                "cargo xtask upgrade-paths pgvector --pg 18 --from IMAGE",
                "from an older image",
            ),
        ],
    ),
    (
        "installcheck",
        &[
            ("cargo xtask installcheck pgvector", "of its Debian source"),
            (
                "cargo xtask installcheck pgvector --source URL --checksum SHA256",
                "of another archive",
            ),
        ],
    ),
    (
        "inspect",
        &[
            (
                "cargo xtask inspect pgvector --distro trixie --pg 18",
                "what was baked",
            ),
            (
                "cargo xtask inspect pgvector --against ghcr.io/owner/pgvector:0.8.5-18-trixie",
                "what differs",
            ),
        ],
    ),
    (
        "licences",
        &[
            (
                "cargo xtask licences --all",
                "every package with its licence",
            ),
            (
                "cargo xtask licences pgvector --markdown",
                "a table for a page",
            ),
        ],
    ),
    (
        "scan",
        &[
            (
                "cargo xtask scan --all --with trivy",
                "reports in target/xtask/scan",
            ),
            (
                "cargo xtask scan pgvector --with debsecan --fail-on error",
                "a gate for CI",
            ),
        ],
    ),
    (
        "manifest",
        &[
            (
                "cargo xtask manifest pgvector --distro trixie --pg 18",
                "a Cluster and a Database",
            ),
            (
                "cargo xtask manifest postgis --distro trixie --catalog",
                "for a catalog of images",
            ),
        ],
    ),
    (
        "create-extension",
        &[
            (
                "cargo xtask create-extension pg-cron --from-archive",
                "from Debian's",
            ),
            (
                "cargo xtask create-extension x --from-source https://x.example/x-1.2.tar.gz",
                "compiled",
            ),
            (
                "cargo xtask create-extension x --pgrx x@1.0.0",
                "of a crate",
            ),
        ],
    ),
    (
        "catalogs",
        &[
            (
                "cargo xtask catalogs --output image-catalogs",
                "one file for each distro",
            ),
            (
                "cargo xtask catalogs --output image-catalogs --sign --key cosign.key",
                "and sign them",
            ),
        ],
    ),
    (
        "bundle export",
        &[
            (
                "cargo xtask bundle export extensions.tar pgvector",
                "with all it needs",
            ),
            (
                "cargo xtask bundle export all.tar --all --distro trixie --pg 18",
                "of one server",
            ),
        ],
    ),
    (
        "bundle import",
        &[
            (
                "cargo xtask bundle import extensions.tar --to registry.example:5000",
                "push all of it",
            ),
            (
                "cargo xtask bundle import extensions.tar --to registry.example:5000 --dry-run",
                "what that does",
            ),
        ],
    ),
    (
        "update-os-libs",
        &[
            ("cargo xtask update-os-libs postgis", "write its lists"),
            (
                "cargo xtask update-os-libs --all --check",
                "fail where one is out of date",
            ),
        ],
    ),
    (
        "versions",
        &[
            (
                "cargo xtask versions --all",
                "what is pinned, and what is newest",
            ),
            ("cargo xtask versions pgvector --update", "pin the newest"),
        ],
    ),
    (
        "init",
        &[
            ("cargo xtask init --dry-run", "what would be written"),
            ("cargo xtask init", "write it; what is there stays"),
        ],
    ),
    (
        "e2e",
        &[
            ("cargo xtask e2e test-full pgvector", "all steps in one"),
            ("cargo xtask e2e status", "what is there"),
            ("cargo xtask e2e cleanup", "remove it"),
        ],
    ),
    (
        "e2e setup-env",
        &[
            ("cargo xtask e2e setup-env", "make it, or repair it"),
            (
                "cargo xtask e2e setup-env --until registry",
                "the registry alone",
            ),
        ],
    ),
    (
        "e2e export-kubeconfig",
        &[
            (
                "cargo xtask e2e export-kubeconfig ./kubeconfig",
                "a file of its own",
            ),
            (
                "cargo xtask e2e export-kubeconfig ~/.kube/config --merge",
                "beside other clusters",
            ),
        ],
    ),
    (
        "e2e generate-values",
        &[
            (
                "cargo xtask e2e generate-values pgvector",
                "the published one",
            ),
            (
                "cargo xtask e2e generate-values pgvector --extension-image localhost:5000/p:1",
                "of this one",
            ),
        ],
    ),
    (
        "e2e test",
        &[
            (
                "cargo xtask e2e test pgvector",
                "with the values that are there",
            ),
            (
                "cargo xtask e2e test --rerun-failed",
                "what has not passed the last time",
            ),
        ],
    ),
    (
        "e2e test-full",
        &[
            (
                "cargo xtask e2e test-full pgvector",
                "from nothing to a table of results",
            ),
            (
                "cargo xtask e2e test-full --all --cnpg-release 1.29,1.30",
                "with two releases of the operator",
            ),
        ],
    ),
    (
        "e2e upgrade-test",
        &[
            (
                "cargo xtask e2e upgrade-test pgvector --from x.example/pgvector:1",
                "to a new one",
            ),
            (
                "cargo xtask e2e upgrade-test pgvector --from x.example/p:1 --to x.example/p:2",
                "to 2",
            ),
        ],
    ),
    (
        "e2e status",
        &[
            ("cargo xtask e2e status", "for people"),
            ("cargo xtask e2e status --json", "for scripts"),
        ],
    ),
    (
        "e2e psql",
        &[
            ("cargo xtask e2e psql pgvector", "a prompt"),
            (
                "cargo xtask e2e psql pgvector -- \"SELECT 1\"",
                "a statement",
            ),
        ],
    ),
    (
        "e2e cleanup",
        &[
            ("cargo xtask e2e cleanup --dry-run", "what would be removed"),
            ("cargo xtask e2e cleanup", "remove it"),
        ],
    ),
    (
        "promote",
        &[
            (
                "cargo xtask promote pgvector --to ghcr.io/owner",
                "what has passed e2e",
            ),
            (
                "cargo xtask promote --metadata-file images.json --to ghcr.io/owner",
                "what was written down",
            ),
        ],
    ),
    (
        "sign",
        &[
            ("cargo xtask sign pgvector --key cosign.key", "with a key"),
            (
                "cargo xtask sign --metadata-file images.json --keyless",
                "as the CI system",
            ),
        ],
    ),
    (
        "verify",
        &[
            (
                "cargo xtask verify pgvector --key cosign.pub",
                "where it was pushed",
            ),
            (
                "cargo xtask verify pgvector --key cosign.pub --promoted-to ghcr.io/owner",
                "elsewhere",
            ),
        ],
    ),
    (
        "sbom",
        &[
            (
                "cargo xtask sbom pgvector --distro trixie --pg 18",
                "where it was pushed",
            ),
            (
                "cargo xtask sbom ghcr.io/owner/pgvector:1.0 --platform linux/arm64",
                "of any image",
            ),
        ],
    ),
    (
        "sandbox",
        &[
            (
                "cargo xtask smoke pgvector --sandbox",
                "any command starts it by itself",
            ),
            ("cargo xtask sandbox status", "where it is, and what runs"),
            ("cargo xtask sandbox down", "remove it"),
        ],
    ),
    (
        "sandbox up",
        &[
            ("cargo xtask sandbox up", "make it and start its engine"),
            (
                "cargo xtask sandbox up --base debian",
                "with base images of Debian's packages",
            ),
        ],
    ),
    (
        "sandbox status",
        &[
            ("cargo xtask sandbox status", "for people"),
            ("cargo xtask sandbox status --json", "for scripts"),
        ],
    ),
    (
        "sandbox exec",
        &[
            ("cargo xtask sandbox exec docker image ls", "its docker"),
            (
                "cargo xtask sandbox exec apt-cache policy postgresql-18-pgvector",
                "its archive",
            ),
        ],
    ),
    (
        "sandbox down",
        &[
            ("cargo xtask sandbox down", "remove all of it"),
            (
                "cargo xtask sandbox down --keep",
                "stop it, and be quick next time",
            ),
        ],
    ),
    (
        "report",
        &[
            ("cargo xtask report --open", "the last run, in the browser"),
            (
                "cargo xtask report 3d23dc26",
                "an earlier one, by how its id begins",
            ),
        ],
    ),
    (
        "runs",
        &[
            ("cargo xtask runs", "which there are, the newest first"),
            (
                "cargo xtask runs compare 3d23dc26",
                "what the last one did otherwise",
            ),
            ("cargo xtask runs prune --older-than 7days", "fewer of them"),
        ],
    ),
    (
        "runs compare",
        &[
            ("cargo xtask runs compare 3d23dc26", "with the last one"),
            ("cargo xtask runs compare 3d23dc26 afe99607", "two of them"),
        ],
    ),
    (
        "runs prune",
        &[
            ("cargo xtask runs prune --newest 5", "the newest five stay"),
            (
                "cargo xtask runs prune --older-than 7days --dry-run",
                "what would go",
            ),
        ],
    ),
    (
        "config",
        &[
            ("cargo xtask config", "each value, and where it comes from"),
            (
                "cargo xtask config --set registry=localhost:5001",
                "with another value",
            ),
        ],
    ),
    (
        "completions",
        &[
            (
                "cargo xtask completions bash > ~/.local/share/bash-completion/completions/xtask",
                "for bash",
            ),
            (
                "cargo xtask completions fish > ~/.config/fish/completions/xtask.fish",
                "for fish",
            ),
        ],
    ),
    (
        "man",
        &[
            (
                "cargo xtask man ~/.local/share/man/man1",
                "then: man xtask-bake",
            ),
            ("cargo xtask man target/man", "into any folder"),
        ],
    ),
    (
        "ci",
        &[
            ("cargo xtask ci", "all that this machine can run"),
            (
                "cargo xtask ci --lane fmt,clippy,unit,docs",
                "quick, while you work",
            ),
        ],
    ),
    (
        "ci bench",
        &[
            ("cargo xtask ci bench", "every quick row"),
            (
                "cargo xtask ci bench bake-unchanged --rounds 10",
                "one row, steadier",
            ),
        ],
    ),
    (
        "ci docs",
        &[
            ("cargo xtask ci docs", "write them anew"),
            (
                "cargo xtask ci docs --check",
                "fail where one is out of date",
            ),
        ],
    ),
];

#[cfg(test)]
mod tests {
    use clap::Command;

    use super::*;
    use crate::{cli, dialect};

    /// How far a screen reaches, where nobody says otherwise.
    const COLUMNS: usize = 100;

    /// The words of a call behind `cargo xtask`, up to what is for the shell.
    fn words(call: &str) -> Vec<String> {
        let words = shell_words::split(call).unwrap();
        assert_eq!(words[..2], ["cargo", "xtask"], "{call}");
        let words = words.into_iter().skip(2);
        words.take_while(|word| word != ">").collect()
    }

    #[test]
    fn every_command_has_two_or_three_which_parse_and_fit_a_screen() {
        fn walk(command: &Command, path: &str, examples: &mut usize) {
            let below = command.get_subcommands().filter(|sub| !sub.is_hide_set());
            let below: Vec<&Command> = below.collect();
            let group = !below.is_empty();
            let here = of(path);
            let enough = 2..=3_usize;
            assert!(
                group && here.is_empty() || enough.contains(&here.len()),
                "`{path}` has {} examples",
                here.len()
            );
            for (call, why) in here {
                *examples += 1;
                let longest = here.iter().map(|(call, _)| call.len()).max().unwrap();
                let line = format!("  {call:<longest$}  # {why}");
                assert!(line.chars().count() <= COLUMNS, "too long: {line}");
                let words = dialect::canonical(&cli::command(), words(call), &|_| None);
                let words = words.unwrap().words;
                let named = words.join(" ").starts_with(path) || group;
                assert!(named, "`{call}` is no call of `{path}`");
                let words = ["cargo xtask".to_owned()].into_iter().chain(words);
                match cli::command().try_get_matches_from(words) {
                    Err(error) if error.use_stderr() => panic!("`{call}`: {error}"),
                    _ => {}
                }
            }
            for sub in below {
                let path = format!("{path} {}", sub.get_name());
                walk(sub, path.trim_start(), examples);
            }
        }
        let mut examples = 0;
        walk(&cli::command(), "", &mut examples);
        let listed: usize = EXAMPLES.iter().map(|(_, examples)| examples.len()).sum();
        assert_eq!(examples, listed, "some are of commands that there are not");
    }
}
