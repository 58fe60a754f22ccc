// SPDX-License-Identifier: Apache-2.0
//! Filters and shares, over random metadata.

use std::collections::BTreeSet;

use proptest::{collection::btree_set, prelude::*, sample::select};

use super::*;
use crate::fuzzing::tests::{extension, runner};

const DISTROS: [&str; 3] = ["bookworm", "forky", "trixie"];
const MAJORS: [&str; 3] = ["16", "17", "18"];

type Pairs = BTreeSet<(&'static str, &'static str)>;

fn pairs() -> impl Strategy<Value = Pairs> {
    btree_set((select(&DISTROS[..]), select(&MAJORS[..])), 1..9)
}

fn extensions(of: &[Pairs]) -> Vec<Extension> {
    let one = |(at, pairs): (usize, &Pairs)| {
        let pairs: Vec<(&str, &str)> = pairs.iter().copied().collect();
        extension(&format!("x{at}"), &[], &pairs)
    };
    of.iter().enumerate().map(one).collect()
}

fn targets(builds: &[Build]) -> Vec<String> {
    builds.iter().map(|build| build.target.clone()).collect()
}

#[test]
fn a_filter_takes_exactly_the_pairs_that_it_names() {
    let filters = (
        btree_set(select(&DISTROS[..]), 0..3),
        btree_set(select(&MAJORS[..]), 0..3),
    );
    let worlds = (proptest::collection::vec(pairs(), 1..4), filters);
    let ended = runner(300).run(&worlds, |(world, (distros, majors))| {
        let filter = Filter {
            distros: distros.iter().map(|name| (*name).to_owned()).collect(),
            majors: majors.iter().map(|name| (*name).to_owned()).collect(),
            shard: None,
        };
        let wanted: BTreeSet<(String, String, String)> = world
            .iter()
            .enumerate()
            .flat_map(|(at, pairs)| pairs.iter().map(move |pair| (at, pair)))
            .filter(|(_, (distro, _))| distros.is_empty() || distros.contains(distro))
            .filter(|(_, (_, major))| majors.is_empty() || majors.contains(major))
            .map(|(at, (distro, major))| (format!("x{at}"), (*distro).into(), (*major).into()))
            .collect();
        let Ok(builds) = builds(&extensions(&world), &filter, &Config::defaults()) else {
            assert!(wanted.is_empty());
            return Ok(());
        };
        let taken: BTreeSet<(String, String, String)> = builds
            .iter()
            .map(|build| {
                (
                    build.extension.name.clone(),
                    build.distro.clone(),
                    build.pg_major.clone(),
                )
            })
            .collect();
        assert_eq!(taken.len(), builds.len(), "one is there twice");
        assert_eq!(taken, wanted);
        let names: BTreeSet<String> = targets(&builds).into_iter().collect();
        assert_eq!(names.len(), builds.len(), "two have one name");
        Ok(())
    });
    assert!(ended.is_ok(), "{}", ended.unwrap_err());
}

#[test]
fn the_shares_of_all_machines_are_all_images_once() {
    let worlds = (proptest::collection::vec(pairs(), 1..4), 1..12_usize);
    let ended = runner(200).run(&worlds, |(world, count)| {
        let extensions = extensions(&world);
        let config = Config::defaults();
        let share = |shard| {
            let filter = Filter {
                shard,
                ..Filter::default()
            };
            targets(&builds(&extensions, &filter, &config).unwrap())
        };
        let mut shares: Vec<String> = (1..=count)
            .flat_map(|index| share(Some(Shard { index, count })))
            .collect();
        let mut all = share(None);
        shares.sort();
        all.sort();
        assert_eq!(shares, all);
        Ok(())
    });
    assert!(ended.is_ok(), "{}", ended.unwrap_err());
}
