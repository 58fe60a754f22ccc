// SPDX-License-Identifier: Apache-2.0
//! `bake`: builds the images of the chosen extensions, and says what was built.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;

use crate::{
    cli,
    context::Context,
    engine::{Access, builder::Builder, sources::Unavailable},
    exec::Exec,
    failure::Failure,
    image::Metadata,
    own::file,
    plan::Plan,
    run::Report,
    stage::{
        bake::{self, Baked, Destination, Request, Wanted},
        begin::{Begun, NONE_IN_SHARE},
    },
    target::{Filter, Target},
    tool::docker,
    ui::{self, counted, seconds},
    value::{Platform, joined},
    verdict::Verdict,
    workspace::{Aim, Selection, Unread},
};

/// How long the engine may take to say how large its images are.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) fn run(args: &cli::Bake, context: &mut Context) -> anyhow::Result<()> {
    let selection = Selection::from(&args.extensions);
    let filter = Filter::from(&args.filters);
    let to = destination(args);
    let access = match to {
        Destination::Registry => Access::Push,
        Destination::Builder | Destination::Engine => Access::Work,
    };
    let access = access.or_look(args.dry_run);
    let begun = Begun::open(context, &selection, Aim::Images, &filter, access)?;
    let mut targets = begun.targets(&filter, context)?;
    let builder = Builder::survey(&context.config, &begun.engine)?;
    warn_of(&builder, to, context)?;
    let wanted = Wanted::of(&args.platform, args.push, &context.config)?;
    for left_out in wanted.narrow(&mut targets)? {
        context.ui.warning(&left_out);
    }
    let chosen: Vec<&Target> = targets.chosen().collect();
    let metadata_file = metadata_file(args, context, &chosen)?;
    let request = Request {
        config: &context.config,
        sources: &begun.sources,
        targets: &chosen,
        builder: &builder,
        to,
        platforms: &wanted,
        no_cache: args.no_cache,
        metadata_file,
        after: &[],
    };
    let mut plan = Plan {
        after_failure: args.running.after_failure(&selection),
        ..Plan::default()
    };
    let baked = bake::add(&mut plan, &request);
    if begun.engine.is_looked_at() {
        context.print(&begun.engine, &plan);
        return Ok(begun.check_read()?);
    }
    let report = context.run(&begun.engine.exec, &plan)?;
    let mut rows = rows(&chosen, &baked, &report, &wanted, &begun.engine.exec)?;
    rows.extend(begun.sources.unavailable.iter().map(Row::unavailable));
    rows.extend(begun.unread.iter().map(Row::unread));
    context.rows(args.json, &rows)?;
    context.verdict(&report, "bake")?;
    begun.check_read()?;
    context.ui.conclusion(&conclusion(&rows));
    Ok(())
}

/// Where what was built of the `chosen` is to be noted as well. Refused where that cannot be written, or cannot tell them apart.
fn metadata_file(
    args: &cli::Bake,
    context: &Context,
    chosen: &[&Target],
) -> anyhow::Result<Option<PathBuf>> {
    let path = args.metadata_file.as_deref();
    let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else {
        return Ok(None);
    };
    let path = context.resolve(path);
    file::can_be_written(&path)?;
    // Its keys are the names of targets.
    let mut known = BTreeMap::new();
    for target in chosen {
        if let Some(other) = known.insert(&target.name, target) {
            let (one, two) = (other.title(), target.title());
            let (file, called, name) = (path.display(), &target.name, &target.extension.name);
            return Err(Failure::invalid(format!(
                "`{file}` cannot hold both `{one}` and `{two}`: bake calls both `{called}`"
            ))
            .hint(format!(
                "write a file for each extension: `cargo xtask bake {name} --metadata-file FILE`"
            ))
            .into());
        }
    }
    Ok(Some(path))
}

fn conclusion(rows: &[Row]) -> String {
    let images = rows.iter().filter(|row| row.result == Verdict::Passed);
    let unchanged = rows.iter().filter(|row| row.result == Verdict::Unchanged);
    match (images.count(), unchanged.count()) {
        (0, 0) => NONE_IN_SHARE.to_owned(),
        (images, 0) => format!("{} baked", counted(images, "image")),
        (0, unchanged) => format!("{} unchanged", counted(unchanged, "image")),
        (images, unchanged) => {
            format!("{} baked, {unchanged} unchanged", counted(images, "image"))
        }
    }
}

fn destination(args: &cli::Bake) -> Destination {
    match (args.push, args.load) {
        (true, _) => Destination::Registry,
        (_, true) => Destination::Engine,
        _ => Destination::Builder,
    }
}

