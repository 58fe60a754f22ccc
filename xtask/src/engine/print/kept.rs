// SPDX-License-Identifier: Apache-2.0
//! The files that keep what bake has answered.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Question;
use crate::{
    own::{file, output, source},
    plan::Location,
    target::Inputs,
};

/// What is kept of an answer.
#[derive(Deserialize, Serialize)]
pub(super) struct Kept {
    pub inputs: Inputs,
    /// The variables that its files declare, so that these need not be read as HCL again.
    pub declared: Vec<String>,
    /// What was printed, the moment of it marked.
    pub printed: String,
}

/// What was kept the last time at `place`, which is told from the root; what cannot be read is none.
pub(super) fn read(root: &Path, place: &Path) -> Option<Kept> {
    let text = source::read_own(root, place).ok().flatten()?;
    serde_json::from_str(&text).ok()
}

/// Keeps the answer to a question.
pub(super) fn keep(question: &Question, printed: String) -> anyhow::Result<()> {
    let kept = Kept {
        inputs: question.inputs.clone(),
        declared: question.expressions.declared.clone(),
        printed,
    };
    output::ignore()?;
    let place = Location::output(&question.place);
    file::write_atomically(&place, &serde_json::to_string(&kept)?)
}
