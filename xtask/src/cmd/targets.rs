// SPDX-License-Identifier: Apache-2.0
//! `targets`: the extensions and their images, for people and for a CI matrix.

use std::{path::Path, sync::Arc};

use serde::Serialize;
use serde_json::json;

use crate::{
    cli,
    context::Context,
    engine::{Access, Engine, print},
    environment::release::Release,
    exec::{Exec, Reason},
    extension::Extension,
    failure::Failure,
    plan::Cmd,
    stage::begin,
    target::{self, Filter, Target, Targets},
    tool::git,
    ui::{Row, Table},
    value::{Major, Platform, Server, Suite},
    workspace::{Aim, Changes, Chosen, Unread, Workspace},
};

pub(super) fn run(args: &cli::Targets, context: &mut Context) -> anyhow::Result<()> {
    if args.cnpg {
        return list_releases(args.json, context);
    }
    let workspace = begin::workspace(context)?;
    // A matrix may be empty, and so may what is read.
    let Chosen {
        mut extensions,
        mut unread,
    } = workspace.sorted_out(Aim::Images);
    warn_of_none(context, &workspace);
    if args.os_libs {
        extensions.retain(|extension| extension.auto_update_os_libs);
    }
    if let Some(reference) = &args.changed_since {
        let files = changed(context, &workspace.root, reference)?;
        let changes = Changes::of(files, &workspace.root, &context.config)?;
        extensions.retain(|extension| changes.concern(&extension.name, &workspace));
        unread.retain(|unread| changes.concern(&unread.name, &workspace));
    }
    let filter = Filter::from(&args.filters);
    // Names alone need nobody who says what is built of them.
    let are_built = args.images || !filter.is_empty();
    let mut targets = Targets::default();
    if are_built {
        let all = std::mem::take(&mut extensions);
        let refused;
        (targets, extensions, refused) = said(context, &workspace, &all, &filter)?;
        unread.extend(refused);
        begin::warn_unread(context, &unread);
    }
    let read = extensions.len();
    if !filter.is_empty() {
        let has_image = |name: &str| targets.chosen().any(|one| one.extension.name == name);
        extensions.retain(|extension| has_image(&extension.name));
    }
    extensions.sort_by(|a, b| a.name.cmp(&b.name));
    if args.images {
        let images: Vec<Image<'_>> = targets.chosen().map(Image::of).collect();
        context.rows(args.json, &images)?;
        return Ok(begin::check_read(&unread, read)?);
    }
    let names = extensions.iter().map(|one| one.name.as_str());
    let mut names: Vec<&str> = names.collect();
    // They are there, and their own commands say what is wrong with them.
    if !args.os_libs && filter.is_empty() {
        let is_unread = |name: &&str| unread.iter().any(|one| one.name == *name);
        names.extend(workspace.names().filter(is_unread));
        names.sort_unstable();
    }
    if !args.json && !are_built {
        begin::warn_unread(context, &unread);
    }
    if args.groups {
        list_groups(&workspace, &names, args, context);
    } else {
        list(&names, &extensions, args, context);
    }
    if are_built {
        begin::check_read(&unread, read)?;
    }
    Ok(())
}

/// The operator's releases: a matrix, or a table for people.
fn list_releases(json: bool, context: &mut Context) -> anyhow::Result<()> {
    let releases = Release::supported(&context.config)?;
    let releases: Vec<String> = releases.iter().map(Release::to_string).collect();
    if json {
        context.ui.one_line(&json!(releases));
        return Ok(());
    }
    let table = Table {
        headings: vec!["RELEASE"],
        rows: releases.iter().map(|name| vec![name.clone()]).collect(),
    };
    context.result(false, json!(releases), &table);
    Ok(())
}

/// The names: a matrix, or a table for people.
fn list(names: &[&str], extensions: &[Arc<Extension>], args: &cli::Targets, context: &mut Context) {
    if args.json {
        context.ui.one_line(&json!(names));
        return;
    }
    context.result(false, json!(names), &table(names, extensions));
    conclude(names, args, context);
}

/// The same, those that need each other as one: as every command takes them.
fn list_groups(workspace: &Workspace, names: &[&str], args: &cli::Targets, context: &mut Context) {
    let groups = workspace.groups(names).into_iter();
    let groups: Vec<String> = groups.map(|group| group.join(",")).collect();
    if args.json {
        context.ui.one_line(&json!(groups));
        return;
    }
    let table = Table {
        headings: vec!["EXTENSIONS"],
        rows: groups.iter().map(|group| vec![group.clone()]).collect(),
    };
    context.result(false, json!(groups), &table);
    conclude(names, args, context);
}

fn conclude(names: &[&str], args: &cli::Targets, context: &Context) {
    if let (true, Some(reference)) = (names.is_empty(), &args.changed_since) {
        let said = format!("no extension differs from `{reference}`");
        context.ui.conclusion(&said);
    }
}

/// Whoever tries it in any repository is to know why nothing is listed.
fn warn_of_none(context: &Context, workspace: &Workspace) {
    if workspace.names().next().is_some() {
        return;
    }
    let Failure { message, hint, .. } = workspace.without_extensions();
    let hint = hint.map(|hint| format!("; {hint}"));
    context
        .ui
        .warning(&format!("{message}{}", hint.unwrap_or_default()));
}