/// Says what of the builder is not as it should be, and refuses one that cannot do it.
fn warn_of(builder: &Builder, to: Destination, context: &Context) -> Result<(), Failure> {
    let keeps = builder.keeps().filter(|_| to == Destination::Builder);
    for warning in builder.lost_nodes().into_iter().chain(keeps) {
        context.ui.warning(&warning);
    }
    match to {
        Destination::Registry => builder.check_registry(&context.config),
        Destination::Builder | Destination::Engine => Ok(()),
    }
}

/// An image that was to be built.
#[derive(Serialize)]
struct Row {
    result: Verdict,
    /// What people see where there is no image.
    #[serde(skip)]
    title: String,
    name: String,
    target: String,
    distro: String,
    pg_major: String,
    version: String,
    image: String,
    /// All names that bake has given it, the one with the moment of the bake included.
    tags: Vec<String>,
    digest: Option<String>,
    size: Option<String>,
    platforms: Vec<Platform>,
    seconds: f64,
    /// Why it is not known what was to be built, or why there is nothing to build it of.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl Row {
    /// Of an image that Debian's archive has nothing for.
    fn unavailable(one: &Unavailable) -> Self {
        Self {
            distro: one.server.distro.to_string(),
            pg_major: one.server.major.to_string(),
            ..Self::unbuilt(
                &one.name,
                Verdict::NotAvailable,
                one.title(),
                one.why.clone(),
            )
        }
    }

    /// Of an extension that cannot be read.
    fn unread(unread: &Unread) -> Self {
        let title = unread.name.clone();
        Self::unbuilt(&unread.name, unread.verdict, title, unread.reason())
    }

    fn unbuilt(name: &str, result: Verdict, title: String, reason: String) -> Self {
        Self {
            result,
            title,
            name: name.to_owned(),
            target: String::new(),
            distro: String::new(),
            pg_major: String::new(),
            version: String::new(),
            image: String::new(),
            tags: Vec::new(),
            digest: None,
            size: None,
            platforms: Vec::new(),
            seconds: 0.0,
            reason: Some(reason),
        }
    }
}

impl ui::Row for Row {
    const HEADINGS: &'static [&'static str] =
        &["RESULT", "IMAGE", "DIGEST", "SIZE", "PLATFORMS", "TIME"];

    fn cells(&self) -> Vec<String> {
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        // People tell digests apart by their first digits; scripts get all of it.
        let short = |digest: &String| digest.chars().take(19).collect();
        vec![
            self.result.word().to_owned(),
            if self.image.is_empty() {
                self.title.clone()
            } else {
                self.image.clone()
            },
            or_none(self.digest.as_ref().map(short)),
            or_none(self.size.clone()),
            joined(&self.platforms),
            seconds(Duration::from_secs_f64(self.seconds)),
        ]
    }
}

/// What became of each image.
fn rows(
    targets: &[&Target],
    baked: &[Baked],
    report: &Report,
    wanted: &Wanted,
    exec: &dyn Exec,
) -> anyhow::Result<Vec<Row>> {
    // A run that was told to stop asks nothing more.
    let ask = || exec.read(&docker::listed_cmd(), Some(PATIENCE)).ok();
    let listed = (!exec.interrupted()).then(ask).flatten();
    let listed = listed
        .map(|text| docker::parse_listed(&text))
        .unwrap_or_default();
    let mut metadata: BTreeMap<&Path, Metadata> = BTreeMap::new();
    let mut rows = Vec::new();
    for target in targets {
        let Some(done) = Baked::of(target, baked) else {
            continue;
        };
        let step = report.step(done.step);
        let image = target.tag.to_string();
        let (mut digest, mut size, mut tags) = (None, None, Vec::new());
        if step.succeeded() {
            if !metadata.contains_key(done.metadata.as_path()) {
                metadata.insert(&done.metadata, Metadata::read(&done.metadata)?);
            }
            let said = metadata.get(done.metadata.as_path());
            digest = said.and_then(|said| said.digest(&target.name));
            tags = said.map_or_else(Vec::new, |said| said.names(&target.name));
            if tags.is_empty() {
                // Of an index that buildx has put together of several nodes' bake says the digest alone.
                tags.clone_from(&done.tags);
            }
            let known = listed.get(&image).map_or("-", |one| one.size.as_str());
            size = Some(known.to_owned());
        }
        rows.push(Row {
            result: step.outcome.verdict(),
            title: target.title(),
            name: target.extension.name.clone(),
            target: target.name.clone(),
            distro: target.server.distro.to_string(),
            pg_major: target.server.major.to_string(),
            version: target.version.clone().unwrap_or_default(),
            image,
            tags,
            digest: digest.map(|digest| digest.to_string()),
            size,
            platforms: wanted.of_target(target),
            seconds: step.elapsed.as_secs_f64(),
            reason: None,
        });
    }
    Ok(rows)
}
