// SPDX-License-Identifier: Apache-2.0
//! The steps that run, for those who wait: a line of each at a terminal, and a line of each now and then where there is none.

use std::time::{Duration, Instant};

use super::{BAD, DIM, GOOD, line::Line, seconds, terminal::Size};
use crate::{
    plan::StepId,
    printable::{clipped, columns},
    tool::reading,
};

/// After how long without news of a step somebody wants to know that it still runs.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Lines of a step that a folded group shows at most; the log has all.
const GROUP: usize = 2_000;

/// Columns that are worth having: fewer say nothing.
pub(super) const FEW: usize = 10;

/// Between parts of a line.
const GAP: &str = "  ";

/// A plan on its way.
#[derive(Debug, Default)]
pub(super) struct Running {
    /// In the order in which they have begun.
    steps: Vec<Step>,
    /// How many steps the plan has, and how many have ended, well or not. Small ones do not count.
    all: usize,
    ended: usize,
    failed: usize,
    /// When the plan has begun.
    since: Option<Instant>,
}

/// A step that runs.
#[derive(Debug)]
struct Step {
    id: StepId,
    name: String,
    started: Instant,
    /// When it was last spoken of.
    told: Instant,
    /// What it has said last, in words, and when.
    saying: Option<(String, Instant)>,
    /// All that it has said, to be shown folded when it ends.
    said: Vec<String>,
}

impl Running {
    /// A plan of so many steps begins.
    pub(super) fn begin(&mut self, all: usize, now: Instant) {
        *self = Self {
            all,
            since: Some(now),
            ..Self::default()
        };
    }

    pub(super) fn start(&mut self, id: StepId, name: &str, now: Instant) {
        self.steps.push(Step {
            id,
            name: name.to_owned(),
            started: now,
            told: now,
            saying: None,
            said: Vec::new(),
        });
    }

    /// A step says a line of a tool. `kept`: all of them are wanted in the end.
    pub(super) fn say(&mut self, id: StepId, line: &str, kept: bool, now: Instant) {
        let Some(step) = self.steps.iter_mut().find(|step| step.id == id) else {
            return;
        };
        if kept && step.said.len() < GROUP {
            step.said.push(line.to_owned());
        }
        if let Some(words) = reading::of(line) {
            step.saying = Some((words, now));
        }
    }

    /// A step has ended. Gives what it has said.
    pub(super) fn end(&mut self, id: StepId, counts: bool, has_failed: bool) -> Vec<String> {
        self.ended += usize::from(counts);
        self.failed += usize::from(has_failed);
        let at = self.steps.iter().position(|step| step.id == id);
        at.map(|at| self.steps.remove(at).said).unwrap_or_default()
    }

    /// A line of each step that runs, and one of all, no wider and higher than a part of the terminal.
    pub(super) fn lines(&self, size: Size, now: Instant) -> Vec<Line> {
        if self.steps.is_empty() {
            return Vec::new();
        }
        // In the last column some terminals begin a new row.
        let width = size.columns.saturating_sub(1).max(1);
        let room = (size.rows / 2).max(1) - 1;
        // One that is left over takes as much room as the line that says so.
        let shown = match self.steps.len() {
            all if all <= room => all,
            _ => room.saturating_sub(1),
        };
        let name = self.steps.iter().map(|step| columns(&step.name)).max();
        let name = name.unwrap_or_default().min((width * 2 / 5).max(FEW));
        let mut lines: Vec<Line> = self.steps[..shown]
            .iter()
            .map(|step| step.line(width, name, now))
            .collect();
        let left = self.steps.len() - shown;
        if left > 0 && room > 0 {
            lines.push(Line::styled(
                DIM,
                &clipped(&format!("… {left} more"), width),
            ));
        }
        lines.push(self.summary(width, now));
        lines
    }

    /// How far all of it is.
    fn summary(&self, width: usize, now: Instant) -> Line {
        let running = self.steps.len();
        let mut parts = vec![
            (
                GOOD,
                format!("{} of {} done", self.ended - self.failed, self.all),
            ),
            (DIM, format!("{running} running")),
        ];
        if self.failed > 0 {
            parts.insert(1, (BAD, format!("{} failed", self.failed)));
        }
        if let Some(since) = self.since {
            parts.push((DIM, whole(now.saturating_duration_since(since))));
        }
        let (mut line, mut taken) = (Line::default(), 0);
        for (at, (style, text)) in parts.iter().enumerate() {
            let before = if at == 0 { "" } else { ", " };
            taken += before.len() + columns(text);
            if taken > width {
                break;
            }
            line = line.in_style(DIM, before).in_style(*style, text);
        }
        line
    }

    /// Where nothing is drawn: a line of each step that nobody has heard of for a while.
    pub(super) fn heartbeat(&mut self, now: Instant) -> Vec<Line> {
        let (ended, all) = (self.ended, self.all);
        let mut lines = Vec::new();
        for step in &mut self.steps {
            if now.saturating_duration_since(step.told) < HEARTBEAT {
                continue;
            }
            step.told = now;
            let time = seconds(now.saturating_duration_since(step.started));
            let mut text = format!("… {} {time}", step.name);
            if let Some((words, at)) = &step.saying {
                text += &format!(": {words}");
                let age = now.saturating_duration_since(*at);
                if age >= HEARTBEAT {
                    text += &format!(" (for {})", whole(age));
                }
            }
            if all > 1 {
                text += &format!(" [{ended} of {all} steps done]");
            }
            lines.push(Line::styled(DIM, &text));
        }
        lines
    }
}

impl Step {
    /// Its name in so many columns, its time, and what it says last in what is left.
    fn line(&self, width: usize, name: usize, now: Instant) -> Line {
        let time = whole(now.saturating_duration_since(self.started));
        let shown = clipped(&self.name, name);
        let blanks = " ".repeat(name.saturating_sub(columns(&shown)));
        let before = format!("… {shown}{blanks}{GAP}{time:>5}");
        let line = Line::plain(&clipped(&before, width));
        let room = width.saturating_sub(columns(&before) + GAP.len());
        match &self.saying {
            Some((words, _)) if room >= FEW => line.and(GAP).in_style(DIM, &clipped(words, room)),
            _ => line,
        }
    }
}

/// `7s`, `2m03s`: nobody reads tenths that change.
fn whole(elapsed: Duration) -> String {
    match elapsed.as_secs() {
        few @ ..100 => format!("{few}s"),
        _ => seconds(elapsed),
    }
}

#[cfg(test)]
mod tests;
