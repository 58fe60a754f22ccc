// SPDX-License-Identifier: Apache-2.0
//! What people write: metadata, Dockerfiles, settings, arguments. And what we have written ourselves, which they may edit.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    path::{Component, Path},
};

use serde_json::json;

use super::text;
use crate::{
    Refused, cli,
    config::{Config, E2E_SEED, MIRRORS, Origin, SETTINGS},
    dialect, dockerfile,
    extension::{Extension, Loaded, version_of},
    finding::Findings,
    hcl::{File, Value},
    parse,
    plan::PASSWORD,
    printable::is_hidden,
    run::{
        account::Account,
        kept::{self, KeptRun},
    },
    stage::{
        catalog::{Catalog, Entries, Read, merged},
        proofs,
        results::Earlier,
    },
    template,
    ui::html,
    value::{Digest, Name},
};

/// A catalog of others with one more entry has that and all else that it had, and is written once.
pub fn image_catalog(data: &[u8]) {
    let Read::Catalog(catalog) = Catalog::read(text(data)) else {
        return;
    };
    let entry = json!({"name": "ours", "image": {"reference": "x:1"}});
    let entries = catalog.majors().map(|major| {
        let mut entries = catalog.entries(major);
        entries.insert("ours".into(), merged(entries.get("ours"), &entry));
        (major, entries)
    });
    let entries: BTreeMap<u64, Entries> = entries.collect();
    let Ok(written) = catalog.with(&entries) else {
        return;
    };
    let Read::Catalog(again) = Catalog::read(&written.text) else {
        panic!("it is no catalog any more: {}", written.text);
    };
    for (major, wanted) in &entries {
        assert_eq!(again.entries(*major), *wanted);
    }
    let twice = again
        .with(&entries)
        .unwrap_or_else(|failure| panic!("{}", failure.message));
    assert_eq!(twice.text, written.text);
}

/// Of results that are read again, nothing leads out of the repository, and nothing is an option; what is read of one image alone
/// says of which.
pub fn earlier_results(data: &[u8]) {
    if let Ok(proof) = proofs::parse(text(data)) {
        assert!(Digest::is(&proof.digest), "{proof:?}");
    }
    for row in Earlier::read(data).unwrap_or_default() {
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

/// What the page of a run is made of.
const ELEMENTS: &[&str] = &[
    "a", "body", "code", "dd", "details", "div", "dl", "doctype", "dt", "fieldset", "footer", "g",
    "h1", "h2", "h3", "head", "header", "html", "input", "label", "legend", "li", "line", "main",
    "meta", "nav", "ol", "p", "pre", "rect", "section", "span", "strong", "style", "summary",
    "svg", "table", "tbody", "td", "text", "th", "thead", "title", "tr", "ul",
];

/// A run's record is refused, or its page holds no element but ours and nothing hidden.
pub fn run_record(data: &[u8]) {
    let Ok(record) = kept::parse(data) else {
        return;
    };
    let run = KeptRun {
        name: "0000000001-0123456789abcdef".to_owned(),
        is_held: false,
        record,
    };
    let page = html(&Account::of(Path::new("/nonexistent"), run));
    for element in page.split('<').skip(1) {
        let end = |c: char| !c.is_ascii_alphanumeric();
        let name = element.trim_start_matches(['/', '!']).split(end).next();
        assert!(ELEMENTS.contains(&name.unwrap_or_default()), "<{element}");
    }
    assert!(
        !page.contains(|c: char| c != '\n' && is_hidden(c)),
        "{page:?}"
    );
}

/// A template is filled in, or refused with one of its lines.
pub fn extension_template(data: &[u8]) {
    let text = text(data);
    let value = |text: &str| template::Value::Text(text.to_owned());
    let fields = BTreeMap::from([
        ("Name", value("x")),
        (
            "Distros",
            template::Value::List(vec![value("a"), value("b")]),
        ),
        ("DefaultVersion", template::Value::Number(18)),
    ]);
    if let Err(wrong) = template::filled(text, &fields) {
        let lines = text.matches('\n').count() + 1;
        assert!((1..=lines).contains(&wrong.line), "{wrong:?}");
    }
}

/// An extension is taken only as the rules say, and what is said of it is said of one of its lines.
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
    let command = cli::command();
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
