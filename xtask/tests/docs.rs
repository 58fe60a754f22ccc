// SPDX-License-Identifier: Apache-2.0
//! The documentation says what the program does: its commands parse and plan, its lists are complete.
//! And what ARCHITECTURE.md claims of the sources holds, as far as a search through text can tell.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "what panics here fails its test, and its files are the project's own"
)]

mod docs {
    mod repository;

    mod commands;
    mod dependencies;
    mod documents;
    mod floors;
    mod gitlab;
    mod guide;
    mod migration;
    mod renovate;
    mod sources;
    mod workflows;
}
