// SPDX-License-Identifier: Apache-2.0
//! What stands beside a task and its variables: options, operands, and behind `--` what is handed on to another program.

use std::collections::BTreeSet;

use super::{
    is_plain,
    tasks::{self, Task},
};
use crate::failure::Failure;

/// All words of a command line but the task and the variables.
pub(super) struct Beside<'a> {
    pub words: &'a [String],
    /// The options whose next word is their value.
    pub valued: &'a BTreeSet<String>,
}

impl Beside<'_> {
    /// The words that are not for another program.
    fn own(&self) -> &[String] {
        let end = self.words.iter().position(|word| word == "--");
        &self.words[..end.unwrap_or(self.words.len())]
    }

    /// Those that are neither an option nor the value of one.
    fn operands(&self) -> impl Iterator<Item = &str> {
        let words = self.own();
        let plain = (0..words.len()).filter(|at| is_plain(words, *at, self.valued));
        plain.map(|at| words[at].as_str())
    }

    pub(super) fn has_operand(&self) -> bool {
        self.operands().next().is_some()
    }

    pub(super) fn has_option(&self, flag: &str) -> bool {
        let is_it = |word: &String| {
            let rest = word.strip_prefix(flag);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        };
        self.own().iter().any(is_it)
    }

    /// Refuses an option that says otherwise, perhaps, than the variable `name` that stands for it.
    pub(super) fn refuse_twice(&self, name: &str, flag: &str) -> Result<(), Failure> {
        if self.has_option(flag) {
            return Err(Failure::invalid(format!(
                "variable `{name}` and `{flag}` are the same: only one of them can be given"
            )));
        }
        Ok(())
    }

    /// Refuses what Task itself would have taken: its options, a second task, words that no task uses.
    pub(super) fn refuse_foreign(&self, task: &Task) -> Result<(), Failure> {
        let name = task.name;
        let takes_names = task.variables.contains(&"TARGET");
        for word in self.operands() {
            if tasks::find(word).is_some() && (word.contains(':') || !takes_names) {
                return Err(Failure::invalid(format!(
                    "one task at a time: `{name}` and `{word}` are two"
                ))
                .hint(format!(
                    "one after the other: `cargo xtask {name} && cargo xtask {word}`"
                )));
            }
        }
        let hands_on = task.variables.contains(&"EXTRA_ARGS");
        let behind = self.words.iter().skip(self.own().len() + 1);
        let mut foreign = behind.filter(|word| word.starts_with('-') || word.contains('='));
        if !hands_on && foreign.next().is_some() {
            return Err(Failure::invalid(format!(
                "task `{name}` hands nothing on to another program, and has words behind `--`"
            ))
            .hint("put options and variables in front of it, or leave it out"));
        }
        Ok(())
    }
}
