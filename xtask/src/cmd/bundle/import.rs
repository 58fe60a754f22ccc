// SPDX-License-Identifier: Apache-2.0
//! `bundle import`: checks a bundle, pushes its images by their digests, and looks whether the registry has them.

mod push;

use std::{collections::BTreeMap, fmt, path::PathBuf};

use self::push::Push;
use super::{Row, shown};
use crate::{
    cli,
    context::Context,
    engine::{Access, Engine},
    exec::Exec,
    failure::Failure,
    image::{
        ImageRef,
        bundle::{self, Index},
    },
    own::{file, source},
    plan::{Action, Console, Location, Performed, Plan, Step, StepId, Undo, Work, shell::operand},
    ui::counted,
    value::{Registry, split_host},
};

/// What clusters without a way to anywhere else are given.
const MANIFEST: &str = "target/xtask/bundle/operator-manifest.yaml";

pub(super) fn run(args: &cli::BundleImport, context: &mut Context) -> anyhow::Result<()> {
    let registry: Registry = args
        .to
        .parse()
        .map_err(|wanted| Failure::invalid(format!("`--to`: it must be {wanted}")))?;
    let file = context.resolve(&args.file);
    let opened = source::open_named(&file)?.ok_or_else(|| {
        Failure::invalid(format!("`{}` does not exist", file.display()))
            .hint("`cargo xtask bundle export FILE` writes one")
    })?;
    let index = bundle::index(opened)?;
    let pushes = pushes(&index, &registry)?;
    let engine = Engine::open(context, Access::Programs.or_look(args.dry_run))?;
    let request = Request {
        file,
        index,
        pushes,
        folder: Location::output(format!("target/xtask/bundle/{}", context.run_id.short())),
    };
    let plan = request.plan();
    if engine.is_looked_at() {
        context.print(&engine, &plan);
        return Ok(());
    }
    let report = context.run(&engine.exec, &plan)?;
    let rows: Vec<Row> = request.pushes.iter().map(Push::row).collect();
    context.rows(args.json, &rows)?;
    context.verdict(&report, "importing the bundle")?;
    let operator = match &request.index.operator {
        Some(_) => format!("; the operator's manifest, with its image from there: {MANIFEST}"),
        None => String::new(),
    };
    let images = counted(rows.len(), "image");
    context
        .ui
        .conclusion(&format!("{images} in `{registry}`{operator}"));
    Ok(())
}

/// The same image below another registry.
fn below(image: &ImageRef, registry: &Registry) -> Result<ImageRef, Failure> {
    let (_, path) = split_host(&image.repository);
    let moved = ImageRef {
        repository: format!("{registry}/{path}"),
        ..image.clone()
    };
    moved.to_string().parse()
}

/// What goes where. Refused where two images would have one name.
fn pushes(index: &Index, registry: &Registry) -> Result<Vec<Push>, Failure> {
    let mut all: BTreeMap<String, Push> = BTreeMap::new();
    for (image, digest) in &index.images {
        let to = below(image, registry)?;
        let push = Push::new(image.clone(), digest.clone(), to.clone());
        if let Some(other) = all.insert(to.to_string(), push)
            && other.digest != *digest
        {
            return Err(Failure::invalid(format!(
                "`{image}` and `{}` would both be `{to}`",
                other.image
            ))
            .hint("import them into folders of the registry of their own: export them into two bundles"));
        }
    }
    Ok(all.into_values().collect())
}

struct Request {
    file: PathBuf,
    index: Index,
    pushes: Vec<Push>,
    folder: Location,
}

impl Request {
    fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        let unpack = Unpack {
            file: self.file.clone(),
            folder: self.folder.clone(),
        };
        let unpack = Step::work("unpack and check the bundle", unpack);
        let unpack = plan.add(unpack.undo(Undo::RemoveFolder(self.folder.clone())));
        let push = |push: &Push| {
            let name = format!("push {}", push.to);
            let push = push.unpacked(&self.folder);
            Step::work(name, push).after([unpack])
        };
        let steps: Vec<Step> = self.pushes.iter().map(push).collect();
        let mut last: Vec<StepId> = steps.into_iter().map(|step| plan.add(step)).collect();
        if let Some(operator) = self.operator() {
            let step = Step::work("the operator's manifest", operator).after(last.clone());
            last.push(plan.add(step));
        }
        let clear = Step::new(
            "clear the bundle's folder",
            Action::RemoveFolder(self.folder.clone()),
        );
        plan.add(clear.after(last).quiet());
        plan
    }

    /// The operator's manifest with the image that was pushed. None: the bundle has none.
    fn operator(&self) -> Option<OperatorManifest> {
        let (_, image) = self.index.operator.as_ref()?;
        let push = self
            .pushes
            .iter()
            .find(|push| push.image.to_string() == *image);
        Some(OperatorManifest {
            index: self.index.clone(),
            folder: self.folder.clone(),
            image: push.map(|push| push.by_digest().to_string()),
        })
    }
}

/// Checks all of a bundle while it is unpacked.
#[derive(Debug)]
struct Unpack {
    file: PathBuf,
    folder: Location,
}

impl fmt::Display for Unpack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = operand(&self.folder);
        let file = operand(&self.file);
        write!(
            f,
            "mkdir -p -- {folder}\ntar --extract --file {file} --directory {folder}\n\
             (cd -- {folder}/blobs/sha256 && for file in *; do echo \"$file  $file\"; done | sha256sum --check --quiet)"
        )
    }
}

impl Work for Unpack {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let opened = source::open_named(&self.file)?;
        let opened = opened.ok_or_else(|| Failure::failed("the bundle is not there any more"))?;
        let unpacked = bundle::unpack(opened, &self.folder)?;
        Ok(Performed::Done(Some(format!(
            "{} blobs, {}, each with its digest",
            unpacked.blobs,
            shown(unpacked.size)
        ))))
    }
}

/// Writes the operator's manifest.
#[derive(Debug)]
struct OperatorManifest {
    index: Index,
    folder: Location,
    /// The operator's image where it was pushed to. None: it is not in the bundle.
    image: Option<String>,
}

impl fmt::Display for OperatorManifest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (artifact, image) = self
            .index
            .operator
            .clone()
            .map_or_else(Default::default, |(digest, image)| {
                (digest.to_string(), image)
            });
        let layout = operand(&self.folder);
        let new = self.image.clone().unwrap_or_else(|| image.clone());
        let script = crate::plan::shell::word(format!("s|{image}|{new}|g"));
        write!(
            f,
            "oras blob fetch --oci-layout {layout}@\"$(oras manifest fetch --oci-layout {layout}@{artifact} | \
             grep -o 'application/yaml\",\"digest\":\"sha256:[0-9a-f]*' | cut -d '\"' -f 5)\" --output - | sed {script} > {MANIFEST}"
        )
    }
}

impl Work for OperatorManifest {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let Some((text, old)) = self.index.operator_in(&self.folder)? else {
            return Ok(Performed::Skipped("the bundle has none".into()));
        };
        let text = match &self.image {
            Some(new) if !old.is_empty() => text.replace(&old, new),
            _ => {
                (console.warning)(
                    "the operator's image is not in the bundle: its manifest names it as it was"
                        .into(),
                );
                text
            }
        };
        file::write_atomically(&Location::output(MANIFEST), &text)?;
        Ok(Performed::Done(Some(MANIFEST.into())))
    }
}
