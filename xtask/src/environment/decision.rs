// SPDX-License-Identifier: Apache-2.0
//! What is to be done about the cluster that is there, by what a survey says of it.

use super::{
    Environment, Place,
    api::Api,
    survey::{Presence, Survey},
};
use crate::tool::kind::nodes;

/// What is to be done about the cluster that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Keep,
    /// Its nodes have stopped.
    Start,
    /// What is wrong with it, which may pass: it is given time.
    Wait(String),
    /// Why it is made anew.
    Replace(String),
    Make,
}

const HALF_MADE: &str = "it is half made";

impl Environment {
    /// What the cluster says, when it is one that stays.
    pub(crate) fn kept<'a>(&self, survey: &'a Survey) -> Option<&'a Api> {
        let stays = match self.place {
            Place::Kind { .. } => matches!(self.decide(survey), Decision::Keep),
            Place::Existing(_) => true,
        };
        survey.api.as_ref().filter(|_| stays)
    }

    /// What a survey says is to be done; an existing cluster is kept.
    pub(super) fn decide(&self, survey: &Survey) -> Decision {
        let Place::Kind {
            kubernetes,
            nodes: count,
            ..
        } = &self.place
        else {
            return Decision::Keep;
        };
        let name = self.cluster().unwrap_or_default();
        let Some(found) = survey.cluster(&name) else {
            return Decision::Make;
        };
        let expected = nodes(&name, *count);
        let same = found.nodes.len() == expected.len()
            && found.nodes.iter().all(|node| expected.contains(&node.name));
        if !same {
            return Decision::Replace(format!(
                "it has {} of {} nodes",
                found.nodes.len(),
                expected.len()
            ));
        }
        if survey.network == Presence::Absent {
            return Decision::Replace("its network is gone".into());
        }
        if found.nodes.iter().any(|node| !node.running) {
            // One that was never started has been left half-made.
            return match found.nodes.iter().find(|node| node.state == "created") {
                Some(node) => Decision::Replace(format!("`{}` was never started", node.name)),
                None => Decision::Start,
            };
        }
        if survey.unfinished {
            return Decision::Replace(HALF_MADE.into());
        }
        let Some(api) = &survey.api else {
            return Decision::Wait("it does not answer".into());
        };
        if let Some(node) = api.nodes.iter().find(|node| node.kubelet != *kubernetes) {
            return Decision::Replace(format!("`{}` runs Kubernetes {}", node.name, node.kubelet));
        }
        if api.nodes.len() != expected.len() || !api.storage_class {
            return Decision::Replace(HALF_MADE.into());
        }
        match api.nodes.iter().find(|node| !node.ready) {
            Some(node) => Decision::Wait(format!("`{}` is not ready", node.name)),
            None => Decision::Keep,
        }
    }
}
