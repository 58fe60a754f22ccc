// SPDX-License-Identifier: Apache-2.0
//! What images that one server gets have of each other's: files of which it finds one alone, and settings that it can have once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{
    extension::Extension,
    finding::Severity,
    image::{Entry, Inventory},
    mount::{Folders, Mounted, Mounts},
};

/// What images clash in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    /// Control files and scripts of an SQL extension.
    Extension,
    /// A module, which the server looks for.
    Module,
    /// A library, which the dynamic linker looks for.
    Library,
    Program,
    Variable,
    Parameter,
    /// `shared_preload_libraries`.
    Preload,
}

/// Two images that have the same thing in two ways.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub(crate) struct Clash {
    pub kind: Kind,
    /// What both have.
    pub name: String,
    /// The one that counts first.
    pub extensions: [String; 2],
    pub message: String,
    /// A warning: both are used, beside each other.
    pub severity: Severity,
}

/// An image's own of something that is looked for by a name.
struct Own<'a> {
    extension: &'a str,
    path: &'a str,
    /// Two that have the same are the same.
    content: Vec<String>,
}

/// What is looked for, by kind and name; those that have it stand in mounting order.
type Named<'a> = BTreeMap<(Kind, String), Vec<Own<'a>>>;

/// All of them, errors first. `image` gives what is in the image of an extension.
pub(crate) fn all<'a, S>(
    mounts: &'a Mounts<S>,
    image: impl Fn(&str) -> Option<&'a Inventory>,
) -> Vec<Clash> {
    let mut named = Named::new();
    for one in mounts.iter() {
        if let Some(image) = image(&one.extension.name) {
            add(&mut named, &one.extension, image);
        }
    }
    let mut found = BTreeSet::new();
    for ((kind, name), owners) in &named {
        let Some((first, others)) = owners.split_first() else {
            continue;
        };
        let differs =
            |other: &&Own<'_>| other.content != first.content && other.extension != first.extension;
        for other in others.iter().filter(differs) {
            found.insert(shadow(*kind, name, first, other));
        }
    }
    found.extend(beside(&named));
    found.extend(variables(mounts));
    found.extend(parameters(mounts));
    found.extend(preload(mounts));
    let mut found: Vec<Clash> = found.into_iter().collect();
    found.sort_by_key(|clash| std::cmp::Reverse(clash.severity));
    found
}

fn add<'a>(named: &mut Named<'a>, extension: &'a Extension, image: &'a Inventory) {
    let mut add = |kind, name: &str, path: &'a str, content| {
        let own = Own {
            extension: &extension.name,
            path,
            content,
        };
        named.entry((kind, name.to_owned())).or_default().push(own);
    };
    let files = image.contents.files.iter();
    let is_in = |file: &Entry, folders: Folders, below: &str| {
        let mut folders = folders.of(extension).into_iter();
        folders.any(|folder| file.folder() == format!("/{folder}{below}").trim_end_matches('/'))
    };
    for file in files {
        let (name, path) = (file.name(), file.path.as_str());
        if is_in(file, Folders::Control, "/extension") {
            if let Some(name) = name
                .strip_suffix(".control")
                .filter(|name| !name.contains("--"))
            {
                add(
                    Kind::Extension,
                    name,
                    path,
                    scripts(image, file.folder(), name),
                );
            }
        } else if is_in(file, Folders::Library, "") && is_module(name) {
            add(Kind::Module, name, path, vec![content(image, file)]);
        } else if is_in(file, Folders::Linker, "") && name.contains(".so") {
            add(Kind::Library, name, path, vec![content(image, file)]);
        } else if is_in(file, Folders::Programs, "") {
            add(Kind::Program, name, path, vec![content(image, file)]);
        }
    }
    // Whatever a file is called: one that is loaded already is found by this name.
    for (path, elf) in image.read_objects() {
        let file = image.contents.files.iter().find(|file| file.path == path);
        let file = file
            .filter(|file| is_in(file, Folders::Linker, "") || is_in(file, Folders::Library, ""));
        if let (Some(file), Some(soname)) = (file, &elf.soname)
            && soname != file.name()
        {
            add(Kind::Library, soname, path, vec![content(image, file)]);
        }
    }
}

/// Whether the server finds a file by its name without the end.
fn is_module(name: &str) -> bool {
    name.strip_suffix(".so").is_some()
}

/// What an extension's control file and its scripts hold.
fn scripts(image: &Inventory, folder: &str, name: &str) -> Vec<String> {
    let control = format!("{name}.control");
    let begin = format!("{name}--");
    let files = image.contents.files.iter().filter(|file| {
        file.folder() == folder && (file.name() == control || file.name().starts_with(&begin))
    });
    let mut all: Vec<String> = files
        .map(|file| format!("{} {}", file.name(), content(image, file)))
        .collect();
    all.sort();
    all
}

