// SPDX-License-Identifier: Apache-2.0
//! `config`: every setting with its origin, and what is wrong with what is said of extensions of other repositories.

use crate::{cli::Config, config::Shown, context::Context, extension::Extension, ui::Row};

pub(super) fn run(args: &Config, context: &mut Context) -> anyhow::Result<()> {
    let shown = context.config.shown();
    context.rows(args.json, &shown)?;
    for (name, said) in context.config.external() {
        if let Err(finding) = Extension::external(name, said, &context.root, &context.config) {
            context.ui.finding(&finding, args.json);
        }
    }
    Ok(())
}

impl Row for Shown {
    const HEADINGS: &'static [&'static str] = &["SETTING", "VALUE", "FROM", "WHAT FOR"];

    fn cells(&self) -> Vec<String> {
        let value = if self.value.is_empty() {
            "(empty)"
        } else {
            &self.value
        };
        let cells = [&*self.key, value, &self.origin, self.about];
        cells.map(str::to_owned).to_vec()
    }
}
