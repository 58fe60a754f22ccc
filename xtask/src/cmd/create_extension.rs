// SPDX-License-Identifier: Apache-2.0
//! `create-extension`: the directory of a new extension, and the places in the repository that name each.

mod archive;
mod compiled;
mod request;

use serde_json::json;

use crate::{
    cli,
    context::Context,
    engine::{Access, Engine},
    failure::Failure,
    image::ImageRef,
    plan::{AfterFailure, Plan},
    stage::{
        begin,
        creation::{Asked, Bases, Draft, Files, MadeOf, Mention, Request, others},
        left_open,
        package::Answer,
    },
    ui::Table,
    value::Server,
    workspace::Workspace,
};

pub(super) fn run(args: &cli::CreateExtension, context: &mut Context) -> anyhow::Result<()> {
    let workspace = begin::workspace(context)?;
    let request = request::of(args, &workspace)?;
    refuse_existing(&workspace, &request)?;
    for distro in request::new_distros(&request, &workspace) {
        context.ui.warning(&format!(
            "nothing here is built for `{distro}` yet: is there a base image of it?"
        ));
    }
    let Some(mut draft) = draft(args, context, &workspace, &request)? else {
        return Ok(());
    };
    let files = Files::of(&mut draft, &workspace, &context.config)?;
    let plan = files.plan();
    if args.dry_run {
        context.print_local(&plan);
        return Ok(());
    }
    let exec = context.exec.clone();
    let report = context.run(&exec, &plan)?;
    context.verdict(&report, "creating the extension")?;
    say(&files, &draft, args.json, context);
    Ok(())
}

/// What is known of it. None: that would have to be asked for, and the questions were printed.
fn draft(
    args: &cli::CreateExtension,
    context: &mut Context,
    workspace: &Workspace,
    request: &Request,
) -> anyhow::Result<Option<Draft>> {
    let access = Access::Work.or_look(args.dry_run);
    match &request.made_of {
        MadeOf::Package { name, is_named } if args.from_archive => {
            let engine = Engine::open(context, access)?;
            let wanted = archive::Wanted {
                request,
                package: name,
                is_named: *is_named,
            };
            archive::ask(context, &engine, workspace, wanted)
        }
        MadeOf::Package { .. } => Ok(Some(Draft::of(request))),
        MadeOf::Source(source) => {
            let engine = Engine::open(context, access)?;
            compiled::ask(context, &engine, workspace, (request, source))
        }
    }
}

/// What is there is somebody's work, whatever it is.
fn refuse_existing(workspace: &Workspace, request: &Request) -> Result<(), Failure> {
    let folder = workspace.shown(&request.name);
    if fs_err::symlink_metadata(workspace.root.join(&folder)).is_ok() {
        return Err(Failure::invalid(format!("`{}` exists", folder.display()))
            .hint("choose another name; what is there is left as it is"));
    }
    let mut others = workspace.extensions().iter();
    if let Some(other) = others.find(|one| one.image_name == *request.name) {
        return Err(Failure::invalid(format!(
            "`{}` has the image name `{}` already",
            other.name, other.image_name
        ))
        .hint("choose another name"));
    }
    Ok(())
}

/// What was made, what was added elsewhere, and what is left to do.
fn say(files: &Files, draft: &Draft, json: bool, context: &mut Context) {
    let own = files.own.iter().map(|(path, text)| {
        let path = files.folder.join(path).display().to_string();
        vec![path, state(text)]
    });
    let elsewhere = files.mentions.iter().map(|(path, mention)| {
        let said = match mention {
            Mention::Written { added, .. } => format!("added: {added}"),
            Mention::Left(what) => format!("unchanged: {what}"),
        };
        vec![path.display().to_string(), said]
    });
    let table = Table {
        headings: vec!["FILE", "WHAT"],
        rows: own.chain(elsewhere).collect(),
    };
    let is_written = |mention: &Mention| matches!(mention, Mention::Written { .. });
    let mentioned = files.mentions.iter().filter(|(_, one)| is_written(one));
    let left = files.left_to_do(draft);
    let value = json!({
        "name": draft.name,
        "directory": files.folder,
        "files": files.own.iter().map(|(path, _)| files.folder.join(path)).collect::<Vec<_>>(),
        "mentioned_in": mentioned.map(|(path, _)| path).collect::<Vec<_>>(),
        "left_to_do": left,
    });
    context.result(json, value, &table);
    for one in &left {
        context.ui.warning(one);
    }
    let next = if draft.is_known() {
        format!("`cargo xtask smoke {}` builds and tries it", draft.name)
    } else {
        format!(
            "write its versions into metadata.hcl, then `cargo xtask checks {}`",
            draft.name
        )
    };
    let folder = files.folder.display();
    context
        .ui
        .conclusion(&format!("`{folder}` is there: {next}"));
}

/// How far a file is done.
fn state(text: &str) -> String {
    match left_open::anywhere(text).len() {
        0 => "written".to_owned(),
        1 => "written, with 1 thing for a person to decide".to_owned(),
        many => format!("written, with {many} things for a person to decide"),
    }
}

/// What a new extension is asked in the base image of each server, at the same time.
struct Questions<'a> {
    engine: &'a Engine,
    workspace: &'a Workspace,
    request: &'a Request,
    bases: &'a Bases,
    /// What has failed when one of them has, for people.
    purpose: &'a str,
}

impl Questions<'_> {
    /// Asks as `add` plans it for each server, which is told what else the repository has for that one. None: the engine was only
    /// looked at, and the questions were printed.
    fn ask(
        &self,
        context: &mut Context,
        add: impl Fn(&mut Plan, &Context, &[String], (&Server, &ImageRef)) -> Answer,
    ) -> anyhow::Result<Option<Vec<Asked>>> {
        let mut plan = Plan {
            // What is known of one server is known without the others.
            after_failure: AfterFailure::KeepGoing,
            ..Plan::default()
        };
        let asked = self.bases.ask(|server, base| {
            let others = others(self.workspace, server);
            add(&mut plan, context, &others, (server, base))
        });
        if self.engine.is_looked_at() {
            plan.note(format!(
                "what these find out becomes `{}`: a run writes it when they have ended",
                self.workspace.shown(&self.request.name).display()
            ));
            context.print(self.engine, &plan);
            return Ok(None);
        }
        let report = context.run(&self.engine.exec, &plan)?;
        context.verdict(&report, self.purpose)?;
        Ok(Some(asked))
    }
}
