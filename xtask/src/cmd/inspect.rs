// SPDX-License-Identifier: Apache-2.0
//! `inspect`: the files of an image with their sizes.

use std::{
    fmt,
    path::Path,
    str::FromStr,
    sync::{Arc, OnceLock},
};

use serde_json::json;

use crate::{
    cli,
    context::Context,
    engine::{Access, Engine},
    exec::Exec,
    failure::Failure,
    image::{Contents, Entry, Image, ImageRef, Opened},
    own::source,
    plan::{Action, Cmd, Console, Location, Performed, Plan, Step, Undo, Work, shell::operand},
    tool::docker::RUN_LABEL,
    ui::{Row, Table},
};

/// In a folder of the run.
const ARCHIVE: &str = "files.tar";

pub(super) fn run(args: &cli::Inspect, context: &mut Context) -> anyhow::Result<()> {
    let image = ImageRef::from_str(&args.image)?;
    let engine = Engine::open(context, Access::Work.or_look(args.dry_run))?;
    let found = Found::default();
    let plan = plan(&image, context, &found);
    if engine.is_looked_at() {
        context.print(&engine, &plan);
        return Ok(());
    }
    let report = context.run(&engine.exec, &plan)?;
    context.verdict(&report, "inspect")?;
    let contents = found.0.get().cloned().unwrap_or_default();
    let value =
        json!({ "image": image.to_string(), "size": contents.size, "files": contents.files });
    context.result(args.json, value, &Table::of(&contents.files));
    let (count, size) = (contents.files.len(), contents.size);
    context
        .ui
        .conclusion(&format!("{count} files, {size} bytes"));
    Ok(())
}

/// Opens the image, which pulls it where the engine does not have it; lists its files by way of an archive, and leaves nothing of that.
fn plan(image: &ImageRef, context: &Context, found: &Found) -> Plan {
    let name = format!("xtask-inspect-{}", context.run_id.short());
    let opened = Opened {
        name: &name,
        label: &format!("{RUN_LABEL}={}", context.run_id),
        of: &format!("image `{image}`"),
    };
    let folder = Location::output(format!("target/xtask/inspect/{name}"));
    let export = Cmd::new("docker", format!("read the files of `{image}`"))
        .args(["export", "--output"])
        .arg(folder.join(ARCHIVE))
        .args(["--", &name]);
    let listing = List {
        folder: folder.clone(),
        found: found.clone(),
    };
    let place = Step::new("folder for files", Action::Folder(folder.clone())).quiet();
    let steps = [
        opened.open("open image", &Image::Given(image.clone())),
        place.undo(Undo::RemoveFolder(folder.clone())),
        Step::run("read files", export),
        Step::work("list files", listing).quiet(),
        opened.close("close image").quiet(),
        Step::new("clear files", Action::RemoveFolder(folder)).quiet(),
    ];
    let mut plan = Plan::default();
    let mut last = None;
    for step in steps {
        last = Some(plan.add(step.after(last)));
    }
    plan
}

/// Where a step leaves what it has found.
#[derive(Clone, Debug, Default)]
struct Found(Arc<OnceLock<Contents>>);

/// Lists the files of the archive in a folder.
#[derive(Debug)]
struct List {
    folder: Location,
    found: Found,
}

impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let archive = self.folder.join(ARCHIVE);
        write!(f, "tar --list --verbose --file {}", operand(&archive))
    }
}

impl Work for List {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let refused = |error: std::io::Error| {
            Failure::failed(format!(
                "the files that `docker export` gives cannot be read: {error}"
            ))
        };
        let archive = source::open_own(&self.folder, Path::new(ARCHIVE))?;
        let contents = Contents::read(archive).map_err(refused)?;
        self.found.0.get_or_init(|| contents);
        Ok(Performed::Done(None))
    }
}

impl Row for Entry {
    const HEADINGS: &'static [&'static str] = &["SIZE", "FILE"];

    fn cells(&self) -> Vec<String> {
        let file = match &self.link {
            Some(link) => format!("{} -> {link}", self.path),
            None => self.path.clone(),
        };
        vec![self.size.to_string(), file]
    }
}
