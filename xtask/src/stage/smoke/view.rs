// SPDX-License-Identifier: Apache-2.0
//! What a server has because of an image: the extension is created as a smoke test creates it, and the server is asked.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};

use super::{Runner, SmokeTest, container};
use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    image::{Image, ImageRef},
    plan::{Arg, Cmd, Console, Performed, Plan, Step, Work},
};

const QUESTION: &str = include_str!("view.sql");

/// What the server says.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
pub(crate) struct View {
    /// Names of settings with a `.` in them, which modules define.
    pub settings: BTreeSet<String>,
    /// Objects of extensions: `function public.f(integer)`.
    pub objects: BTreeSet<String>,
}

/// Where a step leaves it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Viewed(Arc<OnceLock<View>>);

impl Viewed {
    /// None: the server has not said it.
    pub(crate) fn get(&self) -> Option<&View> {
        self.0.get()
    }
}

impl SmokeTest {
    /// Looks at an image in place of the target's, with another version of the extension maybe, and asks in place of a proof.
    pub(crate) fn view(mut self, image: &ImageRef, sql_version: Option<&str>, title: &str) -> Self {
        let source = &mut self.mounts.own_mut().source;
        source.image = Image::Given(image.clone());
        source.sql_version = sql_version.map(str::to_owned);
        title.clone_into(&mut self.name);
        self.proof = Some(QUESTION.to_owned());
        self
    }
}

impl Runner {
    /// Adds the step that asks.
    pub(crate) fn add_view(&self, plan: &mut Plan, test: &SmokeTest) -> Viewed {
        let viewed = Viewed::default();
        let (cmd, removal) = container::server(test, self);
        let ask = Ask {
            cmd,
            viewed: viewed.clone(),
        };
        let step = Step::work(format!("server with {}", test.name), ask);
        let after = test.after.iter().copied();
        plan.add(step.after(after).undo(removal).timeout(self.limit));
        viewed
    }
}

/// Asks a server, and takes the JSON that it says last.
#[derive(Debug)]
struct Ask {
    cmd: Cmd<Arg>,
    viewed: Viewed,
}

impl fmt::Display for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.cmd)
    }
}

impl Work for Ask {
    fn programs(&self) -> &'static [&'static str] {
        &["docker"]
    }

    fn perform(&self, exec: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let mut last = String::new();
        exec.run(&self.cmd.known()?, Supervision::default(), &mut |line| {
            if line.starts_with('{') {
                line.clone_into(&mut last);
            }
        })?;
        let view = serde_json::from_str(&last).map_err(|error| {
            Failure::failed(format!("the server has not said what it has: {error}"))
        })?;
        self.viewed.0.get_or_init(|| view);
        Ok(Performed::Done(None))
    }
}
