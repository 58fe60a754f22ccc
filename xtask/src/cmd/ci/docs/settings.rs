// SPDX-License-Identifier: Apache-2.0
//! The reference of settings, made of their table.

use super::{MADE, cell, code};
use crate::config::Config;

pub(super) fn document() -> String {
    let mut text = format!(
        "{MADE}\n# Settings\n\n\
         Settings come from their defaults, then from your own file, then from `xtask.toml` at the repository's root, then from the \
         environment, then from options; the later one wins. The part before the dot is a table in these files: `bake.jobs` is `jobs` below \
         `[bake]`. Lists are arrays there and maps are tables; in the environment both are separated by commas. \
         [docs/configuration.md](../configuration.md) says more, and `cargo xtask config` shows each value with where it comes from.\n\n\
         | setting | environment | default | meaning |\n|---|---|---|---|\n"
    );
    for setting in Config::defaults().shown() {
        let default = match setting.value.as_str() {
            "" => "empty".to_owned(),
            value => code(value),
        };
        text += &format!(
            "| {} | {} | {} | {} |\n",
            code(&setting.key),
            code(setting.env),
            cell(&default),
            cell(setting.about)
        );
    }
    text
}
