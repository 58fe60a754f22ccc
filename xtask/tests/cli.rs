// SPDX-License-Identifier: Apache-2.0
//! The cli lane: the real binary against fake tools. PATH holds the fakes and nothing else.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics, and its tools are not the program's"
)]

mod ended;

mod cli {
    pub(crate) mod fixture;
    mod tools;

    mod bake;
    mod checks;
    mod disk;
    mod engine;
    mod events;
    mod failures;
    mod fields;
    mod interruption;
    mod mistakes;
    mod neighbours;
    mod pasted;
    mod refusal;
    mod repositories;
    mod selection;
    mod servers;
    mod signals;
    mod smoke;
    mod targets;
}
