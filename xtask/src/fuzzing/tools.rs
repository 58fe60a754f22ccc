// SPDX-License-Identifier: Apache-2.0
//! What tools print, and the archives that they write.

use std::time::SystemTime;

use super::text;
use crate::{
    image::{
        Controls, Elf, ImageRef, Inventory, Libraries, Metadata, Provider,
        attestation::{self, SPDX},
        bundle, copyright,
    },
    plan::{Kind, Owned},
    printable::is_hidden,
    sandbox::archive::{Archive, Asked},
    stage::package::Found,
    symptom,
    target::{Definition, Definitions, Instead},
    tool::{
        apt,
        buildkit::{self, Progress, Told},
        docker,
        imagetools::Described,
        kubectl, oras,
        scan_report::{Counts, Level},
    },
    value::{Digest, Licence, Major, PackageName, Server, SqlName, SqlVersion, is_tag},
};

/// An archive of control files is read to its end or refused, and what these say is names and versions.
pub fn control_files(data: &[u8]) {
    let Ok(controls) = Controls::read(data) else {
        return;
    };
    let version = controls.default_version("vector");
    assert!(version.is_none_or(SqlVersion::is));
    for version in [None, Some("0.8.1")] {
        let mut required = controls.requires("vector", version).iter();
        assert!(required.all(|name| SqlName::is(name)));
    }
}

/// An archive of an image's files is read to its end or refused. No archive makes a path that is not the image's.
pub fn image_files(data: &[u8]) {
    let Ok(image) = Inventory::read(data) else {
        return;
    };
    let files = &image.contents.files;
    assert!(files.is_sorted_by_key(|file| &file.path));
    for file in files {
        assert!(file.path.starts_with('/'), "{file:?}");
        assert!(file.link.is_none() || file.size == 0, "{file:?}");
    }
    for extension in &image.extensions {
        let all = extension.versions();
        let mut stranded = extension.stranded.iter();
        assert!(
            stranded.all(|version| all.contains(version.as_str())),
            "{extension:?}"
        );
    }
    let base = Provider::read(data, &[&image]).ok();
    let libraries = Libraries::of(&image, None, base.as_ref());
    let needed: usize = image.read_objects().map(|(_, elf)| elf.needed.len()).sum();
    assert_eq!(libraries.needs.len(), needed);
}

/// Whatever an object says is read or refused, within bounds.
pub fn shared_object(data: &[u8]) {
    let Ok(read) = Elf::parse(data) else {
        return;
    };
    assert!(read.needed.len() <= 1_000, "{read:?}");
    if let Some(magic) = read.module {
        assert!((10..100).contains(&magic.major), "{magic:?}");
        assert!(magic.abi.len() < 32 && magic.abi.is_ascii(), "{magic:?}");
    }
}

/// Of a scanner's report no more is counted than is in it.
pub fn scan_report(data: &[u8]) {
    if let Ok(counts) = Counts::of_sarif(data) {
        assert!(counts.from(Level::Note) <= data.len(), "{counts}");
    }
    let lines = text(data).lines().count();
    assert!(Counts::of_debsecan(text(data)).from(Level::Note) <= lines);
}

/// What is made of a copyright file is a licence that can be read again.
pub fn copyright_file(data: &[u8]) {
    if let Some(licence) = copyright::licence(text(data)) {
        assert_eq!(licence.to_string().parse::<Licence>(), Ok(licence));
    }
}

/// What is said of a package are names, versions and single lines.
pub fn package_facts(data: &[u8]) {
    let Some(Found::Package(package)) = Found::parse(text(data)) else {
        return;
    };
    assert!(!package.packages.is_empty());
    let words = package.hints.iter().map(|(_, words)| words);
    let words = words.chain(&package.summary);
    let words = words.chain(&package.files).chain(&package.lacks);
    for words in words.chain(package.settings.values()) {
        assert!(!words.contains(is_hidden), "{words:?}");
    }
}

/// What a bundle says that it holds are references with digests, whatever else is in it.
pub fn image_bundle(data: &[u8]) {
    let Ok(index) = bundle::index(data) else {
        return;
    };
    for (image, _) in index.images {
        let text = image.to_string();
        assert_eq!(text.parse::<ImageRef>().ok(), Some(image), "{text}");
    }
}

/// A metadata file of bake that is read and written says the same.
pub fn bake_metadata(data: &[u8]) {
    let Ok(read) = Metadata::parse(text(data)) else {
        return;
    };
    let written = read.to_json();
    assert_eq!(
        Metadata::parse(&written).ok().as_ref(),
        Some(&read),
        "{written}"
    );
    let mut merged = Metadata::default();
    merged.extend(read.clone());
    assert_eq!(merged, read);
    let _digest = read.digest("pgvector-0_8_6-18-trixie");
}

