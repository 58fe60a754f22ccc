// SPDX-License-Identifier: Apache-2.0
//! `man`: a manual page for every command, in a folder of the user's choice. No other file there is touched.

use anyhow::Context as _;
use clap::Command;
use clap_mangen::Man;
use serde::Serialize;

use crate::{
    cli,
    context::Context,
    failure::Failure,
    own::{Location, file, source},
    ui::{Row, counted},
};

/// By this a page is known to be ours.
const MARK: &str = ".\\\" Written by `cargo xtask man`.\n";
/// The section of commands.
const SECTION: &str = "1";

pub(super) fn run(args: &cli::Man, context: &mut Context) -> anyhow::Result<()> {
    let folder = Location::Named(context.resolve(&args.folder));
    // In a manual a command has one name; `cargo xtask` is two words.
    let mut command = whole(cli::command().name("xtask").bin_name("xtask"));
    command.build();
    let mut pages = Vec::new();
    collect(&command, &mut pages)?;
    for page in &pages {
        check_ours(&folder.below(&page.file))?;
    }
    let rows = pages.iter().map(|page| Written {
        file: args.folder.join(&page.file).display().to_string(),
        about: page.about.clone(),
    });
    let rows: Vec<Written> = rows.collect();
    for page in &pages {
        file::write_atomically(&folder.below(&page.file), &page.text)?;
    }
    context.rows(args.json, &rows)?;
    let pages = counted(rows.len(), "manual page");
    context.ui.conclusion(&format!("{pages} written"));
    Ok(())
}

/// With what only `--help` shows.
fn whole(command: Command) -> Command {
    command
        .mut_args(|arg| arg.hide_short_help(false))
        .mut_subcommands(whole)
}

struct Page {
    file: String,
    about: String,
    text: String,
}

/// The page of a command and those of the commands below it.
fn collect(command: &Command, pages: &mut Vec<Page>) -> anyhow::Result<()> {
    let name = command.get_display_name().unwrap_or(command.get_name());
    let page = Man::new(command.clone())
        .title(name.to_uppercase())
        .section(SECTION)
        .source(format!("xtask {}", env!("CARGO_PKG_VERSION")));
    let mut text = MARK.as_bytes().to_vec();
    page.render(&mut text)
        .with_context(|| format!("failed to make the manual page of `{name}`"))?;
    let about = command.get_about();
    pages.push(Page {
        file: format!("{name}.{SECTION}"),
        about: about.map_or_else(String::new, ToString::to_string),
        text: String::from_utf8(text)?,
    });
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        collect(sub, pages)?;
    }
    Ok(())
}

/// Refuses to write over what `man` has not written.
fn check_ours(page: &Location) -> Result<(), Failure> {
    match source::read_named(page)? {
        Some(there) if !there.starts_with(MARK) => Err(Failure::invalid(format!(
            "`{}` is there, and is no page of this command's: it would be written over",
            page.display()
        ))
        .hint("move it away, or name another folder")),
        _ => Ok(()),
    }
}

/// A page that was written.
#[derive(Serialize)]
struct Written {
    file: String,
    about: String,
}

impl Row for Written {
    const HEADINGS: &'static [&'static str] = &["PAGE", "OF"];

    fn cells(&self) -> Vec<String> {
        vec![self.file.clone(), self.about.clone()]
    }
}
