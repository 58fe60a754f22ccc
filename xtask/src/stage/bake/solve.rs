// SPDX-License-Identifier: Apache-2.0
//! One bake for all extensions: BuildKit runs what they have in common once, and each extension still is a step of its
//! own. A failure ends the whole call, so those that it has taken along are built once more, each for itself.
//!
//! What was exported before is built without being exported first; what comes to the same image is left as it is there, and
//! what does not is exported then, by a call that finds all of it built.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use self::{
    call::{Call, Ended, Purpose},
    known::Found,
};
use crate::{
    config::AtOnce,
    exec::Exec,
    failure::Failure,
    own::file,
    plan::{Board, Joint, Location, shell::operand},
    tool::buildx::Bake,
    value::Digest,
};

mod call;
mod known;
mod pushed;

pub(super) use known::Place;
pub(crate) use known::noted_configurations;
pub(super) use pushed::Wanted;

/// Builds an image and says what it has come to; it is neither stored nor pushed, and nobody scans it.
const LOOK: [&str; 3] = [
    "*.output=type=image,oci-mediatypes=true,push=false,store=false,unpack=false",
    "*.attest=type=sbom,disabled=true",
    "*.attest=type=provenance,mode=min",
];

/// Calls at the same time once each is for one extension.
const AT_ONCE: AtOnce = AtOnce::of(8);

/// The bake of several extensions.
#[derive(Clone, Debug)]
pub(super) struct Solve {
    /// What all calls have in common; targets and metadata file are those of the shares.
    pub bake: Bake,
    pub shares: Vec<Share>,
    /// All that can be asked what images it has.
    pub places: Vec<Place>,
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
    /// What stands for the definition of each target but its moment, in their order.
    pub asked: Vec<Digest>,
    /// What a registry would have of each target, in their order; empty where none is pushed to.
    pub wanted: Vec<Wanted>,
    /// Set once it is known that nothing was exported, as what was there before is what was built.
    pub is_unchanged: Arc<AtomicBool>,
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

    /// The call that builds these parts and exports nothing.
    fn looking(&self, parts: &[usize]) -> Bake {
        let call = self.call(parts);
        Bake {
            set: call
                .set
                .into_iter()
                .chain(LOOK.map(str::to_owned))
                .collect(),
            metadata_file: None,
            push: false,
            ..call
        }
    }

    /// What is asked for of the targets of a part: their names, each with what stands for all of it.
    fn asked(&self, part: usize) -> impl Iterator<Item = (&str, Digest)> {
        let share = self.share(part);
        let targets = share.targets.iter().map(String::as_str);
        targets.zip(&share.asked).map(|(target, asked)| {
            let all = (asked, &self.bake.set, &self.bake.builder, self.bake.push);
            (target, Digest::of(format!("{all:?}").as_bytes()))
        })
    }

    /// What is known of the targets of these parts and is there.
    fn known(&self, parts: &[usize], exec: &dyn Exec) -> Found {
        let asked = parts.iter().flat_map(|part| self.asked(*part));
        let mut found = known::find(asked, &self.places, exec);
        if self.places.contains(&Place::Registry) {
            self.ask_registry(parts, &mut found, exec);
        }
        found
    }

    /// Adds what a registry has of targets that nothing is known of.
    fn ask_registry(&self, parts: &[usize], found: &mut Found, exec: &dyn Exec) {
        let wanted = |part: &usize| {
            let wanted = &self.share(*part).wanted;
            self.asked(*part).zip(wanted).collect::<Vec<_>>()
        };
        let unknown = parts.iter().flat_map(wanted);
        let unknown = unknown.filter(|((target, _), _)| !found.contains_key(*target));
        let unknown: Vec<_> = unknown.collect();
        let ask = |((target, asked), wanted): &((&str, Digest), &Wanted)| {
            let known = pushed::find(wanted, asked, exec)?;
            Some(((*target).to_owned(), known))
        };
        let answers = AT_ONCE.each(&unknown, ask);
        found.extend(answers.into_iter().flatten());
    }

    /// Whether all targets of a part are known.
    fn is_known(&self, part: usize, found: &Found) -> bool {
        let mut targets = self.share(part).targets.iter();
        targets.all(|target| found.contains_key(target))
    }

    /// Builds what is known without exporting it. Gives the parts that are to be exported all the same; None where nothing
    /// was built, as nothing is known.
    fn look(
        &self,
        parts: &[usize],
        exec: &dyn Exec,
        board: &dyn Board,
    ) -> Result<Option<Vec<usize>>, Ended> {
        let found = self.known(parts, exec);
        let (known, others): (Vec<usize>, Vec<usize>) =
            parts.iter().partition(|part| self.is_known(**part, &found));
        // Told to use no cache, a second call would build all once more.
        if known.is_empty() || self.bake.no_cache && !others.is_empty() {
            return Ok(None);
        }
        let changed = Call::of(self, known, Purpose::Look(&found), board).run(exec)?;
        Ok(Some(others.into_iter().chain(changed).collect()))
    }

    /// The same of what has just been built.
    fn of_cache(&self) -> Self {
        Self {
            bake: Bake {
                no_cache: false,
                ..self.bake.clone()
            },
            ..self.clone()
        }
    }

    /// Builds and exports these parts, in one call, or each in one of its own when one of them fails.
    fn export(&self, parts: &[usize], exec: &dyn Exec, board: &dyn Board) -> Result<(), Failure> {
        if parts.is_empty() {
            return Ok(());
        }
        match Call::of(self, parts.to_vec(), Purpose::Export, board).run(exec) {
            Ok(_) => Ok(()),
            Err(ended) => self.once_more(ended, parts.len(), exec, board),
        }
    }

    /// Builds once more what a failed call of so many parts has taken along.
    fn once_more(
        &self,
        ended: Ended,
        parts: usize,
        exec: &dyn Exec,
        board: &dyn Board,
    ) -> Result<(), Failure> {
        let whose = ended.whose.filter(|_| parts > 1);
        let (true, Some(whose)) = (!exec.interrupted(), whose) else {
            return Err(ended.failure);
        };
        board.ended(whose, Err(ended.failure));
        let left = ended.left.into_iter().filter(|part| *part != whose);
        let left: Vec<usize> = left.collect();
        for part in &left {
            board.line(*part, "once more, without the one that has failed");
        }
        self.each(&left, exec, board);
        Ok(())
    }

    /// Builds each of these parts in a call of its own.
    fn each(&self, parts: &[usize], exec: &dyn Exec, board: &dyn Board) {
        AT_ONCE.each(parts, |part| {
            if let Err(ended) = Call::of(self, vec![*part], Purpose::Export, board).run(exec) {
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
        match self.look(parts, exec, board) {
            Ok(None) => self.export(parts, exec, board),
            Ok(Some(left)) => self.of_cache().export(&left, exec, board),
            // Those that are not known, and were not built with these, are built with what that has left.
            Err(mut ended) => {
                let of_call = ended.parts.len();
                let others = parts.iter().filter(|part| !ended.parts.contains(part));
                ended.left.extend(others);
                let all = of_call.max(ended.left.len());
                self.once_more(ended, all, exec, board)
            }
        }
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
