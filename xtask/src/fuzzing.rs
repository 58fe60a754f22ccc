// SPDX-License-Identifier: Apache-2.0
//! What is thrown at the parsers, and what must hold whatever it is: the entry points of `fuzz/`, and of the
//! unit tests that throw less at the same functions. In no build but theirs.

use std::{
    ffi::OsString,
    path::{Component, Path},
    time::SystemTime,
};

use clap::CommandFactory as _;

use crate::{
    Refused,
    cli::Cli,
    config::{Config, E2E_SEED, MIRRORS, Origin, SETTINGS},
    dialect, dockerfile,
    environment::release::Release,
    extension::{Extension, Loaded, version_of},
    finding::Findings,
    hcl::{File, Value},
    image::{Contents, Controls, ImageRef, Metadata, Naming, Rotation},
    parse,
    plan::{Cmd, Kind, Owned, PASSWORD},
    printable::{is_hidden, printable},
    sandbox::archive::Archive,
    stage::results::Earlier,
    symptom,
    target::{Definition, Instead, Printed},
    tool::{
        apt,
        buildkit::{self, Progress, Told},
        docker,
        imagetools::Described,
        kubectl,
    },
    ui::Fit,
    value::{
        BuilderName, ClusterName, DebianVersion, Domain, EnvironmentName, HostName, Library, Major,
        Name, NetworkName, PackageName, Parameter, Platform, Registry, RepositoryPath, Server,
        SqlName, SqlVersion, Suite, Url, Username, Variable, is_tag, without_userinfo,
    },
};

/// One thing to throw bytes at.
pub struct Target {
    /// Also the file in `fuzz/fuzz_targets` and the folder in `fuzz/seeds`.
    pub name: &'static str,
    pub run: fn(&[u8]),
}

macro_rules! targets {
    ($($name:ident)*) => {
        /// Every target.
        pub const TARGETS: &[Target] = &[$(Target { name: stringify!($name), run: $name }),*];
    };
}

targets! {
    apt_output arguments bake_metadata bake_print bake_progress control_files debian_version earlier_results engine_output extension_dockerfile
    extension_metadata image_files image_reference operator_release registry_manifest settings_file shell_line
    shown_text typed_value
}

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
    let Ok(contents) = Contents::read(data) else {
        return;
    };
    assert!(contents.files.is_sorted_by_key(|file| &file.path));
    for file in contents.files {
        assert!(file.path.starts_with('/'), "{file:?}");
        assert!(file.link.is_none() || file.size == 0, "{file:?}");
    }
}

/// Of results that are read again, nothing leads out of the repository, and nothing is an option.
pub fn earlier_results(data: &[u8]) {
    for row in Earlier::read(text(data)).unwrap_or_default() {
        assert!(Name::is(&row.extension), "{row:?}");
        let path: &Path = row.values.as_ref();
        let leads_out = |part| !matches!(part, Component::Normal(_));
        assert!(!path.components().any(leads_out), "{row:?}");
        assert!(
            !row.values.starts_with('-') && !row.values.contains(is_hidden),
            "{row:?}"
        );
    }
}

/// What a file or a tool's output is to us: text. What is not UTF-8 is refused where it is read.
fn text(data: &[u8]) -> &str {
    std::str::from_utf8(data).unwrap_or_default()
}

/// An extension is taken only as the rules say; the copy that `--base debian` makes of its file says the
/// same but for the versions.
pub fn extension_metadata(data: &[u8]) {
    let text = text(data);
    let mut findings = Findings::about("metadata.hcl");
    let Some(file) = File::parse(text, &mut findings) else {
        assert!(!findings.all.is_empty(), "refused without a reason");
        return;
    };
    let folder = Path::new("/repository").join(declared_name(&file));
    let shown = Path::new("metadata.hcl");
    let taken = Extension::from_file(file, &folder, shown, &mut findings);
    let lines = text.lines().count().max(1);
    for finding in &findings.all {
        let line = finding.line.unwrap_or(1);
        assert!((1..=lines).contains(&line), "{finding} of {lines} lines");
    }
    let extension = match taken {
        Loaded::Read(extension) => extension,
        Loaded::Open(open) => {
            // Whatever bake makes of it, there is an answer.
            let taken = open.evaluated(&serde_json::Value::Null, &mut findings);
            assert!(taken.is_none() && !findings.all.is_empty());
            return;
        }
        Loaded::Broken => {
            assert!(!findings.all.is_empty(), "refused without a reason");
            return;
        }
    };
    assert!(Name::is(&extension.name));
    for pin in extension.versions.values() {
        assert!(version_of(&pin.package).is_some(), "{pin:?}");
        assert!(pin.sql.is_none() || extension.create_extension, "{pin:?}");
    }
}

