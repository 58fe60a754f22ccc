// SPDX-License-Identifier: Apache-2.0
//! `targets`: the extensions and their images, for people and for a CI matrix.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    cli::{Format, Targets},
    context::Context,
    exec::Exec,
    extension::Extension,
    failure::Failure,
    matrix::{self, Build, Filter},
    plan::Cmd,
    ui::Table,
    workspace::Workspace,
};

pub(super) fn run(args: &Targets, context: &mut Context) -> anyhow::Result<()> {
    let workspace = context.workspace()?;
    // A matrix may be empty.
    let mut extensions = match workspace.names().next() {
        Some(_) => workspace.select(&[], true)?,
        None => Vec::new(),
    };
    if args.os_libs {
        extensions.retain(|extension| extension.auto_update_os_libs);
    }
    if let Some(reference) = &args.changed_since {
        let changed = changed(context, &workspace, reference)?;
        extensions.retain(|extension| concerns(extension, &workspace, &changed));
    }
    let filter = Filter::from(&args.filters);
    let builds = if extensions.is_empty() {
        Vec::new()
    } else {
        matrix::builds(&extensions, &filter, &context.config)?
    };
    if !filter.is_empty() {
        extensions.retain(|extension| {
            builds
                .iter()
                .any(|build| build.extension.name == extension.name)
        });
    }
    extensions.sort_by(|a, b| a.name.cmp(&b.name));
    if args.images {
        let table = Table {
            headings: vec!["EXTENSION", "DISTRO", "PG", "PACKAGE", "IMAGE"],
            rows: builds
                .iter()
                .map(|build| {
                    vec![
                        build.extension.name.clone(),
                        build.distro.clone(),
                        build.pg_major.clone(),
                        build.package.clone(),
                        build.tag(),
                    ]
                })
                .collect(),
        };
        let images: Vec<Value> = builds.iter().map(image).collect();
        context.ui.result(args.json, &json!(images), &table);
        return Ok(());
    }
    let names: Vec<&str> = extensions
        .iter()
        .map(|extension| extension.name.as_str())
        .collect();
    if args.json && context.global.format == Format::Text {
        // On one line: it goes into `matrix=…` of a workflow's output file as it is.
        context.ui.data(&format!("{}\n", json!(names)));
        return Ok(());
    }
    let table = Table {
        headings: vec!["EXTENSION", "IMAGE", "BUILT FOR", "NEEDS"],
        rows: extensions
            .iter()
            .map(|extension| {
                let pairs = extension.versions.iter().flat_map(|(distro, majors)| {
                    majors.keys().map(move |major| format!("{major}-{distro}"))
                });
                vec![
                    extension.name.clone(),
                    extension.image_name.clone(),
                    pairs.collect::<Vec<_>>().join(" "),
                    extension.required_extensions.join(" "),
                ]
            })
            .collect(),
    };
    context.ui.result(false, &json!(names), &table);
    Ok(())
}

fn image(build: &Build) -> Value {
    json!({
        "name": build.extension.name,
        "target": build.target,
        "distro": build.distro,
        "pg_major": build.pg_major,
        "version": build.version,
        "package": build.package,
        "sql_name": build.extension.sql_name,
        "sql_version": build.sql_version,
        "image": build.image,
        "tags": [build.tag()],
        "platforms": matrix::PLATFORMS,
        "base": build.base,
        "required_extensions": build.extension.required_extensions,
    })
}

/// The files that differ between the merge base with `reference` and the working tree, new ones included.
fn changed(
    context: &Context,
    workspace: &Workspace,
    reference: &str,
) -> anyhow::Result<Vec<String>> {
    let git = |purpose: &str, args: &[&str]| {
        let cmd = Cmd::new("git", purpose)
            .arg("-C")
            .arg(&workspace.root)
            .args(args);
        context.exec.read(&cmd, None)
    };
    let commit = format!("{reference}^{{commit}}");
    git(
        "find the commit",
        &[
            "rev-parse",
            "--verify",
            "--quiet",
            "--end-of-options",
            &commit,
        ],
    )
    .map_err(|failed| match failed.reason {
        crate::exec::Reason::Status(_) => {
            Failure::invalid(format!("`{reference}` is not a commit of this repository"))
                .hint("in CI, fetch enough history: `fetch-depth: 0`")
        }
        _ => failed.into(),
    })?;
    let base = git(
        "find the common ancestor",
        &["merge-base", "--end-of-options", reference, "HEAD"],
    )
    .map_err(Failure::from)?;
    let mut files = git(
        "list what differs",
        &[
            "diff",
            "-z",
            "--no-renames",
            "--name-only",
            "--relative",
            base.trim(),
        ],
    )
    .map_err(Failure::from)?;
    files += &git(
        "list new files",
        &["ls-files", "-z", "--others", "--exclude-standard"],
    )
    .map_err(Failure::from)?;
    Ok(files.split_terminator('\0').map(str::to_owned).collect())
}

/// Whether a change to one of `files` means building the extension again: its own files, those of an
/// extension that it needs, or shared ones. Prose at the root is not shared with any image.
fn concerns(extension: &Extension, workspace: &Workspace, files: &[String]) -> bool {
    let folder = |extension: &Extension| {
        extension
            .folder
            .strip_prefix(&workspace.root)
            .map(Path::to_owned)
            .unwrap_or_default()
    };
    let own: Vec<_> = std::iter::once(extension.clone())
        .chain(workspace.dependencies(extension))
        .map(|extension| folder(&extension))
        .collect();
    let mut known: Vec<_> = workspace.extensions().iter().map(folder).collect();
    // An extension that is gone was a folder with a metadata.hcl; no other is built from it.
    let gone = files
        .iter()
        .map(Path::new)
        .filter(|file| file.ends_with("metadata.hcl"));
    known.extend(gone.filter_map(Path::parent).map(Path::to_owned));
    files.iter().map(Path::new).any(|file| {
        let prose = file.parent() == Some(Path::new(""))
            && file.extension().is_some_and(|extension| extension == "md");
        let shared = !prose && !known.iter().any(|folder| file.starts_with(folder));
        shared || own.iter().any(|folder| file.starts_with(folder))
    })
}
