// SPDX-License-Identifier: Apache-2.0
//! What the fakes were asked: one call after the other, as `fakes/begin.sh` logs them.

use std::{fmt, fs, path::PathBuf};

use serde::Deserialize;

/// How a call begins that builds, and asks no question. A check by bake begins so too.
pub(crate) const BUILD: &str = "docker buildx bake -f target/xtask/targets";

/// A line of the log.
#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Began {
        began: u32,
        words: Vec<String>,
        variables: Vec<(String, String)>,
    },
    Ended {
        ended: u32,
        status: i32,
    },
}

/// A call of a fake: what it was told, and when it began and ended among the others.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// The program and its arguments.
    words: Vec<String>,
    variables: Vec<(String, String)>,
    pub(crate) stdin: String,
    /// Its exit code; none while it runs, and when it was killed.
    pub(crate) status: Option<i32>,
    process: u32,
    begun: usize,
    ended: Option<usize>,
}

impl Call {
    pub(crate) fn program(&self) -> &str {
        &self.words[0]
    }

    /// The arguments, without the `--` that ends docker's options.
    pub(crate) fn args(&self) -> Vec<&str> {
        let mut args: Vec<&str> = self.words[1..].iter().map(String::as_str).collect();
        if self.ends_options() && self.program() == "docker" {
            args.remove(args.iter().position(|arg| *arg == "--").unwrap());
        }
        args
    }

    /// Whether `--` says that what follows are operands.
    pub(crate) fn ends_options(&self) -> bool {
        self.words.iter().any(|word| word == "--")
    }

    /// Program and arguments, whole.
    pub(crate) fn line(&self) -> String {
        joined(self.words.iter().map(String::as_str))
    }

    /// Whether bake was asked what it would build.
    pub(crate) fn is_print(&self) -> bool {
        self.words.iter().any(|word| word == "--print")
    }

    /// The extensions whose images a call of bake builds.
    pub(crate) fn extensions(&self) -> Vec<String> {
        let targets = self.words.iter().skip_while(|word| *word != "--").skip(1);
        // `alpha-1_2-18-trixie`
        let mut names: Vec<String> = targets
            .map(|target| target.rsplitn(4, '-').last().unwrap_or_default().to_owned())
            .collect();
        names.dedup();
        names
    }

    /// The line by which a test names the call: without the kubeconfig, which is in every call of kubectl, and
    /// without the `--` that ends docker's options. A question to bake is no bake.
    pub(crate) fn name(&self) -> String {
        if self.is_print() {
            let metadata = self
                .words
                .iter()
                .find(|word| word.ends_with("/metadata.hcl"));
            return format!("print {}", metadata.map_or("", |path| path));
        }
        let mut args = self.args();
        if args.first() == Some(&"--kubeconfig") {
            args.drain(..2);
        }
        joined([self.program()].into_iter().chain(args))
    }

    /// The words of the command as a dry run prints it, variables before the program.
    pub(crate) fn printed(&self) -> Vec<String> {
        let variables = self.variables.iter();
        let mut words: Vec<String> = variables
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        words.extend(self.words.iter().cloned());
        words
    }

    /// A variable of the environment, or nothing.
    pub(crate) fn variable(&self, name: &str) -> &str {
        let found = self.variables.iter().find(|(known, _)| known == name);
        found.map_or("", |(_, value)| value)
    }

    /// The value that follows an option.
    #[track_caller]
    pub(crate) fn after(&self, option: &str) -> &str {
        let at = self.words.iter().position(|arg| arg == option);
        let at = at.unwrap_or_else(|| panic!("no {option} in {self}"));
        &self.words[at + 1]
    }

    pub(crate) fn ended_before(&self, other: &Self) -> bool {
        self.ended.is_some_and(|ended| ended < other.begun)
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&joined(self.printed().iter().map(String::as_str)))
    }
}

