// SPDX-License-Identifier: Apache-2.0
//! The kill lane: real commands that are interrupted, ended, killed or lose their terminal at a seeded
//! moment, or that two checkouts run at once. Then the same command must end well, without any help, and
//! the world must be what it is when nobody disturbs.
//!
//! `cargo xtask ci --lane kill [--rounds N] [--seed S]` runs it; `--round K` repeats one of its rounds.

#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a test that cannot go on panics, its tools are not the program's, and its report is printed"
)]

#[path = "e2e/lab.rs"]
#[expect(dead_code, reason = "the e2e lane uses all of it")]
mod lab;
#[expect(dead_code, reason = "each lane uses its part")]
mod support;

mod kill {
    mod blow;
    mod checkout;
    mod files;
    mod processes;
    pub(crate) mod report;
    mod round;
    pub(crate) mod series;
    mod task;
    mod world;
}

use std::process::ExitCode;

use clap::Parser;

#[derive(Parser)]
struct Args {
    /// How many rounds.
    #[arg(long, default_value_t = 10)]
    rounds: u64,
    /// What all that is drawn follows from [default: drawn].
    #[arg(long)]
    seed: Option<u64>,
    /// Only this round of the series.
    #[arg(long)]
    round: Option<u64>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    // A number that a person can copy.
    let seed = args.seed.unwrap_or_else(|| fastrand::u64(1..1_000_000));
    let numbers = match args.round {
        Some(round) => round..=round,
        None => 1..=args.rounds,
    };
    let report = kill::series::run(seed, numbers);
    println!("{report}");
    if report.is_clean() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
