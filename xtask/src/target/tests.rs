// SPDX-License-Identifier: Apache-2.0
//! Filters, shares and what is needed, over random metadata.

use std::collections::BTreeSet;

use proptest::{collection::btree_set, prelude::*, sample::select};

use super::{needs::chosen, *};
use crate::{
    fuzzing::tests::{extension, runner},
    workspace::tests::{graphs, workspace},
};

const DISTROS: [&str; 3] = ["bookworm", "forky", "trixie"];
const MAJORS: [&str; 3] = ["16", "17", "18"];

type Pairs = BTreeSet<(&'static str, &'static str)>;

fn pairs() -> impl Strategy<Value = Pairs> {
    btree_set((select(&DISTROS[..]), select(&MAJORS[..])), 1..9)
}

fn extensions(of: &[Pairs]) -> Vec<Arc<Extension>> {
    let one = |(at, pairs): (usize, &Pairs)| {
        let pairs: Vec<(&str, &str)> = pairs.iter().copied().collect();
        Arc::new(extension(&format!("x{at}"), &[], &pairs))
    };
    of.iter().enumerate().map(one).collect()
}

fn modelled(extensions: &[Arc<Extension>]) -> Matrix {
    Matrix::modelled(extensions, &Config::defaults())
}

fn names(targets: &[Target]) -> Vec<String> {
    targets.iter().map(|target| target.name.clone()).collect()
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
        let extensions = extensions(&world);
        let Ok(targets) = chosen(&extensions, &filter, &modelled(&extensions)) else {
            assert!(wanted.is_empty());
            return Ok(());
        };
        let taken: BTreeSet<(String, String, String)> = targets
            .iter()
            .map(|target| {
                (
                    target.extension.name.clone(),
                    target.server.distro.to_string(),
                    target.server.major.to_string(),
                )
            })
            .collect();
        assert_eq!(taken.len(), targets.len(), "one is there twice");
        assert_eq!(taken, wanted);
        let names: BTreeSet<String> = names(&targets).into_iter().collect();
        assert_eq!(names.len(), targets.len(), "two have one name");
        Ok(())
    });
    assert!(ended.is_ok(), "{}", ended.unwrap_err());
}

#[test]
fn the_shares_of_all_machines_are_all_images_once() {
    let worlds = (proptest::collection::vec(pairs(), 1..4), 1..12_usize);
    let ended = runner(200).run(&worlds, |(world, count)| {
        let extensions = extensions(&world);
        let matrix = modelled(&extensions);
        let share = |shard| {
            let filter = Filter {
                shard,
                ..Filter::default()
            };
            names(&chosen(&extensions, &filter, &matrix).unwrap())
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

#[test]
fn what_a_target_needs_is_all_that_it_reaches_once_and_for_its_server() {
    let ended = runner(300).run(&graphs(), |graph| {
        let workspace = workspace(&graph);
        let (filter, matrix) = (Filter::default(), modelled(workspace.extensions()));
        for extension in workspace.extensions() {
            let one = std::slice::from_ref(extension);
            let targets = Targets::resolve(one, &filter, &workspace, &matrix).unwrap();
            let chosen = targets.only().unwrap();
            assert_eq!(chosen.extension.name, extension.name);
            let needed: Vec<&Target> = targets.needs(chosen).collect();
            let names: Vec<&str> = needed.iter().map(|one| &*one.extension.name).collect();
            let wanted = workspace.dependencies(extension);
            let wanted: Vec<&str> = wanted.iter().map(|one| &*one.name).collect();
            assert_eq!(names, wanted);
            assert!(needed.iter().all(|one| one.server == chosen.server));
            let all: Vec<&Target> = targets.with_needs().unwrap().collect();
            assert_eq!(all.len(), needed.len() + 1);
            assert_eq!(all.last().copied(), Some(chosen));
        }
        Ok(())
    });
    assert!(ended.is_ok(), "{}", ended.unwrap_err());
}

#[test]
fn what_is_needed_and_not_built_for_the_server_is_refused_where_it_is_wanted() {
    let needs = ["a".to_owned()];
    let a = extension("a", &[], &[("trixie", "17")]);
    let b = extension("b", &needs, &[("trixie", "17"), ("trixie", "18")]);
    let extensions = vec![Arc::new(a), Arc::new(b)];
    let workspace = workspace(&[]).with_extensions(extensions.clone());
    let matrix = modelled(&extensions);
    let of =
        |filter: &Filter| Targets::resolve(&extensions[1..], filter, &workspace, &matrix).unwrap();
    let seventeen = of(&Filter::only("trixie", "17"));
    assert_eq!(seventeen.with_needs().unwrap().count(), 2);
    let both = of(&Filter::default());
    assert_eq!(both.chosen().count(), 2);
    let refused = both.with_needs().err().unwrap();
    assert_eq!(
        refused.message,
        "`b` needs `a`, which is not built for trixie and PostgreSQL 18"
    );
}