/// The name that a metadata file gives its extension, as far as a folder can have it.
fn declared_name(file: &File) -> String {
    let metadata = file.attribute("metadata").map(|node| node.value);
    let Some(Value::Map(fields)) = metadata else {
        return "x".into();
    };
    let name = fields.into_iter().find(|(name, _)| name == "name");
    match name.map(|(_, node)| node.value) {
        Some(Value::String(name)) if Name::is(&name) => name,
        _ => "x".into(),
    }
}

/// What a Dockerfile is said to lack is said of one of its lines.
pub fn extension_dockerfile(data: &[u8]) {
    let text = text(data);
    let mut findings = Findings::about("Dockerfile");
    dockerfile::check_shared(text, &mut findings);
    let lines = text.lines().count().max(1);
    for finding in findings.all {
        let line = finding.line.unwrap_or(1);
        assert!((1..=lines).contains(&line), "{finding} of {lines} lines");
    }
}

/// What a file sets can be set by a flag too, and means the same then.
pub fn settings_file(data: &[u8]) {
    let mut config = Config::defaults();
    if let Err(failure) = config.read_file(text(data)) {
        assert!(!failure.message.is_empty());
        return;
    }
    let mut again = Config::defaults();
    for (setting, shown) in SETTINGS.iter().zip(config.shown()) {
        let taken = again.put(setting, &shown.value, &Origin::Flag("--flag"));
        assert!(taken.is_ok(), "{}: {taken:?}", setting.key);
    }
    let texts = |config: &Config| config.shown().into_iter().map(|shown| shown.value);
    assert!(texts(&again).eq(texts(&config)));
    assert_eq!(again.get(E2E_SEED), config.get(E2E_SEED));
    assert_eq!(again.get(MIRRORS), config.get(MIRRORS));
}

