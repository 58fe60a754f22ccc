// SPDX-License-Identifier: Apache-2.0
//! What a run wants of targets otherwise than bake has printed them: what settings say, and what a builder needs.

use serde_json::{Map, Value, json};

use super::{base::Base, output::Outputs};
use crate::{
    config::{self, Config},
    target::Target,
    tool::buildx,
};

/// What a run wants otherwise than bake has printed it.
#[derive(Clone, Debug)]
pub(crate) struct Changes {
    pub(super) outputs: Outputs,
    /// The base images that all targets are given.
    pub(super) bases: Vec<Base>,
    /// The secrets that steps of builds may read besides, as buildx takes them.
    secrets: Vec<String>,
}

impl Changes {
    /// None but those that the settings say.
    pub(crate) fn of(config: &Config) -> Self {
        Self {
            outputs: Outputs {
                artifact: config.get(config::OCI_ARTIFACT),
                loaded: false,
            },
            bases: Vec::new(),
            secrets: buildx::secrets(config),
        }
    }

    /// Makes them in the definitions of these targets and of what they are built from; whether there were any.
    pub(super) fn make(&self, targets: &[&Target], all: &mut Map<String, Value>) -> bool {
        for definition in all.values_mut() {
            for base in &self.bases {
                base.give(definition);
            }
        }
        let definitions = all.values_mut().filter_map(Value::as_object_mut);
        for definition in definitions.filter(|_| !self.secrets.is_empty()) {
            let known = definition.entry("secret").or_insert_with(|| json!([]));
            if let Some(known) = known.as_array_mut() {
                known.extend(self.secrets.iter().map(|one| json!(one)));
            }
        }
        let mut is_changed = !self.bases.is_empty() || !self.secrets.is_empty();
        for target in targets {
            if let Some(definition) = all.get_mut(&target.name) {
                is_changed |= self.outputs.set(definition);
            }
        }
        is_changed
    }
}
