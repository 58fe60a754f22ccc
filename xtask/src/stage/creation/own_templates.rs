// SPDX-License-Identifier: Apache-2.0
//! The repository's own templates, `templates/*.tmpl`, in the language and with the fields of the old tooling. What the archive says
//! is put into the metadata that they make.

use std::{
    collections::BTreeMap,
    ops::Range,
    path::{Path, PathBuf},
};

use super::{
    draft::Draft,
    metadata::{Layout, quoted},
};
use crate::{
    failure::Failure,
    finding::Findings,
    hcl::File,
    own::source,
    template::{self, Value},
};

/// Below the root.
const FOLDER: &str = "templates";
const END: &str = ".tmpl";

/// The files that the templates make, relative to the extension's directory. Empty: the repository has none.
pub(crate) fn filled(draft: &mut Draft, root: &Path) -> Result<Vec<(PathBuf, String)>, Failure> {
    let mut all = Vec::new();
    // What they say of packages means nothing for what is built from source.
    let of_packages = |name: &String| ["Dockerfile", "metadata.hcl"].contains(&name.as_str());
    let is_of_source = draft.source.is_some();
    let names = names(root).into_iter();
    for name in names.filter(|name| !is_of_source || !of_packages(name)) {
        let place = Path::new(FOLDER).join(format!("{name}{END}"));
        let Some(text) = source::read(root, &place)? else {
            continue;
        };
        let filled = template::filled(&text, &fields(draft)).map_err(|wrong| {
            Failure::invalid(format!("{}:{}: {}", place.display(), wrong.line, wrong.why)).hint(
                "templates are those of Go's `text/template`, with the functions and fields of the old tooling",
            )
        })?;
        let filled = if name == "metadata.hcl" {
            with_values(&filled, draft, &place)?
        } else {
            filled
        };
        all.push((PathBuf::from(name), filled));
    }
    Ok(all)
}

/// The names of the files, without the end.
fn names(root: &Path) -> Vec<String> {
    let entries = fs_err::read_dir(root.join(FOLDER)).into_iter().flatten();
    let names = entries.filter_map(|entry| {
        let name = entry.ok()?.file_name().into_string().ok()?;
        let name = name.strip_suffix(END)?;
        (!name.is_empty() && !name.starts_with('.')).then(|| name.to_owned())
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// What the old tooling gave to its templates.
fn fields(draft: &Draft) -> BTreeMap<&'static str, Value> {
    let once = |texts: Vec<String>| {
        let mut all: Vec<Value> = Vec::new();
        for text in texts {
            let text = Value::Text(text);
            if !all.contains(&text) {
                all.push(text);
            }
        }
        Value::List(all)
    };
    let servers = || draft.pins.keys().rev();
    let package = draft
        .packages
        .first()
        .map(|one| one.replace("{pg}", "%version%"));
    let example = draft.example().map(|(server, _)| server);
    let number = example.and_then(|server| server.major.number());
    let distro = example.map(|server| server.distro.to_string());
    BTreeMap::from([
        ("Name", Value::Text(draft.name.to_string())),
        (
            "Versions",
            once(servers().map(|server| server.major.to_string()).collect()),
        ),
        (
            "Distros",
            once(servers().map(|server| server.distro.to_string()).collect()),
        ),
        ("Package", Value::Text(package.unwrap_or_default())),
        (
            "DefaultVersion",
            Value::Number(i64::from(number.unwrap_or_default())),
        ),
        ("DefaultDistro", Value::Text(distro.unwrap_or_default())),
    ])
}

/// What is known, in the place of what the template says. A field that it does not have is left to a person.
fn with_values(text: &str, draft: &mut Draft, place: &Path) -> Result<String, Failure> {
    let mut findings = Findings::about(place);
    let Some(file) = File::parse(text, &mut findings) else {
        let failure = Failure::invalid(format!("{} makes no metadata.hcl", place.display()));
        let said = findings.all.iter().map(|one| one.message.clone());
        return Err(said.fold(failure, Failure::detail));
    };
    let at = |path: &[&str]| file.value_at(&[&["metadata"], path].concat());
    let mut edits: Vec<(Range<usize>, String)> = Vec::new();
    let mut lacking = Vec::new();
    for (name, value) in draft.fields(Layout::Own) {
        let is_known = match name {
            "licenses" => draft.licences.is_some(),
            "create_extension" => draft.is_known() || !draft.is_created,
            _ => draft.is_known(),
        };
        match at(&[name]).filter(|_| is_known) {
            Some(span) => edits.push((span, value)),
            None if is_known && !["[]", "{}", "false"].contains(&value.as_str()) => {
                lacking.push(format!(
                    "the template has no `{name}`, which is to be {value}"
                ));
            }
            None => {}
        }
    }
    for (server, pin) in &draft.pins {
        let field = |name| at(&["versions", &server.distro, &server.major, name]);
        if let (Some(span), Some(version)) = (field("package"), &pin.package) {
            edits.push((span, quoted(version)));
        }
        match (field("sql"), &pin.sql) {
            (Some(span), Some(version)) => edits.push((span, quoted(version))),
            (Some(span), None) if !draft.is_created => {
                edits.push((with_comments(&file.text, span), String::new()));
            }
            _ => {}
        }
    }
    draft.undecided.extend(lacking);
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut new = file.text.clone();
    for (span, value) in edits {
        new.replace_range(span, &value);
    }
    Ok(new)
}

/// The lines of a value with the comments above it.
fn with_comments(text: &str, span: Range<usize>) -> Range<usize> {
    let begin_of_line = |at: usize| text[..at].rfind('\n').map_or(0, |end| end + 1);
    let mut start = begin_of_line(span.start);
    while start > 0 {
        let above = begin_of_line(start - 1);
        if !text[above..start].trim_start().starts_with(['/', '#'])
            || text[above..start].contains("depName")
                && !text[above..start].contains("extractVersion")
        {
            break;
        }
        start = above;
    }
    let end = text[span.end..]
        .find('\n')
        .map_or(text.len(), |at| span.end + at + 1);
    start..end
}