/// Words with a blank between them, quoted where it would not be clear where one ends.
fn joined<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let unclear = |c: char| c.is_whitespace() || c == '\'' || c == '"';
    let words = words.into_iter().map(|word| {
        if word.is_empty() || word.contains(unclear) {
            shell_words::quote(word).into_owned()
        } else {
            word.to_owned()
        }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// The log of all fakes of a world.
pub(crate) struct Calls {
    /// The folder of the log and of what the calls read.
    folder: PathBuf,
}

impl Calls {
    pub(super) fn in_folder(folder: PathBuf) -> Self {
        fs::create_dir(folder.join("stdin")).unwrap();
        Self { folder }
    }

    /// All calls so far, in the order in which they began.
    pub(crate) fn all(&self) -> Vec<Call> {
        let text = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        let mut calls: Vec<Call> = Vec::new();
        for (at, line) in text.lines().enumerate() {
            let line = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
            match line {
                Line::Began {
                    began,
                    words,
                    variables,
                } => {
                    let stdin =
                        fs::read_to_string(self.folder.join("stdin").join(began.to_string()));
                    calls.push(Call {
                        words,
                        variables,
                        stdin: stdin.unwrap_or_default(),
                        status: None,
                        process: began,
                        begun: at,
                        ended: None,
                    });
                }
                Line::Ended { ended, status } => {
                    let running = |call: &&mut Call| call.process == ended && call.ended.is_none();
                    let call = calls.iter_mut().rfind(running).unwrap();
                    (call.status, call.ended) = (Some(status), Some(at));
                }
            }
        }
        calls
    }

    /// The calls whose name begins so: `docker image rm`.
    pub(crate) fn of(&self, start: &str) -> Vec<Call> {
        let mut calls = self.all();
        calls.retain(|call| call.name().starts_with(start));
        calls
    }

    /// The calls without what commands ask first and last: what the engine and an image are, what bake would build, and the sizes
    /// of images.
    pub(crate) fn of_work(&self) -> Vec<Call> {
        let mut calls = self.all();
        calls.retain(|call| {
            let line = call.line();
            let asks = [
                "docker info",
                "docker buildx inspect",
                "docker image inspect",
            ];
            !asks.iter().any(|ask| line.starts_with(ask))
                && !line.contains("{{.Size}}")
                && !call.is_print()
        });
        calls
    }

    /// The one call whose name begins so.
    #[track_caller]
    pub(crate) fn only(&self, start: &str) -> Call {
        let mut calls = self.of(start);
        assert_eq!(
            calls.len(),
            1,
            "calls of `{start}` in\n{}",
            self.names().join("\n")
        );
        calls.remove(0)
    }

    #[track_caller]
    pub(crate) fn never(&self, start: &str) {
        let calls = self.of(start);
        assert!(calls.is_empty(), "{calls:#?}");
    }

    /// Each of these has ended before the next one began.
    #[track_caller]
    pub(crate) fn in_order(&self, starts: &[&str]) {
        let calls: Vec<Call> = starts.iter().map(|start| self.only(start)).collect();
        for (pair, names) in calls.windows(2).zip(starts.windows(2)) {
            assert!(
                pair[0].ended_before(&pair[1]),
                "`{}` had not ended when `{}` began:\n{}",
                names[0],
                names[1],
                self.names().join("\n")
            );
        }
    }

    /// Every call's name.
    pub(crate) fn names(&self) -> Vec<String> {
        self.all().iter().map(Call::name).collect()
    }

    /// What became of the bakes: `start alpha`, `end alpha`, or `term alpha` of one that was ended; `alpha+gamma` of one
    /// that builds both.
    pub(crate) fn bakes(&self) -> Vec<String> {
        let mut moments = Vec::new();
        for call in self.of(BUILD) {
            let extension = call.extensions().join("+");
            moments.push((call.begun, format!("start {extension}")));
            if let Some(ended) = call.ended {
                let how = if call.status == Some(143) {
                    "term"
                } else {
                    "end"
                };
                moments.push((ended, format!("{how} {extension}")));
            }
        }
        moments.sort();
        moments.into_iter().map(|(_, moment)| moment).collect()
    }

    /// Drops what was called so far.
    pub(crate) fn forget(&self) {
        fs::write(self.folder.join("log"), "").unwrap();
    }
}