/// What bake builds, the extensions of which it says that, and the others.
fn said(
    context: &mut Context,
    workspace: &Workspace,
    all: &[Arc<Extension>],
    filter: &Filter,
) -> anyhow::Result<(Targets, Vec<Arc<Extension>>, Vec<Unread>)> {
    if all.is_empty() {
        return Ok(Default::default());
    }
    let engine = Engine::open(context, Access::Look)?;
    let matrix = print::matrix(context, &engine, workspace, all)?;
    let (said, refused) = target::said(all, Aim::Images, workspace, &matrix);
    let targets = Targets::resolve(&said, filter, workspace, &matrix)?;
    begin::warn_unmatched(context, &targets, &[]);
    Ok((targets, said, refused))
}

/// A row for each name; of those that are none of the extensions nothing is known.
fn table(names: &[&str], extensions: &[Arc<Extension>]) -> Table {
    let row = |name: &&str| {
        let mut read = extensions.iter();
        let Some(extension) = read.find(|extension| extension.name == **name) else {
            return [name, "-", "not read", ""].map(str::to_owned).to_vec();
        };
        let servers = extension.versions.keys().map(Server::to_string);
        vec![
            extension.name.clone(),
            extension.image_name.clone(),
            servers.collect::<Vec<_>>().join(" "),
            extension.required_extensions.join(" "),
        ]
    };
    Table {
        headings: vec!["EXTENSION", "IMAGE", "BUILT FOR", "NEEDS"],
        rows: names.iter().map(row).collect(),
    }
}

/// An image that can be built.
#[derive(Serialize)]
struct Image<'a> {
    name: &'a str,
    target: &'a str,
    distro: &'a Suite,
    pg_major: &'a Major,
    version: Option<&'a str>,
    package: Option<&'a str>,
    sql_name: &'a str,
    sql_version: Option<&'a str>,
    image: &'a str,
    /// All that bake gives it, with `{YYYYMMDDhhmm}` for the moment of the bake.
    tags: Vec<String>,
    #[serde(skip)]
    tag: String,
    platforms: &'a [Platform],
    base: String,
    required_extensions: &'a [String],
}

impl<'a> Image<'a> {
    fn of(target: &'a Target) -> Self {
        let extension = &target.extension;
        Self {
            name: &extension.name,
            target: &target.name,
            distro: &target.server.distro,
            pg_major: &target.server.major,
            version: target.version.as_deref(),
            package: target.package.as_deref(),
            sql_name: &extension.sql_name,
            sql_version: target.sql_version.as_deref(),
            image: &target.tag.repository,
            tags: target.tags(),
            tag: target.tag.to_string(),
            platforms: &target.platforms,
            base: target.base.to_string(),
            required_extensions: &extension.required_extensions,
        }
    }
}

impl Row for Image<'_> {
    const HEADINGS: &'static [&'static str] = &["EXTENSION", "DISTRO", "PG", "PACKAGE", "IMAGE"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.to_owned(),
            self.distro.to_string(),
            self.pg_major.to_string(),
            self.package.unwrap_or("-").to_owned(),
            self.tag.clone(),
        ]
    }
}

/// The files that differ between the merge base with `reference` and the working tree, new ones included.
fn changed(context: &Context, root: &Path, reference: &str) -> Result<Vec<String>, Failure> {
    let ask = |cmd: &Cmd, silent: &dyn Fn() -> Failure| {
        let answer = context.exec.read(cmd, None);
        answer.map_err(|failed| match (&failed.reason, failed.cause()) {
            // Of some forms of a reference Git says nothing, and ends with 128.
            (Reason::Status(1), _) | (Reason::Status(128), None) => silent(),
            (_, Some(said)) if said.contains(git::NO_REPOSITORY) => Failure::from(failed).hint(
                "`--changed-since` compares with a commit: run it in a clone that Git has made",
            ),
            _ => Failure::from(failed),
        })
    };
    let fetch = "in CI, fetch enough history: `fetch-depth: 0`";
    let commit = ask(&git::commit_cmd(root, reference), &|| {
        let nothing = !reference.is_empty() && reference.bytes().all(|byte| byte == b'0');
        let failure = Failure::invalid(format!("`{reference}` is not a commit of this repository"));
        failure.hint(if reference == "HEAD" {
            "nothing was committed here yet: `git commit` first"
        } else if nothing {
            "GitHub gives zeros for a branch that has just been made: compare with the branch that it is to be merged into"
        } else {
            fetch
        })
    })?;
    let ancestor = ask(&git::ancestor_cmd(root, commit.trim()), &|| {
        Failure::invalid(format!(
            "`{reference}` and what is checked out have no common ancestor here"
        ))
        .hint(fetch)
    })?;
    let mut files = String::new();
    for cmd in [
        git::changed_cmd(root, ancestor.trim()),
        git::untracked_cmd(root),
    ] {
        files += &context.exec.read(&cmd, None).map_err(Failure::from)?;
    }
    Ok(git::names(&files).collect())
}