/// What a registry says becomes a reference that is one: it goes into a command line.
pub fn registry_manifest(data: &[u8]) {
    let printed = text(data);
    assert!(oras::parse_tags(printed).iter().all(|tag| is_tag(tag)));
    let found = oras::parse_referrers(printed, &Digest::of(data)).unwrap_or_default();
    for (digest, referrer) in found {
        assert!(Digest::is(&digest), "{digest}");
        assert!(Digest::is(&referrer.subject), "{}", referrer.subject);
    }
    for one in attestation::attested(printed) {
        let digests = [
            Some(one.image),
            Some(one.attestations),
            attestation::statement(printed, SPDX).map(|one| one.digest),
        ];
        assert!(
            digests.iter().flatten().all(|digest| Digest::is(digest)),
            "{digests:?}"
        );
    }
    let image = ImageRef {
        repository: "localhost:5000/x".into(),
        tag: Some("1".into()),
        digest: None,
    };
    let Ok((described, first)) = Described::parse(&image, text(data)) else {
        return;
    };
    let reference: Result<ImageRef, _> = described.reference.to_string().parse();
    assert!(
        reference.is_ok_and(|reference| reference.digest.is_some()),
        "{described:?}"
    );
    if let Some(first) = first {
        let reference = format!("{}@{first}", image.repository);
        let parsed: Result<ImageRef, _> = reference.parse();
        assert_eq!(parsed.ok().and_then(|image| image.digest), Some(first));
    }
    assert!(
        described
            .platforms
            .iter()
            .all(|platform| platform.contains('/'))
    );
}

/// What apt says becomes versions that can be written into a metadata file, and a mirror that is one word.
pub fn apt_output(data: &[u8]) {
    let text = text(data);
    if let Some(mirror) = apt::parse_mirror(text) {
        assert!(
            !mirror.contains(|c: char| c.is_whitespace() || c.is_control()),
            "{mirror:?}"
        );
        assert!(!mirror.starts_with('-'), "{mirror:?}");
    }
    let versions = apt::parse_versions(text);
    let asked = versions.keys().filter_map(|name| name.parse().ok());
    let asked: Vec<PackageName> = asked.collect();
    let mut archive = Archive::default();
    let (Ok(suite), Ok(major)) = ("forky".parse(), "18".parse()) else {
        unreachable!("they are well formed");
    };
    archive.take(&suite, &Asked::from([(major, asked.clone())]), &versions);
    let packages: Vec<String> = versions
        .iter()
        .map(|(name, version)| format!("{name}={version}"))
        .collect();
    archive.read_controls(&packages, text);
    for package in &asked {
        let version = versions.get(&**package).map_or("", String::as_str);
        if let Some(sql) = archive.sql_version(package, version, "x") {
            assert!(SqlVersion::is(sql), "{sql:?}");
        }
    }
}

/// What bake prints is read or refused, and its moment found and put in again.
pub fn bake_print(data: &[u8]) {
    let text = text(data);
    let Ok(definitions) = Definitions::parse(text) else {
        return;
    };
    let moment = SystemTime::UNIX_EPOCH;
    let names: Vec<&str> = definitions.built().map(|one| one.name).collect();
    let taken = definitions.with_sources(names.iter().copied(), moment);
    assert!(names.iter().all(|name| taken.contains_key(*name)));
    let instead = |definition: Definition<'_>, _: &Server, major: &Major| {
        let Some(server) = Server::parse("forky", major) else {
            unreachable!("it is well formed");
        };
        let base = format!("ghcr.io/x/postgresql:{major}-minimal-forky");
        Ok(Some(Instead {
            server,
            base: base.parse()?,
            package: "1.3-1".to_owned(),
            pinned: definition.package().unwrap_or("1.2-1").to_owned(),
            sql_version: None,
        }))
    };
    let majors = definitions
        .built()
        .filter_map(|one| Some(one.server().ok()?.major));
    let mut majors: Vec<Major> = majors.collect();
    majors.extend("999".parse());
    if let Ok(rebased) = definitions.rebased(&majors, instead) {
        let names: Vec<&str> = rebased.built().map(|one| one.name).collect();
        let taken = rebased.with_sources(names.iter().copied(), moment);
        assert!(names.iter().all(|name| taken.contains_key(*name)));
    }
}

/// Progress is told of targets that are built, line by line.
pub fn bake_progress(data: &[u8]) {
    let mut progress = Progress::of([vec!["alpha".to_owned()], vec!["beta".to_owned()]]);
    for line in text(data).lines() {
        progress.read(line, &mut |target, told| {
            assert!(target < 2);
            if let Told::Line(line) = told {
                assert!(line.starts_with('#'), "{line:?}");
            }
        });
        if let Some(target) = buildkit::failed_target(line) {
            assert!(line.contains(target));
        }
    }
}

/// What Docker and kubectl say is read or left, whatever it is.
pub fn engine_output(data: &[u8]) {
    let text = text(data);
    if let Ok(engine) = docker::Info::parse(text) {
        let _mounts = engine.mounts_images();
    }
    for (name, listed) in docker::parse_listed(text) {
        assert!(!name.contains('\t') && listed.size == listed.size.trim());
    }
    for container in docker::parse_containers(text) {
        assert_eq!(container.running, container.state == "running");
    }
    for object in kubectl::items(text) {
        let _ready = kubectl::condition(&object, "Ready");
    }
    let _there = docker::is_named(text, "x");
    for id in Owned::new(Kind::Container, "a=1", "remove it").listed(text) {
        assert!(!id.starts_with('-') && !id.contains(char::is_whitespace));
    }
    let _cause = symptom::cause_in_cluster(&[text.to_owned()]);
}
