// SPDX-License-Identifier: Apache-2.0
//! Steps that one command carries out: each begins with all, and ends, with its report, when its own part has.

use std::{
    fs::File,
    io::Write,
    sync::{Mutex, PoisonError, mpsc},
};

use super::{
    Walk, log_name,
    step::{Begun, Voice},
};
use crate::{
    event::{Event, Outcome},
    failure::Failure,
    own::file,
    plan::{Action, Board, Part, Performed, StepId},
};

/// A part whose end is not known yet.
struct Open<'a> {
    voice: Voice<'a>,
    log: File,
}

/// The parts that are carried out together.
struct Parts<'a> {
    walk: &'a Walk<'a>,
    events: &'a mpsc::Sender<Event>,
    all: Vec<Noted<'a>>,
}

struct Noted<'a> {
    step: StepId,
    /// Its place in the joint work.
    place: usize,
    begun: Begun,
    /// None: it has ended.
    open: Mutex<Option<Open<'a>>>,
}

impl Walk<'_> {
    /// Carries out the steps at these places of the plan, which are parts of one joint work.
    pub(super) fn joint(&self, places: &[usize], events: &mpsc::Sender<Event>) {
        let part = |at: &usize| match &self.plan.steps[*at].action {
            Action::Part(part) => Some((StepId(*at), part)),
            _ => None,
        };
        let found: Vec<(StepId, &Part)> = places.iter().filter_map(part).collect();
        let Some((_, first)) = found.first() else {
            return;
        };
        let parts = Parts {
            walk: self,
            events,
            all: found
                .iter()
                .map(|(id, part)| self.noted(*id, part.place, events))
                .collect(),
        };
        let wanted = parts.all.iter().filter(|noted| noted.is_open());
        let wanted: Vec<usize> = wanted.map(|noted| noted.place).collect();
        let ended = if wanted.is_empty() {
            Ok(())
        } else {
            first.joint.perform(&wanted, self.exec, &parts)
        };
        let untold = || Failure::failed("what has become of it was not told");
        let open: Vec<&Noted<'_>> = parts.all.iter().filter(|noted| noted.is_open()).collect();
        let open = match (&ended, &open[..], &parts.all[..]) {
            // The work has failed when all had ended well: it is the failure of one of them at least.
            (Err(_), [], [first, ..]) => vec![first],
            _ => open,
        };
        let mut failure = ended.err().unwrap_or_else(untold);
        let mut said = false;
        for noted in open {
            parts.ended(noted.place, Err(failure.clone()));
            if std::mem::replace(&mut said, true) {
                continue;
            }
            // It is said once.
            let first = &self.plan.steps[noted.step.0].name;
            failure = failure
                .of_the_same_kind(format!("one call does it with `{first}`, and has failed"));
        }
    }

    /// Begins a part. One whose log cannot be written has failed.
    fn noted<'a>(
        &'a self,
        step: StepId,
        place: usize,
        events: &'a mpsc::Sender<Event>,
    ) -> Noted<'a> {
        let voice = Voice::of(self.plan, step, events);
        let begun = Begun::now();
        voice.started();
        let planned = &self.plan.steps[step.0];
        let path = self.options.logs.join(log_name(&planned.name));
        let open = match file::open_log(&path, false) {
            Ok(mut log) => {
                // A log that cannot be written (a full disk) must not end the work that it reports.
                let _full = writeln!(log, "$ {}", planned.action);
                Some(Open { voice, log })
            }
            Err(error) => {
                let why = format!("cannot write `{}`: {error}", path.display());
                self.end(voice, begun, Err(Failure::failed(why).into()));
                None
            }
        };
        Noted {
            step,
            place,
            begun,
            open: Mutex::new(open),
        }
    }
}

impl Noted<'_> {
    fn is_open(&self) -> bool {
        self.open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }
}

impl<'a> Parts<'a> {
    fn at(&self, place: usize) -> Option<&Noted<'a>> {
        self.all.iter().find(|noted| noted.place == place)
    }
}

impl Board for Parts<'_> {
    fn line(&self, part: usize, line: &str) {
        let Some(noted) = self.at(part) else {
            return;
        };
        let mut open = noted.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(open) = open.as_mut() {
            let _full = writeln!(open.log, "{line}");
            open.voice.output(line);
        }
    }

    fn ended(&self, part: usize, ended: Result<Performed, Failure>) {
        let Some(noted) = self.at(part) else {
            return;
        };
        let open = noted
            .open
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let voice = match (open, &ended) {
            (Some(Open { voice, .. }), _) => voice,
            // It has ended well before.
            (None, Err(_)) => Voice::of(self.walk.plan, noted.step, self.events),
            (None, Ok(_)) => return,
        };
        let log = log_name(&self.walk.plan.steps[noted.step.0].name);
        let ended = ended.map(Outcome::from).map_err(|mut failure| {
            if let Some(command) = &mut failure.command {
                command.log = Some(self.walk.options.logs.join(log));
            }
            failure.into()
        });
        self.walk.end(voice, noted.begun, ended);
    }
}
