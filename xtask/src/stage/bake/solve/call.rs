// SPDX-License-Identifier: Apache-2.0
//! One call of bake, followed line by line: which parts are built, and whose failure it is when it fails.

use std::{path::Path, sync::atomic::Ordering};

use super::{
    Solve,
    known::{Found, Known},
};
use crate::{
    exec::{CmdFailure, Exec, Supervision, Tail},
    failure::Failure,
    image::{Metadata, Promised},
    own::file,
    plan::{Board, Joint, Location, Performed},
    tool::buildkit::{self, Exported, Progress, Told},
};

/// What a call is for.
#[derive(Clone, Copy)]
pub(super) enum Purpose<'a> {
    /// Images are where they are to go afterwards.
    Export,
    /// It is known which of these need not be exported.
    Look(&'a Found),
}

/// One call of bake, while it runs.
pub(super) struct Call<'a> {
    solve: &'a Solve,
    parts: Vec<usize>,
    purpose: Purpose<'a>,
    board: &'a dyn Board,
    /// All targets in the call's order: a place in `parts`, of the one that it is of, and its name.
    targets: Vec<(usize, &'a str)>,
    progress: Progress,
    building: Vec<Building>,
    /// What bake has said of itself.
    said: Tail,
    /// The last line of that.
    last: Option<String>,
    /// The place in a Dockerfile that it names: `Dockerfile:35`.
    place: Option<String>,
    /// The target that it names when it gives up.
    failed: Option<String>,
}

/// What has become of a part so far.
#[derive(Default)]
struct Building {
    said: Tail,
    exported: Vec<(String, Exported)>,
    /// The vertex that has failed first, and what it has said before.
    failed: Option<(String, Option<String>)>,
    ended: bool,
}

/// A call that has failed.
pub(super) struct Ended {
    pub failure: Failure,
    /// The part whose failure it is.
    pub whose: Option<usize>,
    /// The parts of the call, and those of them that are not built.
    pub parts: Vec<usize>,
    pub left: Vec<usize>,
}

impl<'a> Call<'a> {
    pub(super) fn of(
        solve: &'a Solve,
        parts: Vec<usize>,
        purpose: Purpose<'a>,
        board: &'a dyn Board,
    ) -> Self {
        let targets = |(place, part): (usize, &usize)| {
            let names = solve.share(*part).targets.iter();
            names.map(move |name| (place, name.as_str()))
        };
        Self {
            targets: parts.iter().enumerate().flat_map(targets).collect(),
            progress: Progress::of(parts.iter().map(|part| solve.share(*part).targets.clone())),
            building: parts.iter().map(|_| Building::default()).collect(),
            said: Tail::default(),
            last: None,
            place: None,
            failed: None,
            solve,
            parts,
            purpose,
            board,
        }
    }

    /// Gives the parts that it was not to export, and that are to be.
    pub(super) fn run(mut self, exec: &dyn Exec) -> Result<Vec<usize>, Ended> {
        let bake = match self.purpose {
            Purpose::Export => self.solve.call(&self.parts),
            Purpose::Look(_) => self.solve.looking(&self.parts),
        };
        let ended = exec.run(&bake.cmd(), Supervision::default(), &mut |line| {
            self.read(line);
        });
        match (ended, self.purpose) {
            (Ok(()), Purpose::Export) => {
                self.finish();
                Ok(Vec::new())
            }
            (Ok(()), Purpose::Look(_)) => Ok(self.left()),
            (Err(failed), _) => Err(self.failed(failed)),
        }
    }

    /// The parts that have not ended.
    fn left(&self) -> Vec<usize> {
        let left = self.parts.iter().zip(&self.building);
        let left = left.filter(|(_, building)| !building.ended);
        left.map(|(part, _)| *part).collect()
    }

    fn read(&mut self, line: &str) {
        let mut told: Vec<(usize, Told)> = Vec::new();
        let is_progress = self
            .progress
            .read(line, &mut |target, one| told.push((target, one)));
        if !is_progress {
            // Below the place in the Dockerfile stands the text from there, between two lines.
            if line.len() > 9 && line.bytes().all(|byte| byte == b'-') && self.place.is_none() {
                self.place = self.last.take().filter(|line| line.contains(':'));
            }
            self.last = Some(line.to_owned());
            self.said.push(line);
            let open = self.parts.iter().zip(&self.building);
            for (part, _) in open.filter(|(_, building)| !building.ended) {
                self.board.line(*part, line);
            }
            if let Some(target) = buildkit::failed_target(line) {
                self.failed = Some(target.to_owned());
            }
            return;
        }
        for (target, one) in told {
            let (place, name) = self.targets[target];
            match one {
                Told::Failed { vertex, said } => {
                    self.building[place].failed.get_or_insert((vertex, said));
                }
                Told::Line(line) => {
                    self.building[place].said.push(&line);
                    self.board.line(self.parts[place], &line);
                }
                Told::Exported(what) => {
                    let exported = &mut self.building[place].exported;
                    exported.push((name.to_owned(), what));
                    match self.purpose {
                        Purpose::Export => self.end_if_built(place),
                        Purpose::Look(found) => self.end_if_known(place, found),
                    }
                }
            }
        }
    }

    /// Ends a part as soon as each of its targets has come to what is known of it.
    fn end_if_known(&mut self, place: usize, found: &Found) {
        let share = self.solve.share(self.parts[place]);
        let building = &self.building[place];
        let entry = |name: &String| {
            let known = found.get(name)?;
            let mut exported = building.exported.iter();
            let (_, what) = exported.find(|(exported, _)| exported == name)?;
            let is_same = what.configurations == known.configurations;
            is_same.then(|| (name.clone(), known.said.clone()))
        };
        let entries = share.targets.iter().map(entry);
        let Some(entries) = entries.collect::<Option<Vec<_>>>() else {
            return;
        };
        if building.ended {
            return;
        }
        share.is_unchanged.store(true, Ordering::Release);
        self.building[place].ended = true;
        let written = write(&share.metadata, &Metadata::of_entries(entries));
        let ended = written.map(|()| Performed::Unchanged(None));
        self.board.ended(self.parts[place], ended);
    }

