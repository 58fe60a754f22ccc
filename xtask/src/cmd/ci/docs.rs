// SPDX-License-Identifier: Apache-2.0
//! `ci docs`: the documents that are made of what the program knows of itself, so that they cannot say anything else: commands,
//! settings, symptoms, and the picture of a run.

mod commands;
mod picture;
mod settings;
mod troubleshooting;

use std::path::Path;

use serde::Serialize;

use crate::{
    cli,
    context::Context,
    failure::Failure,
    own::{Location, file, source},
    ui::{Row, counted},
};

/// On top of each document that is made altogether.
const MADE: &str = "<!-- SPDX-License-Identifier: Apache-2.0 -->\n<!-- Made by `cargo xtask ci docs`: what stands here is changed there. -->\n";

/// How a document is made of what its file and others hold now.
type Make = fn(&Path) -> Result<String, Failure>;

const DOCUMENTS: &[(&str, Make)] = &[
    ("docs/reference/commands.md", |_| Ok(commands::document())),
    ("docs/reference/settings.md", |_| Ok(settings::document())),
    (TROUBLESHOOTING, troubleshooting::document),
    ("docs/pictures/smoke.svg", picture::document),
];

/// It has parts that people have written.
const TROUBLESHOOTING: &str = "docs/troubleshooting.md";

pub(super) fn run(args: &cli::Docs, context: &mut Context) -> anyhow::Result<()> {
    let mut rows = Vec::new();
    for (path, make) in DOCUMENTS {
        let text = make(&context.root)?;
        let there = source::read(&context.root, Path::new(path))?;
        let result = match there.as_deref() {
            Some(there) if there == text => "current",
            _ if args.check => "out of date",
            _ => {
                let location = Location::Repository(context.root.join(path));
                file::write_atomically(&location, &text)?;
                "written"
            }
        };
        rows.push(Document {
            file: (*path).to_owned(),
            result,
        });
    }
    context.rows(args.json, &rows)?;
    let stale = rows.iter().filter(|row| row.result == "out of date");
    match stale.count() {
        0 => Ok(()),
        count => {
            let stale = counted(count, "document");
            Err(Failure::failed(format!("{stale} out of date"))
                .hint("`cargo xtask ci docs` writes them: commit what it has written")
                .into())
        }
    }
}

#[derive(Serialize)]
struct Document {
    file: String,
    result: &'static str,
}

impl Row for Document {
    const HEADINGS: &'static [&'static str] = &["FILE", "RESULT"];

    fn cells(&self) -> Vec<String> {
        vec![self.file.clone(), self.result.to_owned()]
    }
}

/// A file that a document is made of.
fn read(root: &Path, path: &str) -> Result<String, Failure> {
    source::read(root, Path::new(path))?
        .ok_or_else(|| Failure::invalid(format!("`{path}` does not exist")))
}

/// Text in a cell of a table.
fn cell(text: &str) -> String {
    text.trim().replace('|', "\\|").replace('\n', " ")
}

/// Text as code, whatever backticks it holds.
fn code(text: &str) -> String {
    if text.contains('`') {
        format!("`` {text} ``")
    } else {
        format!("`{text}`")
    }
}

/// A sentence with its full stop.
fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', '?', '!', ':', '…']) {
        text.to_owned()
    } else {
        format!("{text}.")
    }
}