/// One argument a line: the dialect's answer needs no further rewriting, and a password among the arguments
/// is refused without being repeated.
pub fn arguments(data: &[u8]) {
    let args: Vec<String> = text(data).split('\n').map(str::to_owned).collect();
    let answer = parse(args.iter().map(OsString::from).collect());
    for (name, value) in args.iter().filter_map(|arg| arg.split_once('=')) {
        if name.to_uppercase() == PASSWORD {
            let Err(Refused::Dialect(failure)) = &answer else {
                panic!("{name} is taken");
            };
            let said = format!("{failure:?}");
            assert!(
                value.len() < 8 || !said.contains(value) || PASSWORD.contains(value),
                "{said}"
            );
        }
    }
    let command = Cli::command();
    let Ok(read) = dialect::canonical(&command, args, &|_| None) else {
        return;
    };
    let words = read.words;
    // Values may look like words of the old grammar; what is canonical is not rewritten once more.
    if !words.iter().any(|word| word.contains(['=', ':'])) {
        let once_more = dialect::canonical(&command, words.clone(), &|_| None);
        assert_eq!(once_more.map(|read| read.words).ok(), Some(words));
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
    let mut archive = Archive {
        versions: apt::parse_versions(text),
        ..Archive::default()
    };
    let packages: Vec<String> = archive
        .versions
        .iter()
        .map(|(name, version)| format!("{name}={version}"))
        .collect();
    archive.read_controls(&packages, text);
    for (package, version) in &archive.versions {
        let Ok(package) = package.parse() else {
            continue;
        };
        if let Some(sql) = archive.sql_version(&package, version, "x") {
            assert!(SqlVersion::is(sql), "{sql:?}");
        }
    }
}

/// What bake prints is read or refused, and its moment found and put in again.
pub fn bake_print(data: &[u8]) {
    let text = text(data);
    let Ok(printed) = Printed::parse(text) else {
        return;
    };
    let moment = SystemTime::UNIX_EPOCH;
    let names: Vec<&str> = printed.built().map(|one| one.name).collect();
    let taken = printed.with_sources(names.iter().copied(), moment);
    assert!(names.iter().all(|name| taken.contains_key(*name)));
    let instead = |definition: Definition<'_>, server: &Server| {
        let Ok(suite) = "forky".parse() else {
            unreachable!("it is well formed");
        };
        let base = format!("ghcr.io/x/postgresql:{}-minimal-forky", server.major);
        Ok(Some(Instead {
            suite,
            base: base.parse()?,
            package: "1.3-1".to_owned(),
            pinned: definition.package().unwrap_or("1.2-1").to_owned(),
            sql_version: None,
        }))
    };
    if let Ok(rebased) = printed.rebased(instead) {
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

/// The version in names and tags is the beginning of the package's, and fits into a tag.
pub fn debian_version(data: &[u8]) {
    let package = text(data);
    let Some(version) = version_of(package) else {
        assert!(
            !package.starts_with(|c: char| c.is_ascii_digit()),
            "{package:?}"
        );
        return;
    };
    assert!(version.starts_with(|c: char| c.is_ascii_digit()));
    assert!(version.ends_with(|c: char| c.is_ascii_digit()));
    assert!(
        version
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.' || c == '-')
    );
    assert!(
        package.replacen(':', "-", 1).starts_with(&version),
        "{package:?}: {version}"
    );
    let rotation = Rotation {
        repository: "localhost:5000/x".into(),
        prefix: format!("{version}-"),
        digits: 12,
        suffix: "-18-trixie".into(),
    };
    let tag = |time: &str| format!("{version}-{time}-18-trixie");
    let tags = [
        tag("202601010000"),
        tag("202601020000"),
        format!("{version}-18-trixie"),
    ];
    let dropped = rotation.superseded(tags.iter().map(String::as_str));
    assert_eq!(dropped, [format!("localhost:5000/x:{}", tags[0])]);
}

/// What Docker and kubectl say is read or left, whatever it is.
pub fn engine_output(data: &[u8]) {
    let text = text(data);
    if let Ok(engine) = docker::Info::parse(text) {
        let _mounts = engine.mounts_images();
    }
    for (name, size) in docker::parse_sizes(text) {
        assert!(!name.contains('\t') && size == size.trim());
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

/// A reference that is taken is printed as it was, and is one word and no option.
pub fn image_reference(data: &[u8]) {
    let text = text(data);
    let Ok(image) = text.parse::<ImageRef>() else {
        return;
    };
    assert_eq!(image.to_string(), text);
    assert!(!text.starts_with('-'), "{text:?}");
    assert!(
        !text.contains(|c: char| c.is_whitespace() || c.is_control()),
        "{text:?}"
    );
    let naming = Naming {
        host: "localhost:5000".into(),
        cluster: "registry.pg-extensions:5000".into(),
    };
    if !text.starts_with(&naming.cluster) {
        let moved = naming.in_cluster(&image).to_string();
        assert_eq!(
            naming.on_host(&moved.parse().unwrap_or(image.clone())),
            image
        );
    }
}

/// Releases, one a line: each is printed as it is read, and their order is one.
pub fn operator_release(data: &[u8]) {
    let releases: Vec<Release> = text(data)
        .lines()
        .filter_map(|line| line.parse().ok())
        .collect();
    for release in &releases {
        let printed = release.to_string();
        assert_eq!(printed.parse::<Release>().ok().as_ref(), Some(release));
        if let Release::Numbered(number) = release {
            let place = if number.matches('.').count() == 2 {
                "/releases/"
            } else {
                "/artifacts/"
            };
            assert!(release.manifest("").contains(place), "{number}");
        }
        assert!(!release.is_newer_than(release));
    }
    for one in &releases {
        for other in &releases {
            let newer = one.is_newer_than(other);
            assert!(!(newer && other.is_newer_than(one)), "{one} and {other}");
            assert!(!newer || one.rank() > other.rank(), "{one} and {other}");
        }
    }
}

/// One word a line: what is printed of a command is, for a shell, exactly its words.
pub fn shell_line(data: &[u8]) {
    let text = text(data);
    if text.contains('\0') || text.chars().any(is_hidden) || text.contains("##[") {
        // No argument can hold it, or it is printed by a `printf`, which only a shell can read.
        return;
    }
    let words: Vec<&str> = text.split("  ").collect();
    let cmd = Cmd::new("program", "try").args(&words);
    let printed = cmd.to_string();
    let read = shell_words::split(&printed).unwrap_or_default();
    assert_eq!(
        read.first().map(String::as_str),
        Some("program"),
        "{printed}"
    );
    assert_eq!(read[1..], words, "{printed}");
}

/// Whatever a tool says: on a terminal one line that acts on nothing, for a runner no command of its own, in a
/// table one cell.
pub fn shown_text(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let once = printable(&text);
    assert!(!once.contains(is_hidden), "{once:?}");
    assert_eq!(printable(&once), once);
    let fit = Fit::of(&text);
    // The styles of a plain line are empty.
    assert!(!fit.terminal.contains(is_hidden), "{:?}", fit.terminal);
    assert!(!fit.runner.contains(is_hidden), "{:?}", fit.runner);
    assert!(
        !fit.runner.trim_start().starts_with("::"),
        "{:?}",
        fit.runner
    );
    assert!(!fit.runner.contains("##["), "{:?}", fit.runner);
    assert!(!fit.command.contains(is_hidden), "{:?}", fit.command);
    let property = fit.command.split("::").nth(1).unwrap_or_default();
    let property = property.strip_prefix("error").unwrap_or("?");
    assert!(
        property.is_empty() || property.starts_with(" file="),
        "{:?}",
        fit.command
    );
    assert!(!property.contains(','), "{:?}", fit.command);
    assert!(!fit.cell.contains(is_hidden), "{:?}", fit.cell);
    assert!(!fit.cell.contains(['<', '@']), "{:?}", fit.cell);
    let mut marks = fit.cell.chars();
    while let Some(c) = marks.next() {
        match c {
            '\\' => assert!(marks.next().is_some(), "{:?}", fit.cell),
            _ => assert!(c != '|' && c != '`', "{:?}", fit.cell),
        }
    }
}

/// What a type of `value.rs` takes is printed as it was, is one line and no option; a login in an address is
/// not shown.
pub fn typed_value(data: &[u8]) {
    let text = text(data);
    macro_rules! hold {
        ($($type:ident)*) => {$(
            if let Ok(value) = text.parse::<$type>() {
                assert_eq!(value.to_string(), text);
                assert!($type::is(text));
                fits_into_a_command(text);
            }
        )*};
    }
    hold!(ClusterName HostName NetworkName);
    hold!(BuilderName DebianVersion Domain EnvironmentName Library Major Name PackageName Parameter);
    hold!(Platform Registry RepositoryPath SqlName SqlVersion Suite Url Variable);
    if is_tag(text) {
        fits_into_a_command(text);
    }
    // It is an option's value, where it may look like an option.
    if Username::is(text) {
        assert!(!text.is_empty() && !text.contains(is_hidden), "{text:?}");
    }
    // Characters that would end the place of a login are not in it, and what is looked for is not either.
    if !text.contains([',', '/', '?', '#', '@']) && !text.contains("correct-horse") {
        let shown = without_userinfo(&format!("https://user:correct-horse@{text}/x"));
        assert!(!shown.contains("correct-horse"), "{shown}");
    }
}

fn fits_into_a_command(text: &str) {
    assert!(!text.is_empty() && !text.starts_with('-'), "{text:?}");
    assert!(
        !text.contains(is_hidden) && !text.contains(char::is_whitespace),
        "{text:?}"
    );
    assert!(
        !text.contains(['\'', '"', '\\', '`', '|', '<', '>']),
        "{text:?}"
    );
}

#[cfg(test)]
pub(crate) mod tests;
