// SPDX-License-Identifier: Apache-2.0
//! What bake makes of metadata that holds expressions: a target of ours, which bake reads last, has all of it in an
//! argument of its own.

use serde_json::Value;

use super::{
    asking::{AT_ONCE, Asking, Known, NO_BUILDX, Unanswered},
    call,
    question::{Question, Watch},
};
use crate::{
    engine::{Engine, Opener},
    exec::Exec,
    extension::Open,
    failure::Failure,
    target::{Definitions, timeless},
    tool::buildx::Bake,
    workspace::{OPEN, Workspace},
};

/// The target, and what bake reads of it.
const TARGET: &str = "xtask-metadata";
const DEFINITION: &str =
    "target \"xtask-metadata\" {\n  args = { metadata = jsonencode(metadata) }\n}\n";

/// The workspace with the metadata read that bake must evaluate. What bake refuses, and all of it where bake cannot be
/// asked, stays as it is, with the reason.
pub(crate) fn evaluated(
    opener: &dyn Opener,
    engine: &Engine,
    workspace: Workspace,
) -> Result<Workspace, Failure> {
    if !workspace.is_open() {
        return Ok(workspace);
    }
    let asking = Asking::of(opener, engine, &workspace);
    let values = AT_ONCE.each(workspace.open(), |(open, _)| asking.metadata(open));
    if engine.exec.interrupted() {
        return Err(Failure::interrupted());
    }
    asking.warn(opener);
    Ok(workspace.evaluated(values))
}

impl Asking<'_> {
    fn metadata(&self, open: &Open) -> Result<Value, Failure> {
        let name = open.name();
        let place = format!("{name}.metadata.sealed");
        let definitions = match self.look_up(&open.metadata_file, &place)? {
            Known::Kept(definitions) => definitions,
            Known::Open(question) => self.print_metadata(open, &question)?,
        };
        values(&definitions).ok_or_else(|| {
            Failure::failed(format!(
                "`buildx bake --print` prints no metadata of `{name}`"
            ))
        })
    }

    fn print_metadata(&self, open: &Open, question: &Question) -> Result<Definitions, Failure> {
        let unasked = |why: &str| Failure::unavailable(format!("{OPEN}, and {why}"));
        if let Some(why) = self.obstacle {
            return Err(unasked(why));
        }
        let ask = Bake {
            purpose: format!("ask bake what the metadata of `{}` says", open.name()),
            files: vec![
                self.workspace.bake_file.clone(),
                open.metadata_file.clone(),
                "-".into(),
            ],
            targets: vec![TARGET.to_owned()],
            ..call(self.config)
        };
        let watch = Watch::start();
        let said = self.read(&ask.cmd().stdin(DEFINITION));
        let text = said.map_err(|failed| match Unanswered::from(failed) {
            Unanswered::Refused(failure) => failure,
            Unanswered::NoBuildx => unasked(NO_BUILDX),
        })?;
        let definitions = Definitions::parse(&text)?;
        let timeless = question
            .moments(watch)
            .and_then(|moments| timeless(&text, &moments).filter(|_| !moments.are_in(&text)));
        // Metadata that holds the moment is another the next time.
        if let Some(timeless) = timeless {
            self.keep(question, &timeless);
        }
        Ok(definitions)
    }
}

/// What a print of our target says. None: it is not one.
fn values(definitions: &Definitions) -> Option<Value> {
    let text = definitions.argument_of(TARGET, "metadata")?;
    // What is printed is a bake file itself, in which these begin a template.
    let text = text.replace("$${", "${").replace("%%{", "%{");
    serde_json::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_bake_prints_is_a_template_whose_value_is_the_metadata() {
        let printed = r#"{"target": {"xtask-metadata": {"context": ".", "args": {"metadata":
            "{\"env\":{\"A\":\"$${image_root}/%%{x}\"},\"licenses\":[\"A\\u003cB\"]}"}}}}"#;
        let expected = serde_json::json!({"env": {"A": "${image_root}/%{x}"}, "licenses": ["A<B"]});
        let values = |text: &str| values(&Definitions::parse(text).unwrap());
        assert_eq!(values(printed), Some(expected));
        assert_eq!(values(r#"{"target": {}}"#), None);
    }
}
