// SPDX-License-Identifier: Apache-2.0
//! The cli lane: the real binary against fake tools. PATH holds the fakes and nothing else.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test that cannot go on panics, and its tools are not the program's"
)]

#[expect(dead_code, reason = "each lane uses its part")]
mod support;

mod cli {
    pub(crate) mod world;

    mod agreement;
    mod answers;
    mod bake;
    mod bench;
    mod builders;
    mod bundle;
    mod catalogs;
    mod changes;
    mod checks;
    mod compiling;
    mod completions;
    mod creation;
    mod disk;
    mod documents;
    mod e2e {
        mod alike;
        mod annotations;
        mod attempts;
        mod builds;
        mod causes;
        mod cleanup;
        mod clients;
        mod convergence;
        mod existing;
        mod foreign;
        mod full;
        mod guide;
        mod kubeconfig;
        mod leftovers;
        mod mirrors;
        mod names;
        mod nodes;
        mod operator;
        mod parts;
        mod pasted;
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
        mod theirs;
        mod upgrade;
        mod values;
    }
    mod engine;
    mod events;
    mod expressions;
    mod external;
    mod failures;
    mod fields;
    mod init;
    mod inspect;
    mod installcheck;
    mod interruption;
    mod joint;
    mod libraries;
    mod licences;
    mod locks;
    mod manifest;
    mod mistakes;
    mod neighbours;
    mod newcomer;
    mod operator;
    pub(crate) mod ours;
    mod ownership;
    mod pasted;
    mod platforms;
    mod promotion;
    mod readme;
    mod record;
    mod refusal;
    mod reports;
    mod repositories;
    mod sandbox;
    mod scan;
    mod selection;
    mod servers;
    mod shards;
    mod signals;
    mod signatures;
    mod smoke;
    mod special;
    mod status;
    mod targets;
    mod taskfile;
    mod terminal;
    mod text;
    mod tolerance;
    mod unchanged;
    mod upgrade;
    mod values;
    mod versions;
}
