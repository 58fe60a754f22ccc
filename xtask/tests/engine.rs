// SPDX-License-Identifier: Apache-2.0
//! The engine lane: real builds and real servers, on the Docker that is there, or else in the sandbox.
//!
//! `cargo xtask ci --lane engine` runs it, one test after the other: they look at all that one engine
//! holds. `cargo test` leaves it out, because it takes minutes and needs root or Docker.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics, and its tools are not the program's"
)]

#[expect(dead_code, reason = "each lane uses its part")]
mod support;

mod engine {
    mod archive;
    mod bake;
    mod builders;
    mod creation;
    mod faults;
    mod inspect;
    mod installcheck;
    mod libraries;
    mod locks;
    mod majors;
    mod operands;
    mod packages;
    mod proxy;
    mod published;
    mod release;
    mod repositories;
    mod sandbox;
    mod shards;
    mod smoke;
    mod together;
    mod upgrade;
    mod versions;
}