/// What tells a file's content from another one's: its digest, or that of the file of the image that a link leads to.
fn content(image: &Inventory, file: &Entry) -> String {
    let mut at = file;
    // More than any library has.
    for _ in 0..8 {
        let Some(link) = &at.link else { break };
        let path = match link.strip_prefix('/') {
            Some(_) => link.clone(),
            None => format!("{}/{link}", at.folder()),
        };
        match image.contents.files.iter().find(|other| other.path == path) {
            Some(other) => at = other,
            None => return format!("link to {link}"),
        }
    }
    match &at.digest {
        Some(digest) => digest.to_string(),
        None => format!("{} bytes", at.size),
    }
}

fn shadow(kind: Kind, name: &str, first: &Own<'_>, other: &Own<'_>) -> Clash {
    let what = match kind {
        Kind::Extension => format!("the SQL extension `{name}`"),
        Kind::Module => format!("the module `{name}`"),
        Kind::Program => format!("the program `{name}`"),
        _ => format!("the library `{name}`"),
    };
    let (one, two) = (first.extension, other.extension);
    let (path, hidden) = (first.path, other.path);
    Clash {
        kind,
        name: name.to_owned(),
        extensions: [one.to_owned(), two.to_owned()],
        message: format!(
            "`{one}` and `{two}` both have {what}, and not the same: of `{path}` and `{hidden}` a server with both finds that of `{one}`, which is mounted first"
        ),
        severity: Severity::Error,
    }
}

/// Libraries of two versions, which one process loads both.
fn beside(named: &Named<'_>) -> Vec<Clash> {
    let stem = |name: &str| name.split(".so").next().unwrap_or_default().to_owned();
    let mut by_stem: BTreeMap<String, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for ((kind, name), owners) in named {
        // `libx.so.1` is what others need it as; `libx.so` and `libx.so.1.2.3` lead to the same.
        let is_soname = name
            .split(".so.")
            .nth(1)
            .is_some_and(|end| !end.contains('.'));
        if *kind == Kind::Library && is_soname {
            let of_stem = by_stem.entry(stem(name)).or_default();
            let owners = owners.iter().map(|own| own.extension);
            of_stem.entry(name).or_default().extend(owners);
        }
    }
    let mut found = Vec::new();
    for names in by_stem.values() {
        let all: Vec<(&str, &str)> = names
            .iter()
            .flat_map(|(name, owners)| owners.iter().map(move |owner| (*name, *owner)))
            .collect();
        for (at, (name, one)) in all.iter().enumerate() {
            for (other, two) in &all[at + 1..] {
                if name != other && one != two {
                    found.push(Clash {
                        kind: Kind::Library,
                        name: (*name).to_owned(),
                        extensions: [(*one).to_owned(), (*two).to_owned()],
                        message: format!(
                            "`{one}` brings `{name}` and `{two}` `{other}`: a server that uses both has two versions of a library in one process"
                        ),
                        severity: Severity::Warning,
                    });
                }
            }
        }
    }
    found
}

fn variables<S>(mounts: &Mounts<S>) -> Vec<Clash> {
    let mut set: BTreeMap<&str, (&str, String)> = BTreeMap::new();
    let mut found = Vec::new();
    for one in mounts.iter() {
        for (name, value) in one.variables() {
            let extension = one.extension.name.as_str();
            match set.get(name) {
                Some((first, said)) if *said != value => found.push(Clash {
                    kind: Kind::Variable,
                    name: name.to_owned(),
                    extensions: [extension.to_owned(), (*first).to_owned()],
                    message: format!(
                        "`{first}` sets the variable `{name}` to `{said}`, and `{extension}` to `{value}`: a server has one of them"
                    ),
                    severity: Severity::Error,
                }),
                Some(_) => {}
                None => {
                    set.insert(name, (extension, value));
                }
            }
        }
    }
    found
}

/// Of two where one needs the other that counts which does.
fn parameters<S>(mounts: &Mounts<S>) -> Vec<Clash> {
    let mut set: Vec<(&Mounted<S>, String, &str)> = Vec::new();
    let mut found = Vec::new();
    for one in mounts.iter() {
        let extension = one.extension.name.as_str();
        for (name, value) in &one.extension.postgresql_parameters {
            // Names of parameters are the same in any case.
            let name = name.to_lowercase();
            for (other, known, said) in &set {
                let is_needed =
                    mounts.needs(extension, other) || mounts.needs(&other.extension.name, one);
                if *known == name && *said != value && !is_needed {
                    let first = &other.extension.name;
                    found.push(Clash {
                        kind: Kind::Parameter,
                        name: name.clone(),
                        extensions: [extension.to_owned(), first.clone()],
                        message: format!(
                            "`{first}` wants the parameter `{name}` to be `{said}`, and `{extension}` `{value}`: a server has one value"
                        ),
                        severity: Severity::Error,
                    });
                }
            }
            set.push((one, name, value));
        }
    }
    found
}

