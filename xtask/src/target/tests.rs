// SPDX-License-Identifier: Apache-2.0
//! Filters, shares and what is needed, over random metadata.

use std::collections::BTreeSet;

use proptest::{collection::btree_set, prelude::*, sample::select};

use super::{needs::chosen, *};
use crate::{
    fuzzing::tests::{extension, runner},
    workspace::{
        Aim, Selection, Workspace,
        tests::{graphs, workspace},
    },
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
            ..Filter::default()
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

/// The names of the images in each of so many shares.
fn shares(extensions: &[Arc<Extension>], count: usize) -> Vec<Vec<String>> {
    let matrix = modelled(extensions);
    let share = |index| {
        let filter = Filter {
            shard: Some(Shard { index, count }),
            ..Filter::default()
        };
        names(&chosen(extensions, &filter, &matrix).unwrap())
    };
    (1..=count).map(share).collect()
}

#[test]
fn the_shares_of_all_machines_are_all_images_once_and_of_one_size() {
    let worlds = (proptest::collection::vec(pairs(), 1..4), 1..12_usize);
    let ended = runner(200).run(&worlds, |(world, count)| {
        let extensions = extensions(&world);
        let all = chosen(&extensions, &Filter::default(), &modelled(&extensions)).unwrap();
        let mut all = names(&all);
        let shares = shares(&extensions, count);
        for share in &shares {
            let in_order: Vec<&String> = all.iter().filter(|name| share.contains(name)).collect();
            assert_eq!(share.iter().collect::<Vec<_>>(), in_order);
        }
        let sizes = || shares.iter().map(Vec::len);
        assert!(sizes().max().unwrap() - sizes().min().unwrap() <= 1);
        let mut together: Vec<String> = shares.concat();
        together.sort();
        all.sort();
        assert_eq!(together, all);
        Ok(())
    });
    assert!(ended.is_ok(), "{}", ended.unwrap_err());
}

#[test]
fn another_image_moves_one_to_the_next_share_at_most_for_each_cut() {
    let place = any::<proptest::sample::Index>();
    let worlds = (proptest::collection::vec(pairs(), 1..6), 1..6_usize, place);
    let ended = runner(200).run(&worlds, |(world, count, place)| {
        let mut extensions = extensions(&world);
        let before = shares(&extensions, count);
        let new = Arc::new(extension("new", &[], &[("trixie", "17")]));
        extensions.insert(place.index(extensions.len() + 1), new);
        let after = shares(&extensions, count);
        let stayed = before.iter().zip(&after);
        let stayed = stayed.map(|(one, other)| one.iter().filter(|name| other.contains(name)));
        let moved = before.concat().len() - stayed.flatten().count();
        assert!(moved < count, "{before:?}\n{after:?}");
        Ok(())
    });
    assert!(ended.is_ok(), "{}", ended.unwrap_err());
}

#[test]
fn what_belongs_together_is_in_one_share_where_that_has_room() {
    let one = |name: &str, needs: &[&str]| {
        let needs: Vec<String> = needs.iter().map(|name| (*name).to_owned()).collect();
        let servers = [("bookworm", "18"), ("trixie", "18")];
        Arc::new(extension(name, &needs, &servers))
    };
    let (base, alone) = (one("base", &[]), one("alone", &[]));
    let (other, on_top) = (one("other", &[]), one("top", &["base"]));
    let extensions = [base, alone, other, on_top];
    let in_halves = shares(&extensions, 2).into_iter();
    let in_halves: Vec<String> = in_halves.map(|names| names.join(" ")).collect();
    assert_eq!(
        in_halves,
        [
            "base-1_2-18-bookworm alone-1_2-18-bookworm other-1_2-18-bookworm top-1_2-18-bookworm",
            "base-1_2-18-trixie alone-1_2-18-trixie other-1_2-18-trixie top-1_2-18-trixie"
        ]
    );
    let quarter = shares(&extensions, 4).swap_remove(0);
    assert_eq!(quarter, ["base-1_2-18-bookworm", "top-1_2-18-bookworm"]);
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
    let root = tempfile::tempdir().unwrap();
    for (name, needs, servers) in [("a", "", "17"), ("b", "\"a\"", "17 18")] {
        let pins = servers.split(' ');
        let pins: Vec<String> = pins.map(|pg| format!("\"{pg}\" = \"1.0-1\"")).collect();
        let pins = pins.join("\n");
        let folder = root.path().join("extensions").join(name);
        fs_err::create_dir_all(&folder).unwrap();
        let text = format!(
            "metadata = {{\nname = \"{name}\"\nrequired_extensions = [{needs}]\nversions = {{ trixie = {{\n{pins}\n}} }}\n}}\n"
        );
        fs_err::write(folder.join("metadata.hcl"), text).unwrap();
    }
    let workspace = Workspace::load(root.path(), &Config::defaults()).unwrap();
    let extensions = workspace.select(&Selection::All, Aim::Servers).unwrap();
    let matrix = modelled(&extensions);
    let of =
        |filter: &Filter| Targets::resolve(&extensions[1..], filter, &workspace, &matrix).unwrap();
    let seventeen = of(&Filter::only("trixie", "17"));
    assert_eq!(seventeen.with_needs().unwrap().count(), 2);
    let mut both = of(&Filter::default());
    assert_eq!(both.chosen().count(), 2);
    let why = "`b` needs `a`, which is not built for trixie and PostgreSQL 18";
    assert_eq!(both.with_needs().err().unwrap().message, why);
    let left_out = both.leave_out_incomplete().unwrap();
    assert_eq!(left_out, [format!("`b 18-trixie` is left out: {why}")]);
    assert_eq!(both.with_needs().unwrap().count(), 2);
    let mut eighteen = of(&Filter::only("trixie", "18"));
    assert_eq!(eighteen.leave_out_incomplete().unwrap_err().message, why);
}