    /// Ends a part as soon as each of its targets has a digest: what comes after it need not wait for the others. The
    /// last one waits for all that bake says at its end.
    fn end_if_built(&mut self, place: usize) {
        let share = self.solve.share(self.parts[place]);
        let open = self.building.iter().filter(|building| !building.ended);
        if !share.ends_when_exported || open.count() < 2 || self.building[place].ended {
            return;
        }
        let exported = &self.building[place].exported;
        let digest = |name: &String| {
            let found = exported.iter().find(|(known, _)| known == name);
            found.and_then(|(_, what)| what.digest.as_ref())
        };
        let digests = share
            .targets
            .iter()
            .map(|name| Some((name.as_str(), digest(name)?)));
        let Some(digests) = digests.collect::<Option<Vec<_>>>() else {
            return;
        };
        let written = write(&share.metadata, &Metadata::of_digests(digests));
        self.end(place, written);
    }

    fn end(&mut self, place: usize, ended: Result<(), Failure>) {
        self.building[place].ended = true;
        let ended = ended.map(|()| Performed::Done(None));
        self.board.ended(self.parts[place], ended);
    }

    /// The call has ended well: what bake says at its end is what was built.
    fn finish(&mut self) {
        let said = Metadata::read(self.solve.metadata_of(&self.parts));
        for place in 0..self.parts.len() {
            let share = self.solve.share(self.parts[place]);
            let others = self.parts.iter().filter(|part| **part != self.parts[place]);
            let others: Vec<&String> = others
                .flat_map(|part| &self.solve.share(*part).targets)
                .filter(|name| !share.targets.contains(name))
                .collect();
            let written = match &said {
                Ok(said) => write(&share.metadata, &said.without(&others)),
                Err(error) => Err(Failure::failed(format!(
                    "bake has ended well and does not say what it has built: {error:#}"
                ))),
            };
            let written = written.and_then(|()| self.check_exported(place, said.as_ref().ok()));
            let promised = Promised {
                names: share.targets.clone(),
                metadata: share.metadata.clone(),
                pushed: self.solve.bake.push,
            };
            self.end(place, written.and_then(|()| promised.check()));
            if let Ok(said) = &said {
                self.note(place, said);
            }
        }
    }

    /// Notes what was exported of a part, so that the next run need not do it again.
    fn note(&self, place: usize, said: &Metadata) {
        let part = self.parts[place];
        for (name, asked) in self.solve.asked(part) {
            let mut exported = self.building[place].exported.iter();
            let configurations = exported
                .find(|(exported, _)| exported == name)
                .map(|(_, what)| what.configurations.clone())
                .unwrap_or_default();
            let (Some(digest), Some(entry)) = (said.digest(name), said.entry(name)) else {
                continue;
            };
            if configurations.is_empty() {
                continue;
            }
            let known = Known {
                asked,
                digest,
                configurations,
                said: entry.clone(),
            };
            if let Err(error) = known.keep(name, &self.solve.places) {
                self.board
                    .line(part, &format!("what was exported is not noted: {error:#}"));
            }
        }
    }

    /// What was exported must be what bake says at its end.
    fn check_exported(&self, place: usize, said: Option<&Metadata>) -> Result<(), Failure> {
        for (name, exported) in &self.building[place].exported {
            let digest = said.and_then(|said| said.digest(name));
            if self.building[place].ended && digest != exported.digest {
                return Err(Failure::failed(format!(
                    "`{name}` was exported with another digest than bake says at its end"
                )));
            }
        }
        Ok(())
    }

    /// The failure of the part that bake names, or else of all that are not built.
    fn failed(self, failed: CmdFailure) -> Ended {
        let named = |failed: &str| {
            let mut targets = self.targets.iter();
            targets.find_map(|(place, name)| (*name == failed).then_some(*place))
        };
        let place = match (self.failed.as_deref().and_then(named), &self.parts[..]) {
            (Some(place), _) => Some(place),
            (None, [_]) => Some(0),
            (None, _) => None,
        };
        let left = self.left();
        let Some(place) = place else {
            let failure = self.said.of(failed).into();
            return Ended {
                failure,
                whose: None,
                parts: self.parts,
                left,
            };
        };
        let part = self.parts[place];
        let mut said = Tail::default();
        for tail in [&self.building[place].said, &self.said] {
            said.extend(tail);
        }
        let failed_vertex = self.building[place].failed.clone();
        let (vertex, own) = failed_vertex.map_or((None, None), |(vertex, own)| (Some(vertex), own));
        // The step itself has said why, before BuildKit quotes all of its shell.
        said.quote_first(own);
        let alone = CmdFailure {
            purpose: self.solve.share(part).purpose.clone(),
            command: self.solve.alone(part),
            ..said.of(failed)
        };
        let mut failure = Failure::from(alone);
        if let Some(vertex) = vertex {
            let place = self
                .place
                .map(|place| format!("{place}, "))
                .unwrap_or_default();
            failure = failure.detail(format!("in {place}{}", buildkit::step::named(&vertex)));
        }
        Ended {
            failure,
            whose: Some(part),
            parts: self.parts,
            left,
        }
    }
}

fn write(path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    let written = file::write_atomically(&Location::output(path), &metadata.to_json());
    written.map_err(Failure::from)
}