fn preload<S>(mounts: &Mounts<S>) -> Vec<Clash> {
    let clashes = mounts.contradictions().into_iter().map(|found| {
        let ((one, first), (other, second)) = (found.one, found.other);
        Clash {
            kind: Kind::Preload,
            name: first.to_owned(),
            extensions: [one.to_owned(), other.to_owned()],
            message: format!(
                "`{one}` has `{first}` before `{second}` in `shared_preload_libraries`, and `{other}` behind it: no order suits both"
            ),
            severity: Severity::Error,
        }
    });
    clashes.collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        fuzzing::tests::extension,
        image::{Contents, Elf, Object, Said},
        value::Digest,
    };

    fn file(path: &str, text: &str) -> Entry {
        Entry {
            path: path.to_owned(),
            size: text.len() as u64,
            link: None,
            mode: None,
            digest: Some(Digest::of(text.as_bytes())),
        }
    }

    fn link(path: &str, to: &str) -> Entry {
        Entry {
            link: Some(to.to_owned()),
            digest: None,
            ..file(path, "")
        }
    }

    fn image(files: Vec<Entry>) -> Inventory {
        Inventory {
            contents: Contents { size: 0, files },
            ..Inventory::default()
        }
    }

    fn mounted(name: &str, needs: &[&str], change: impl Fn(&mut Extension)) -> Mounted<()> {
        let needs: Vec<String> = needs.iter().map(|name| (*name).to_owned()).collect();
        let mut extension = extension(name, &needs, &[("trixie", "18")]);
        extension.ld_library_path = vec!["system".into()];
        change(&mut extension);
        Mounted {
            extension: Arc::new(extension),
            source: (),
        }
    }

    /// What two images clash in, as `severity kind name: first, second`.
    fn clashes(one: &Inventory, two: &Inventory) -> Vec<String> {
        let mounts = Mounts::new(mounted("one", &[], |_| {}), [mounted("two", &[], |_| {})]);
        let found = all(&mounts, |name| Some(if name == "one" { one } else { two }));
        let found = found.iter().map(|clash| {
            let [first, second] = &clash.extensions;
            let (severity, kind) = (clash.severity.name(), clash.kind);
            format!("{severity} {kind:?} {}: {first}, {second}", clash.name)
        });
        found.collect()
    }

    #[test]
    fn files_that_are_looked_for_by_name_clash_where_they_differ() {
        let of = |text: &str| {
            image(vec![
                file("/share/extension/x.control", "same"),
                file("/share/extension/x--1.sql", text),
                file("/lib/x.so", text),
                file("/lib/bitcode/x/x.bc", text),
                file("/system/libgeos.so.3.1", text),
                link("/system/libgeos.so.3", "libgeos.so.3.1"),
                file("/licenses/x/copyright", text),
            ])
        };
        assert!(clashes(&of("a"), &of("a")).is_empty());
        assert_eq!(
            clashes(&of("a"), &of("b")),
            [
                "error Extension x: one, two",
                "error Module x.so: one, two",
                "error Library libgeos.so.3: one, two",
                "error Library libgeos.so.3.1: one, two",
            ]
        );
    }

    #[test]
    fn a_library_is_found_by_its_soname_whatever_its_file_is_called() {
        let of = |path: &str, text: &str| {
            let mut image = image(vec![file(path, text)]);
            let elf = Elf {
                soname: Some("libproj.so.25".into()),
                ..Elf::default()
            };
            image.objects.push(Object {
                path: path.to_owned(),
                says: Said::Read(elf),
            });
            image
        };
        let one = of("/system/libproj-own.so.25", "a");
        let wanted = "error Library libproj.so.25: one, two";
        assert_eq!(clashes(&one, &of("/system/libproj.so.25.1", "b")), [wanted]);
        assert!(clashes(&one, &of("/system/libproj.so.25.1", "a")).is_empty());
        // Nobody is told of that folder.
        assert!(clashes(&one, &of("/elsewhere/libproj.so.25", "b")).is_empty());
        let two = image(vec![file("/system/libproj.so.22", "c")]);
        let wanted = "warning Library libproj.so.22: two, one";
        assert_eq!(clashes(&one, &two), [wanted]);
    }

    #[test]
    fn settings_that_a_server_has_once_clash_unless_one_needs_the_other() {
        let with = |value: &'static str, libraries: &'static [&'static str]| {
            move |extension: &mut Extension| {
                extension.env = [("DATA".to_owned(), "${image_root}/data".to_owned())].into();
                let parameters = [("Wal.Level".to_owned(), value.to_owned())];
                extension.postgresql_parameters = parameters.into();
                let libraries = libraries.iter().map(|&name| name.to_owned());
                extension.shared_preload_libraries = libraries.collect();
            }
        };
        let found = |needs: &[&str]| {
            let one = mounted("one", needs, with("a", &["x", "y"]));
            let mounts = Mounts::new(one, [mounted("two", &[], with("b", &["y", "x"]))]);
            let found = all(&mounts, |_| None);
            found
                .into_iter()
                .map(|clash| clash.message)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            found(&[]),
            [
                "`one` sets the variable `DATA` to `/extensions/one/data`, and `two` to `/extensions/two/data`: a server has one of them",
                "`one` wants the parameter `wal.level` to be `a`, and `two` `b`: a server has one value",
                "`one` has `x` before `y` in `shared_preload_libraries`, and `two` behind it: no order suits both",
            ]
        );
        assert_eq!(found(&["two"]).len(), 2);
    }
}
