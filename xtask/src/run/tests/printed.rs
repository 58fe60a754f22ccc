// SPDX-License-Identifier: Apache-2.0
//! Whatever a plan's values hold, its text is for a shell what the plan is: the same arguments, the same
//! environment, the same standard input, the same files. Tried with a real shell.

use std::{ffi::OsString, os::unix::ffi::OsStringExt, path::PathBuf};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

use super::*;
use crate::{
    exec::Real,
    image::{Rotation, Stamped},
    plan::{Action, Location, Stdin},
};

/// Writes down what it was given: how many arguments, each of them, a variable, the standard input.
const TOOL: &str =
    "#!/bin/sh\nexec >> \"$LOG\"\nprintf '%s\\0' $# \"$@\" \"${VALUE-unset}\"\ncat\nprintf '\\0'\n";

/// Says which tags there are, and writes down what is to be removed.
const DOCKER: &str =
    "#!/bin/sh\ncase $2 in ls) cat tags ;; *) printf '%s\\0' \"$@\" > removed ;; esac\n";

struct Shell {
    folder: tempfile::TempDir,
}

impl Shell {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in [("tool", TOOL), ("docker", DOCKER)] {
            let path = folder.path().join("bin").join(name);
            fs_err::create_dir_all(path.parent().unwrap()).unwrap();
            fs_err::write(&path, text).unwrap();
            fs_err::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
                .unwrap();
        }
        fs_err::create_dir(folder.path().join("work")).unwrap();
        Self { folder }
    }

    fn work(&self) -> PathBuf {
        self.folder.path().join("work")
    }

    /// Runs the plan's text, in a folder that is empty but for `files`. Gives what the tools wrote down.
    fn run(&self, plan: &Plan, files: &[(&str, &[u8])]) -> Vec<u8> {
        fs_err::remove_dir_all(self.work()).unwrap();
        fs_err::create_dir(self.work()).unwrap();
        for (name, bytes) in files {
            fs_err::write(self.work().join(name), bytes).unwrap();
        }
        let script = self.folder.path().join("script");
        fs_err::write(&script, plan.to_string()).unwrap();
        let log = self.folder.path().join("log");
        fs_err::write(&log, "").unwrap();
        let exec = Real::default()
            .in_folder(&self.work())
            .with_programs(&self.folder.path().join("bin"))
            .unwrap();
        let shell = Cmd::new("sh", "run the plan's text")
            .arg("-e")
            .arg(&script)
            .env("LOG", log.to_str().unwrap());
        if let Err(failed) = exec.read(&shell, None) {
            panic!("{failed}: {:?}\n{plan}", failed.tail);
        }
        fs_err::read(log).unwrap()
    }
}

/// What breaks quoting, ends a heredoc, fills in a format, colours a terminal, or looks like an option.
const HOSTILE: &[&str] = &[
    "'",
    "\"",
    "\\",
    "\n",
    "\n\n",
    "$(touch x)",
    "`touch x`",
    "${HOME}",
    "$1",
    "%",
    "%s",
    "%%",
    "\\n",
    "\\055",
    "\\c",
    "-",
    "-n",
    "--",
    "XTASK_EOF\n",
    "EOF",
    "!",
    "!!",
    "#",
    "# a\n",
    "##[group]",
    "::error::",
    "~",
    "*",
    "?",
    "[a]",
    "{a,b}",
    ";",
    "&",
    "|",
    "||",
    "<<X",
    ">",
    "(",
    ")",
    " ",
    "  ",
    "\t",
    "\r",
    "\u{1b}[31m",
    "\u{7}",
    "\u{7f}",
    "\u{9b}",
    "\u{202e}",
    "\u{2028}",
    "ü",
    "漢",
    "e\u{301}",
    "=",
    "a=b",
    "/",
    ".",
    ",",
    "|g;s|",
    "abc",
    "0",
    "12",
];

fn text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(HOSTILE).prop_map(str::to_owned),
        1 => any::<char>().prop_map(|c| c.to_string().replace('\0', "")),
    ];
    vec(piece, 0..7).prop_map(|pieces| pieces.concat())
}

/// An argument is bytes: a path need not be UTF-8.
fn argument() -> impl Strategy<Value = OsString> {
    prop_oneof![
        9 => text().prop_map(OsString::from),
        1 => vec(1..=255_u8, 0..6).prop_map(OsString::from_vec),
    ]
}

/// Of a file in the current folder.
fn file_name() -> impl Strategy<Value = PathBuf> {
    let safe = |name: OsString| {
        let bytes = name
            .into_vec()
            .into_iter()
            .map(|byte| if byte == b'/' { b'_' } else { byte });
        let mut bytes: Vec<u8> = bytes.take(60).collect();
        bytes.insert(bytes.len().min(3), b'f');
        PathBuf::from(OsString::from_vec(bytes))
    };
    argument().prop_map(safe)
}

fn command() -> impl Strategy<Value = Cmd> {
    let parts = (
        vec(argument(), 0..5),
        prop::option::of(text()),
        prop::option::of(text()),
    );
    parts.prop_map(|(args, value, stdin)| {
        let mut cmd = Cmd::new("tool", "try").args(args);
        cmd.env = value
            .into_iter()
            .map(|value| ("VALUE".to_owned(), value))
            .collect();
        cmd.stdin = stdin.map(Stdin::Text);
        cmd
    })
}

