// SPDX-License-Identifier: Apache-2.0
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{Config as Cases, RngAlgorithm, TestError, TestRng, TestRunner},
};
use walkdir::WalkDir;

use super::*;
use crate::{
    extension::{Extension, Loaded},
    finding::Findings,
    hcl::File,
};

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz")
}

/// What is known of a target's input: its seeds, and the repository's own files of that kind.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let own: &[(&str, &str)] = match target {
        "extension_metadata" => &[("../extensions", "metadata.hcl")],
        "extension_dockerfile" => &[("../docker", "Dockerfile"), ("../extensions", "Dockerfile")],
        _ => &[],
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let own = own.iter().map(|(folder, name)| (root.join(folder), *name));
    let folders = [(fuzz().join("seeds").join(target), "")]
        .into_iter()
        .chain(own);
    let seeds: Vec<Vec<u8>> = folders
        .flat_map(|(folder, name)| {
            WalkDir::new(folder)
                .sort_by_file_name()
                .into_iter()
                .map(move |entry| (entry, name))
        })
        .map(|(entry, name)| (entry.unwrap(), name))
        .filter(|(entry, name)| {
            entry.file_type().is_file() && entry.file_name().to_string_lossy().ends_with(name)
        })
        .map(|(entry, _)| fs_err::read(entry.path()).unwrap())
        .collect();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds
}

/// Bytes; pieces of the seeds in any order; a seed with some of its bytes replaced, taken out or doubled.
fn inputs(seeds: &[Vec<u8>]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let pieces: Vec<Vec<u8>> = seeds
        .iter()
        .flat_map(|seed| seed.split_inclusive(|byte| b" \n\"{}[]:,=/".contains(byte)))
        .map(<[u8]>::to_vec)
        .collect();
    let shuffled = vec(proptest::sample::select(pieces), 0..40).prop_map(|pieces| pieces.concat());
    let edits = vec((any::<prop::sample::Index>(), any::<u8>(), 0..3_u8), 1..6);
    let edited = (proptest::sample::select(seeds.to_vec()), edits).prop_map(|(mut seed, edits)| {
        for (at, byte, kind) in edits {
            if seed.is_empty() {
                break;
            }
            let at = at.index(seed.len());
            match kind {
                0 => seed[at] = byte & 0x7f,
                1 => drop(seed.remove(at)),
                _ => seed.insert(at, seed[at]),
            }
        }
        seed
    });
    prop_oneof![
        vec(any::<u8>(), 0..64),
        "\\PC{0,64}".prop_map(String::into_bytes),
        shuffled,
        edited
    ]
}

/// Draws always the same cases, so that a gate that was green stays green.
pub(crate) fn runner(cases: u32) -> TestRunner {
    let cases = Cases {
        cases,
        failure_persistence: None,
        ..Cases::default()
    };
    TestRunner::new_with_rng(cases, TestRng::deterministic_rng(RngAlgorithm::ChaCha))
}

/// Gives what went wrong.
fn throw(target: &Target) -> Result<(), String> {
    let seeds = seeds(target.name);
    let inputs = inputs(&seeds);
    let mut runner = runner(1000);
    let run = |input: Vec<u8>| {
        (target.run)(&input);
        Ok(())
    };
    for seed in seeds {
        let seed = Just(seed).new_tree(&mut runner).unwrap();
        runner.run_one(seed, run).map_err(said)?;
    }
    runner.run(&inputs, run).map_err(said)
}

fn said(error: TestError<Vec<u8>>) -> String {
    match error {
        TestError::Fail(why, input) => format!("{why}: {}", input.escape_ascii()),
        TestError::Abort(why) => why.to_string(),
    }
}

#[test]
fn what_must_hold_holds_for_seeds_and_for_random_inputs() {
    let failed: Vec<String> = TARGETS
        .iter()
        .filter_map(|target| Some(format!("{}: {}", target.name, throw(target).err()?)))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn every_target_has_its_file_and_its_seeds() {
    let named: BTreeSet<String> = TARGETS
        .iter()
        .map(|target| target.name.to_owned())
        .collect();
    for folder in ["fuzz_targets", "seeds"] {
        let there: BTreeSet<String> = fs_err::read_dir(fuzz().join(folder))
            .unwrap()
            .map(|entry| {
                entry
                    .unwrap()
                    .path()
                    .file_stem()
                    .unwrap()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        assert_eq!(there, named, "fuzz/{folder}");
    }
}

/// An extension that needs others, built for each (distro, major) once.
pub(crate) fn extension(name: &str, needs: &[String], pairs: &[(&str, &str)]) -> Extension {
    let needs: Vec<String> = needs.iter().map(|name| format!("\"{name}\"")).collect();
    let mut distros: Vec<&str> = pairs.iter().map(|(distro, _)| *distro).collect();
    distros.sort_unstable();
    distros.dedup();
    let mut versions = String::new();
    for distro in distros {
        let own = pairs.iter().filter(|(other, _)| *other == distro);
        let majors: BTreeSet<&str> = own.map(|(_, major)| *major).collect();
        versions += &format!("{distro} = {{\n");
        for major in majors {
            versions += &format!("\"{major}\" = {{ package = \"1.2-3\", sql = \"1.2\" }}\n");
        }
        versions += "}\n";
    }
    let text = format!(
        "metadata = {{\nname = \"{name}\"\nsql_name = \"{name}\"\nimage_name = \"{name}\"\nlicenses = [\"MIT\"]\n\
         create_extension = true\nrequired_extensions = [{}]\nversions = {{\n{versions}}}\n}}\n",
        needs.join(", ")
    );
    let mut findings = Findings::about("metadata.hcl");
    let file = File::parse(&text, &mut findings).unwrap();
    let folder = Path::new("/repository").join(name);
    let shown = Path::new("extensions").join(name).join("metadata.hcl");
    match Extension::from_file(file, &folder, &shown, &mut findings) {
        Loaded::Read(extension) => *extension,
        other => panic!("{other:?}\n{findings:?}\n{text}"),
    }
}
