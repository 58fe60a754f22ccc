// SPDX-License-Identifier: Apache-2.0
//! A call of a fake: what it was told, and when it began and ended among the others.

use std::fs;

use super::lab::Lab;

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) program: String,
    pub(crate) args: Vec<String>,
    /// Whether `--` stood before the operands: docker drops it, and so do `args`.
    pub(crate) ends_options: bool,
    pub(crate) kubeconfig: String,
    /// `KIND_EXPERIMENTAL_DOCKER_NETWORK`.
    pub(crate) network: String,
    pub(crate) stdin: String,
    begun: usize,
    ended: Option<usize>,
}

impl Call {
    /// Program and arguments with a blank between them.
    pub(crate) fn line(&self) -> String {
        format!("{} {}", self.program, self.args.join(" "))
    }

    /// The same without the kubeconfig, which is in every call of kubectl.
    pub(crate) fn said(&self) -> String {
        match self.args.split_first() {
            Some((first, rest)) if first == "--kubeconfig" => {
                format!("{} {}", self.program, rest[1..].join(" "))
            }
            _ => self.line(),
        }
    }

    /// The value that follows an option.
    #[track_caller]
    pub(crate) fn after(&self, option: &str) -> &str {
        let at = self.args.iter().position(|arg| arg == option);
        let at = at.unwrap_or_else(|| panic!("no {option} in {self:#?}"));
        &self.args[at + 1]
    }

    pub(crate) fn ended_before(&self, other: &Self) -> bool {
        self.ended.is_some_and(|ended| ended < other.begun)
    }
}

impl Lab {
    /// All calls of the fakes so far, in the order in which they began.
    pub(crate) fn made(&self) -> Vec<Call> {
        let text = fs::read_to_string(self.fake("calls")).unwrap_or_default();
        let mut calls: Vec<(String, Call)> = Vec::new();
        for (at, record) in text.split_terminator('\u{1e}').enumerate() {
            let mut fields = record.split('\u{1f}').map(str::to_owned);
            let kind = fields.next().unwrap();
            let process = fields.next().unwrap();
            if kind == "end" {
                let running = calls
                    .iter_mut()
                    .rfind(|(id, call)| *id == process && call.ended.is_none());
                running.unwrap().1.ended = Some(at);
                continue;
            }
            let stdin = fs::read_to_string(self.fake("stdin").join(&process));
            let program = fields.next().unwrap();
            let kubeconfig = fields.next().unwrap();
            let network = fields.next().unwrap();
            let mut args: Vec<String> = fields.collect();
            let end = args
                .iter()
                .position(|arg| program == "docker" && arg == "--");
            if let Some(end) = end {
                args.remove(end);
            }
            let call = Call {
                program,
                kubeconfig,
                network,
                args,
                ends_options: end.is_some(),
                stdin: stdin.unwrap_or_default(),
                begun: at,
                ended: None,
            };
            calls.push((process, call));
        }
        calls.into_iter().map(|(_, call)| call).collect()
    }

    /// The calls whose line, without the kubeconfig, begins so.
    pub(crate) fn made_of(&self, start: &str) -> Vec<Call> {
        let mut calls = self.made();
        calls.retain(|call| call.said().starts_with(start));
        calls
    }

    /// The one call whose line begins so.
    #[track_caller]
    pub(crate) fn only(&self, start: &str) -> Call {
        let calls = self.made_of(start);
        let [call] = calls.as_slice() else {
            panic!(
                "{} calls of `{start}` in\n{}",
                calls.len(),
                self.lines().join("\n")
            );
        };
        call.clone()
    }

    #[track_caller]
    pub(crate) fn never(&self, start: &str) {
        let calls = self.made_of(start);
        assert!(calls.is_empty(), "{calls:#?}");
    }

    /// Every call's line, without the kubeconfig.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.made().iter().map(Call::said).collect()
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
                self.lines().join("\n")
            );
        }
    }

    /// Drops what was called so far.
    pub(crate) fn forget(&self) {
        fs::write(self.fake("calls"), "").unwrap();
    }
}
