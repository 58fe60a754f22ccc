// SPDX-License-Identifier: Apache-2.0
//! The e2e lane: a real kind cluster with the real operator and Chainsaw. Where no registry can be
//! reached, `test/lab` makes the images first.
//!
//! `cargo xtask ci --lane e2e` runs it, one test after the other. Each test makes sure of the environment
//! that it needs, so that any of them can be run alone; the last one, by its name, takes it away.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics, and its tools are not the program's"
)]

#[expect(dead_code, reason = "each lane uses its part")]
mod support;

mod e2e {
    pub(crate) mod lab;

    mod builders;
    mod clients;
    mod cluster;
    mod images;
    mod life;
    mod login;
    mod proxy;
    mod removal;
}