/// What the tool writes down when it is given what the command holds.
fn held(cmd: &Cmd) -> Vec<u8> {
    let mut bytes = format!("{}\0", cmd.args.len()).into_bytes();
    for arg in &cmd.args {
        bytes.extend(arg.clone().into_vec());
        bytes.push(0);
    }
    let value = cmd.env.first().map_or("unset", |(_, value)| value.as_str());
    bytes.extend(format!("{value}\0").bytes());
    if let Some(Stdin::Text(text)) = &cmd.stdin {
        bytes.extend(text.bytes());
    }
    bytes.push(0);
    bytes
}

/// The same cases every time: what fails here fails everywhere.
fn try_with<S: Strategy>(cases: u32, strategy: &S, test: impl Fn(S::Value)) {
    let random = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: 50,
        ..Config::with_cases(cases)
    };
    let mut runner = TestRunner::new_with_rng(config, random);
    let tried = runner.run(strategy, |value| {
        test(value);
        Ok(())
    });
    if let Err(error) = tried {
        panic!("{error}");
    }
}

#[test]
fn commands_have_their_arguments_environment_and_input() {
    let shell = Shell::new();
    let commands = (vec(text(), 0..3), vec(command(), 20..21));
    try_with(25, &commands, |(notes, commands)| {
        let mut plan = Plan {
            notes,
            ..Plan::default()
        };
        let mut wanted = Vec::new();
        for cmd in commands {
            wanted.extend(held(&cmd));
            plan.add(Step::run("try", cmd));
        }
        let found = shell.run(&plan, &[]);
        assert_eq!(
            String::from_utf8_lossy(&found),
            String::from_utf8_lossy(&wanted),
            "{plan}"
        );
        assert_eq!(found, wanted);
        assert_eq!(fs_err::read_dir(shell.work()).unwrap().count(), 0, "{plan}");
    });
}

#[test]
fn files_and_folders_are_those_of_the_plan() {
    let shell = Shell::new();
    try_with(
        60,
        &(file_name(), file_name(), text(), command()),
        |(name, other, text, cmd)| {
            let inside = |name: &str| PathBuf::from("-d").join(name);
            let to = Location::Output;
            let wait = |probe| Action::WaitFor {
                what: "it",
                probe,
                every: Duration::ZERO,
                patience: Duration::ZERO,
                log: None,
            };
            let there = Probe::Holds {
                path: name.clone(),
                text: text.clone(),
            };
            let mut plan = Plan::default();
            for action in [
                Action::Folder(to(inside("a/b"))),
                Action::Write {
                    path: to(name.clone()),
                    contents: text.clone(),
                },
                Action::WriteNew {
                    path: to(inside("new")),
                    contents: text.clone(),
                },
                wait(there),
                wait(Probe::Exists(name.clone())),
                Action::Save {
                    cmd: Cmd::new("cat", "try").stdin(text.clone()),
                    path: to(inside("saved")),
                },
                Action::Script {
                    path: to(inside("script")),
                    contents: text.clone(),
                },
                Action::Rename {
                    from: to(name.clone()),
                    to: to(inside("moved")),
                },
                Action::Folder(to(other.clone())),
                Action::RemoveFolder(to(other.clone())),
                Action::Run(cmd.clone().into()),
                wait(Probe::Succeeds(Cmd {
                    args: Vec::new(),
                    ..cmd.clone()
                })),
            ] {
                plan.add(Step::new("try", action));
            }
            let log = shell.run(&plan, &[]);
            let read = |name: PathBuf| {
                String::from_utf8(fs_err::read(shell.work().join(name)).unwrap()).unwrap()
            };
            for name in ["saved", "script", "moved", "new"] {
                assert_eq!(read(inside(name)), text, "{name}: {plan}");
            }
            let left: Vec<_> = fs_err::read_dir(shell.work()).unwrap().collect();
            assert_eq!(left.len(), 1, "{plan}");
            let again = Cmd {
                args: Vec::new(),
                ..cmd.clone()
            };
            assert_eq!(log, [held(&cmd), held(&again)].concat(), "{plan}");
        },
    );
}

#[test]
fn a_rotation_removes_what_the_plan_would() {
    let shell = Shell::new();
    let one_line = || text().prop_map(|text| text.replace(['\n', '\r'], ""));
    let tag = (any::<bool>(), 0..3_u8, any::<bool>());
    let parts = (text(), one_line(), one_line(), vec(tag, 0..6));
    try_with(60, &parts, |(repository, prefix, suffix, tags)| {
        let stamped = Stamped {
            repository,
            prefix: format!("p{prefix}"),
            digits: 12,
            suffix: format!("{suffix}s"),
        };
        let tags: Vec<String> = tags
            .into_iter()
            .map(|(own, time, same)| {
                let prefix = if own { &stamped.prefix } else { "q" };
                let suffix = if same { &stamped.suffix } else { "t" };
                format!("{prefix}20260101000{time}0{suffix}")
            })
            .collect();
        let listed = tags.join("\n") + "\n";
        let mut plan = Plan::default();
        let rotation = Rotation(stamped);
        plan.add(Step::work("tidy", rotation.clone()));
        shell.run(&plan, &[("tags", listed.as_bytes())]);
        let superseded = rotation.superseded(tags.iter().map(String::as_str));
        let removed = fs_err::read(shell.work().join("removed")).unwrap_or_default();
        let wanted: Vec<String> = if superseded.is_empty() {
            Vec::new()
        } else {
            let words = ["image", "rm", "--"].map(str::to_owned);
            words.into_iter().chain(superseded).collect()
        };
        let wanted = wanted
            .into_iter()
            .map(|word| word + "\0")
            .collect::<Vec<_>>()
            .concat();
        assert_eq!(String::from_utf8(removed).unwrap(), wanted, "{plan}");
    });
}
