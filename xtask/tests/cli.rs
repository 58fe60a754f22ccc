// SPDX-License-Identifier: Apache-2.0
//! The cli lane: the real binary against fake tools. PATH holds the fakes and nothing else.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics, and its tools are not the program's"
)]

mod ended;
mod hangup;
mod locks;

mod cli {
    pub(crate) mod fixture;
    mod tools;

    mod agreement;
    mod bake;
    mod checks;
    mod disk;
    mod e2e {
        pub(crate) mod call;
        pub(crate) mod engine;
        pub(crate) mod image;
        pub(crate) mod lab;
        pub(crate) mod registry;

        mod annotations;
        mod builds;
        mod cleanup;
        mod convergence;
        mod existing;
        mod full;
        mod guide;
        mod kubeconfig;
        mod leftovers;
        mod nodes;
        mod operator;
        mod programs;
        mod psql;
        mod refusal;
        mod releases;
        mod replacement;
        mod results;
        mod secrets;
        mod setup;
        mod sources;
        mod status;
        mod suites;
        mod upgrade;
        mod values;
    }
    mod engine;
    mod events;
    mod failures;
    mod fields;
    mod interruption;
    mod mistakes;
    mod neighbours;
    pub(crate) mod ours;
    mod pasted;
    mod record;
    mod refusal;
    mod repositories;
    mod sandbox;
    mod selection;
    mod servers;
    mod signals;
    mod smoke;
    mod special;
    mod targets;
    mod text;
    mod turns;
    mod values;
}
