// SPDX-License-Identifier: Apache-2.0
//! One bake for all extensions: BuildKit runs what they have in common once, and each extension still is a step of its
//! own. A failure ends the whole call, so those that it has taken along are built once more, each for itself.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use self::call::Call;
use crate::{
    config::AtOnce,
    exec::Exec,
    failure::Failure,
    own::file,
    plan::{Board, Joint, Location, shell::operand},
    tool::buildx::Bake,
};

mod call;

/// Calls at the same time once each is for one extension.
const AT_ONCE: AtOnce = AtOnce::of(8);

/// The bake of several extensions.
#[derive(Debug)]
pub(super) struct Solve {
    /// What all calls have in common; targets and metadata file are those of the shares.
    pub bake: Bake,
    pub shares: Vec<Share>,
    /// Where bake says what it has built of several of them.
    pub metadata: PathBuf,
}

/// What is built of one extension: a part.
#[derive(Clone, Debug)]
pub(super) struct Share {
    pub purpose: String,
    pub targets: Vec<String>,
    /// What was built of it, as bake's metadata file says it.
    pub metadata: PathBuf,
    /// Once its images are exported nothing is left to do: it need not wait for the end of the call.
    pub ends_when_exported: bool,
}

impl Solve {
    fn share(&self, part: usize) -> &Share {
        &self.shares[part]
    }

    /// The call that builds these parts.
    fn call(&self, parts: &[usize]) -> Bake {
        let mut targets: Vec<String> = Vec::new();
        for target in parts.iter().flat_map(|part| &self.share(*part).targets) {
            if !targets.contains(target) {
                targets.push(target.clone());
            }
        }
        let purpose = match parts {
            [one] => self.share(*one).purpose.clone(),
            several => format!("bake {} extensions", several.len()),
        };
        Bake {
            purpose,
            targets,
            metadata_file: Some(self.metadata_of(parts).to_owned()),
            ..self.bake.clone()
        }
    }

    /// Where a call that builds these parts says what it has built.
    fn metadata_of(&self, parts: &[usize]) -> &Path {
        match parts {
            [one] => &self.share(*one).metadata,
            _ => &self.metadata,
        }
    }

    fn all(&self) -> Vec<usize> {
        (0..self.shares.len()).collect()
    }

    /// Builds each of these parts in a call of its own.
    fn each(&self, parts: &[usize], exec: &dyn Exec, board: &dyn Board) {
        AT_ONCE.each(parts, |part| {
            if let Err(ended) = Call::of(self, vec![*part], board).run(exec) {
                board.ended(*part, Err(ended.failure));
            }
        });
    }
}

impl Joint for Solve {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn alone(&self, part: usize) -> String {
        self.call(&[part]).cmd().to_string()
    }

    fn perform(&self, parts: &[usize], exec: &dyn Exec, board: &dyn Board) -> Result<(), Failure> {
        // What an earlier run was told is nothing that this one has built.
        let files = parts.iter().map(|part| &self.share(*part).metadata);
        for path in files.chain([&self.metadata]) {
            file::remove_file(&Location::output(path))?;
        }
        if let Err(ended) = Call::of(self, parts.to_vec(), board).run(exec) {
            let whose = ended.whose.filter(|_| parts.len() > 1);
            let (true, Some(whose)) = (!exec.interrupted(), whose) else {
                return Err(ended.failure);
            };
            board.ended(whose, Err(ended.failure));
            let left: Vec<usize> = ended
                .left
                .into_iter()
                .filter(|part| *part != whose)
                .collect();
            for part in &left {
                board.line(*part, "once more, without the one that has failed");
            }
            self.each(&left, exec, board);
        }
        Ok(())
    }
}

/// As the one call that builds all.
impl fmt::Display for Solve {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = self.all();
        writeln!(f, "rm -f -- {}", operand(self.metadata_of(&all)))?;
        self.call(&all).cmd().fmt(f)
    }
}
