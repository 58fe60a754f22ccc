// SPDX-License-Identifier: Apache-2.0
//! One action with all that the runner must know of it.

use std::{sync::Arc, time::Duration};

use super::{Action, Arg, Cmd, Evidence, Memory, Probe, Retry, Undo, Watch, Work};

/// What a step's own program puts before a line for the user.
pub(crate) const WARNING: &str = "warning: ";

/// What it puts before what was to be found out.
pub(crate) const FOUND: &str = "found: ";

/// The place of a step in its plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct StepId(pub usize);

/// A second run of a step, for a failure that may be none the next time.
#[derive(Clone, Debug)]
pub(crate) struct Again {
    /// Knows which failures these are.
    pub retry: Arc<dyn Retry>,
    /// What must answer again before, for people.
    pub needs: &'static str,
    /// Holds when it does.
    pub ready: Probe,
    /// How long that may take.
    pub patience: Duration,
    /// For people: where the second run is.
    pub place: &'static str,
    pub prepare: Cmd,
    /// The same in another place; its undo removes that place, however it ends.
    pub step: Step,
}

/// One action with its name, its order, and how it is taken back.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Short, unique in the plan, also the log's file name: `bake pgvector`.
    pub name: String,
    pub action: Action,
    /// Steps that must have succeeded before.
    pub after: Vec<StepId>,
    /// Steps that must have ended before, well or not.
    pub after_end_of: Vec<StepId>,
    /// Of the steps with the same name here, only as many run at once as the plan allows.
    pub pool: Option<&'static str>,
    /// What to ask when the step fails.
    pub evidence: Option<Evidence>,
    /// Asked while the step runs: when it cannot succeed any more, it is ended.
    pub watch: Option<Arc<dyn Watch>>,
    /// What to do once where that may help.
    pub again: Option<Box<Again>>,
    /// The last line that the step prints says what it did.
    pub reports_last_line: bool,
    /// Lines that it prints with [`WARNING`] before them are shown as warnings, and what stands behind [`FOUND`] is kept.
    pub speaks: bool,
    /// The step is not needed when this holds; the text says why, for people.
    pub skip_if: Option<(Probe, String)>,
    /// Knows whether it has ended well before with all that it depends on as it is now: then it is not run.
    pub memory: Option<Arc<dyn Memory>>,
    /// Take back what the step made, in this order, when the step or one that builds on it does not succeed.
    pub undo: Vec<Undo>,
    /// Once made it stays, whatever becomes of the steps that build on it.
    pub kept: bool,
    pub timeout: Option<Duration>,
    /// A small step that is shown only when it fails or when asked for.
    pub quiet: bool,
    /// What kind of proof it is when it ends well, for those who count proofs; None: it is none.
    pub proof: Option<&'static str>,
}

impl Step {
    pub(crate) fn new(name: impl Into<String>, action: Action) -> Self {
        Self {
            name: name.into(),
            action,
            after: Vec::new(),
            after_end_of: Vec::new(),
            pool: None,
            evidence: None,
            watch: None,
            again: None,
            reports_last_line: false,
            speaks: false,
            skip_if: None,
            memory: None,
            undo: Vec::new(),
            kept: false,
            timeout: None,
            quiet: false,
            proof: None,
        }
    }

    pub(crate) fn run(name: impl Into<String>, cmd: impl Into<Cmd<Arg>>) -> Self {
        Self::new(name, Action::Run(cmd.into()))
    }

    pub(crate) fn work(name: impl Into<String>, work: impl Work + 'static) -> Self {
        Self::new(name, Action::Work(Arc::new(work)))
    }

    #[must_use]
    pub(crate) fn after(mut self, steps: impl IntoIterator<Item = StepId>) -> Self {
        self.after.extend(steps);
        self
    }

    #[must_use]
    pub(crate) fn after_end_of(mut self, steps: impl IntoIterator<Item = StepId>) -> Self {
        self.after_end_of.extend(steps);
        self
    }

    #[must_use]
    pub(crate) fn pool(mut self, name: &'static str) -> Self {
        self.pool = Some(name);
        self
    }

    #[must_use]
    pub(crate) fn evidence(mut self, evidence: Evidence) -> Self {
        self.evidence = Some(evidence);
        self
    }

    #[must_use]
    pub(crate) fn watch(mut self, watch: impl Watch + 'static) -> Self {
        self.watch = Some(Arc::new(watch));
        self
    }

    #[must_use]
    pub(crate) fn again(mut self, again: Again) -> Self {
        self.again = Some(Box::new(again));
        self
    }

    #[must_use]
    pub(crate) fn speaks(mut self) -> Self {
        self.speaks = true;
        self
    }

    #[must_use]
    pub(crate) fn reports_last_line(mut self) -> Self {
        self.reports_last_line = true;
        self
    }

    #[must_use]
    pub(crate) fn skip_if(mut self, probe: Probe, why: impl Into<String>) -> Self {
        self.skip_if = Some((probe, why.into()));
        self
    }

    #[must_use]
    pub(crate) fn remembered_by(mut self, memory: impl Memory + 'static) -> Self {
        self.memory = Some(Arc::new(memory));
        self
    }

    #[must_use]
    pub(crate) fn undo(mut self, undo: impl Into<Undo>) -> Self {
        self.undo.push(undo.into());
        self
    }

    #[must_use]
    pub(crate) fn kept(mut self) -> Self {
        self.kept = true;
        self
    }

    #[must_use]
    pub(crate) fn timeout(mut self, limit: Duration) -> Self {
        self.timeout = Some(limit);
        self
    }

    #[must_use]
    pub(crate) fn proof(mut self, kind: &'static str) -> Self {
        self.proof = Some(kind);
        self
    }

    #[must_use]
    pub(crate) fn quiet(mut self) -> Self {
        self.quiet = true;
        self
    }
}
