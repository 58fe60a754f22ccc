// SPDX-License-Identifier: Apache-2.0
//! `config`: every setting with its origin.

use serde_json::json;

use crate::{cli::Config, context::Context, ui::Table};

pub(super) fn run(args: &Config, context: &mut Context) {
    let shown = context.config.shown();
    let table = Table {
        headings: vec!["SETTING", "VALUE", "FROM", "WHAT FOR"],
        rows: shown
            .iter()
            .map(|setting| {
                let value = if setting.value.is_empty() {
                    "(empty)".to_owned()
                } else {
                    setting.value.clone()
                };
                vec![
                    setting.key.to_owned(),
                    value,
                    setting.origin.clone(),
                    setting.about.to_owned(),
                ]
            })
            .collect(),
    };
    context.ui.result(args.json, &json!(shown), &table);
}
