// SPDX-License-Identifier: Apache-2.0
//! `bundle export`: copies images with all that refers to them into a layout, and packs that.

use std::{
    collections::BTreeSet,
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

use super::{Row, shown};
use crate::{
    cli,
    config::{CNPG_MANIFEST, OPERATOR_IMAGE},
    context::{Context, choice},
    engine::{Access, sources::Freshness},
    exec::Exec,
    failure::Failure,
    image::{ImageRef, bundle},
    own::{file, source},
    plan::{Action, Console, Location, Performed, Plan, Step, Undo, Work, shell::operand},
    stage::{begin::Begun, offered},
    target::{Filter, Targets},
    tool::{kubectl, oras},
    ui::counted,
    workspace::{Aim, Selection},
    yaml,
};

pub(super) fn run(args: &cli::BundleExport, context: &mut Context) -> anyhow::Result<()> {
    let file = context.resolve(&args.file);
    check_ours(&file)?;
    let filter = Filter::from(&args.filters);
    let begun = Begun::open_as_of(
        context,
        &Selection::from(&args.extensions),
        Aim::Servers,
        &filter,
        (Access::Work.or_look(args.dry_run), Freshness::Remembered),
    )?;
    let targets = begun.targets_with_needs(&filter, context)?;
    let operator = if args.without_operator {
        None
    } else {
        Some(operator(args, context, &begun.engine.exec)?)
    };
    let mut wanted = images(args, context, &targets)?;
    if let Some(operator) = &operator {
        wanted.insert(operator.image.clone());
    }
    let mut found = Vec::new();
    for image in wanted {
        found.push(offered::Offered::find(&image.parse()?, &begun.engine.exec)?);
    }
    let request = Request {
        file,
        found,
        operator,
    };
    let (plan, size) = request.plan(context);
    if begun.engine.is_looked_at() {
        context.print(&begun.engine, &plan);
        return Ok(begun.check_read()?);
    }
    let report = context.run(&begun.engine.exec, &plan)?;
    context.verdict(&report, "making the bundle")?;
    begun.check_read()?;
    let rows = request.rows();
    context.rows(args.json, &rows)?;
    let size = size.0.get().copied().unwrap_or_default();
    context.ui.conclusion(&format!(
        "{} in `{}`, {}",
        counted(rows.len(), "image"),
        request.file.display(),
        shown(size)
    ));
    Ok(())
}

/// Refuses to write over what is no bundle.
fn check_ours(file: &Path) -> Result<(), Failure> {
    let Some(there) = source::open_named(file)? else {
        return Ok(());
    };
    bundle::index(there).map(drop).map_err(|_| {
        Failure::invalid(format!(
            "`{}` is there, and is no bundle: it would be written over",
            file.display()
        ))
        .hint("move it away, or name another file")
    })
}

/// The images of targets, of what they need, and of their servers, as they are called where they are offered.
fn images(
    args: &cli::BundleExport,
    context: &Context,
    targets: &Targets,
) -> Result<BTreeSet<String>, Failure> {
    let mut images = BTreeSet::new();
    for chosen in targets.chosen() {
        for target in std::iter::once(chosen).chain(targets.needs(chosen)) {
            images.insert(offered::image_of(target, &context.config)?.to_string());
        }
        if !args.without_base {
            images.insert(chosen.base.to_string());
        }
    }
    Ok(images)
}

/// The operator's manifest, with the image that the settings name in place of its own.
fn operator(
    args: &cli::BundleExport,
    context: &Context,
    exec: &dyn Exec,
) -> anyhow::Result<bundle::Operator> {
    let release = choice::release(context, args.cnpg_release.as_deref())?;
    let source = release.manifest(context.config.get(CNPG_MANIFEST));
    let text = if kubectl::is_path(&source) {
        source::read_named(Path::new(&source))?
    } else {
        Some(offered::read_url(&source, exec)?)
    };
    let text = text.ok_or_else(|| {
        Failure::invalid(format!("the operator's manifest `{source}` does not exist"))
            .hint("name a release (`--cnpg-release 1.30`), or the path or URL of a manifest")
    })?;
    let own = image_in(&text).ok_or_else(|| {
        Failure::invalid(format!("`{source}` is no manifest of the operator"))
            .detail("it has no Deployment `cnpg-controller-manager` with an image")
    })?;
    let said = context.config.get(OPERATOR_IMAGE);
    if said.is_empty() {
        return Ok(bundle::Operator { text, image: own });
    }
    Ok(bundle::Operator {
        text: text.replace(&own, said),
        image: said.to_owned(),
    })
}

/// The operator's image in its manifest.
fn image_in(manifest: &str) -> Option<String> {
    let documents = yaml::documents(manifest).ok()?;
    let operator = documents.iter().find(|one| {
        one["kind"] == "Deployment" && one["metadata"]["name"] == "cnpg-controller-manager"
    })?;
    let image = operator.pointer("/spec/template/spec/containers/0/image")?;
    image
        .as_str()
        .filter(|text| text.parse::<ImageRef>().is_ok())
        .map(str::to_owned)
}

/// Where a step leaves the size of what it has packed.
#[derive(Clone, Debug, Default)]
struct Size(Arc<OnceLock<u64>>);

struct Request {
    file: PathBuf,
    found: Vec<offered::Offered>,
    operator: Option<bundle::Operator>,
}

impl Request {
    fn plan(&self, context: &Context) -> (Plan, Size) {
        let mut plan = Plan::default();
        let layout = Location::output(format!("target/xtask/bundle/{}", context.run_id.short()));
        let folder = Step::new("folder for the bundle", Action::Folder(layout.clone()));
        let folder = folder.undo(Undo::RemoveFolder(layout.clone())).quiet();
        let mut last = plan.add(folder);
        // One after the other: each writes the layout's index.
        for one in &self.found {
            for (name, image) in one.copies() {
                let cmd = oras::copy_to_layout_cmd(&image, &layout);
                last = plan.add(Step::run(format!("copy {name}"), cmd).after([last]));
            }
        }
        let size = Size::default();
        let pack = Pack {
            layout: layout.clone(),
            names: self
                .found
                .iter()
                .flat_map(offered::Offered::names)
                .collect(),
            operator: self.operator.clone(),
            file: Location::Named(self.file.clone()),
            size: size.clone(),
        };
        let pack = plan.add(Step::work("pack the bundle", pack).after([last]));
        let clear = Step::new("clear the layout", Action::RemoveFolder(layout));
        plan.add(clear.after([pack]).quiet());
        (plan, size)
    }

    fn rows(&self) -> Vec<Row> {
        let names: BTreeSet<bundle::Named> = self
            .found
            .iter()
            .flat_map(offered::Offered::names)
            .collect();
        let row = |named: bundle::Named| Row {
            image: named.name,
            digest: named.digest.to_string(),
            pushed: None,
        };
        names.into_iter().map(row).collect()
    }
}

/// Makes the file of a filled layout.
#[derive(Debug)]
struct Pack {
    layout: Location,
    names: BTreeSet<bundle::Named>,
    operator: Option<bundle::Operator>,
    file: Location,
    size: Size,
}

/// Prints as what makes an archive of the same images; their names and the operator's manifest are left to the command itself.
impl fmt::Display for Pack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "tar --create --file {} --directory {} oci-layout index.json blobs",
            operand(&self.file),
            operand(&self.layout)
        )
    }
}

impl Work for Pack {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let mut packed = Ok(0);
        file::write_with(&self.file, &mut |to| {
            packed = bundle::pack(&self.layout, &self.names, self.operator.as_ref(), to);
            match &packed {
                Ok(_) => Ok(()),
                Err(error) => Err(std::io::Error::other(format!("{error:#}"))),
            }
        })?;
        let size = packed?;
        self.size.0.get_or_init(|| size);
        Ok(Performed::Done(Some(shown(size))))
    }
}
