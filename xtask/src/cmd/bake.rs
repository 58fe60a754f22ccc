// SPDX-License-Identifier: Apache-2.0
//! `bake`: one `docker buildx bake` per extension, side by side, dependencies first.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use serde::Serialize;

use crate::{
    cli,
    config::{self, Config, Sbom},
    context::Context,
    engine::{Access, Engine, base::Sources},
    exec::{Exec, Reason},
    extension::Extension,
    failure::Failure,
    image::{self, Image, Merge, Metadata, Promised},
    own::file,
    plan::{Action, Location, Plan, Step, StepId, shell},
    run::Report,
    sandbox::archive::Repinned,
    target::{Filter, PLATFORMS, Target, Targets},
    tool::{
        buildx::{self, Bake},
        docker,
    },
    ui::{self, seconds},
    verdict::Verdict,
};

/// What to bake and how, resolved: input of the pure [`plan`].
pub(super) struct Request<'a> {
    pub config: &'a Config,
    pub bake_file: &'a Path,
    /// In the order in which they should start.
    pub targets: &'a [&'a Target],
    /// They were chosen by a filter: bake is told their names.
    pub filtered: bool,
    pub repinned: &'a [Repinned],
    pub push: bool,
    pub platforms: &'a [String],
    pub no_cache: bool,
    pub sandbox: bool,
    /// Relative to the root where it lies inside.
    pub metadata_file: Option<PathBuf>,
    /// Steps that come before: a registry that must be there to push to.
    pub after: &'a [StepId],
}

/// The steps that bake one extension.
pub(super) struct Baked {
    pub extension: String,
    pub step: StepId,
    pub metadata: PathBuf,
}

/// Adds the steps that bake `request.targets`, one bake per extension.
pub(super) fn plan(plan: &mut Plan, request: &Request<'_>) -> Vec<Baked> {
    let folder = Path::new("target/xtask/bake");
    let place = plan.add(
        Step::new(
            "folder for bake's metadata",
            Action::Folder(Location::output(folder)),
        )
        .quiet(),
    );
    let platforms = platforms(plan, request);
    let attest = attestations(plan, request);
    let builder = request.config.builder();
    let mut baked: Vec<Baked> = Vec::new();
    let groups = by_extension(request.targets);
    // What is left out must not be built: then those that are wanted are named.
    let is_whole = |(extension, targets): &(&Extension, Vec<&Target>)| {
        targets.len() == extension.versions.len()
    };
    let whole = !request.filtered && groups.iter().all(is_whole);
    for (extension, targets) in groups {
        let name = &extension.name;
        let mut after = vec![place];
        after.extend(request.after);
        after.extend(write_metadata(plan, request.repinned, name));
        let needed = |required: &String| {
            baked
                .iter()
                .find(|done| &done.extension == required)
                .map(|done| done.step)
        };
        after.extend(extension.required_extensions.iter().filter_map(needed));
        let metadata = folder.join(format!("{name}.json"));
        let bake = Bake {
            purpose: format!("bake `{name}` ({})", servers(&targets)),
            files: vec![
                request.bake_file.to_owned(),
                extension.metadata_file.clone(),
            ],
            targets: if whole { Vec::new() } else { names(&targets) },
            variables: request
                .config
                .bake_variables()
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            builder: builder.map(str::to_owned),
            metadata_file: Some(metadata.clone()),
            set: platforms.iter().chain(&attest).cloned().collect(),
            push: request.push,
            no_cache: request.no_cache,
            check: false,
        };
        // What an earlier run was told is nothing that this one has built.
        let old = Action::RemoveFile(Location::output(&metadata));
        let old = Step::new(format!("old metadata {name}"), old).after([place]);
        after.push(plan.add(old.quiet()));
        let built = Promised {
            names: names(&targets),
            metadata: metadata.clone(),
            pushed: request.push,
        };
        let step = Step::run(format!("bake {name}"), bake.cmd()).after(after);
        let step = plan.add(step.ensures(built));
        for target in targets {
            let name = format!("tidy {}", target.name);
            plan.add(Step::work(name, target.rotation()).after([step]).quiet());
        }
        baked.push(Baked {
            extension: name.clone(),
            step,
            metadata,
        });
    }
    if let Some(into) = &request.metadata_file {
        let after: Vec<StepId> = baked.iter().map(|done| done.step).collect();
        let merge = Merge {
            from: baked.iter().map(|done| done.metadata.clone()).collect(),
            into: Location::Named(into.clone()),
        };
        plan.add(Step::work("metadata file", merge).after(after).quiet());
    }
    baked
}

/// The step that writes the metadata file of an extension that is pinned to the archive's versions.
pub(super) fn write_metadata(plan: &mut Plan, repinned: &[Repinned], name: &str) -> Option<StepId> {
    let copy = repinned.iter().find(|copy| copy.extension.name == name)?;
    let folder = Action::Folder(Location::Output(
        copy.file.parent().map(Path::to_owned).unwrap_or_default(),
    ));
    let folder = plan.add(Step::new(format!("metadata {name}"), folder).quiet());
    let write = Action::Write {
        path: Location::output(&copy.file),
        contents: copy.contents.clone(),
    };
    let write = Step::new(format!("write metadata {name}"), write).after([folder]);
    Some(plan.add(write.quiet()))
}

/// The targets of each extension, in the order in which the extensions first appear.
fn by_extension<'a>(targets: &[&'a Target]) -> Vec<(&'a Extension, Vec<&'a Target>)> {
    let mut groups: Vec<(&Extension, Vec<&Target>)> = Vec::new();
    for target in targets {
        let extension = &*target.extension;
        let known = groups.iter_mut().find(|(of, _)| of.name == extension.name);
        match known {
            Some((_, group)) => group.push(target),
            None => groups.push((extension, vec![target])),
        }
    }
    groups
}

fn names(targets: &[&Target]) -> Vec<String> {
    targets.iter().map(|target| target.name.clone()).collect()
}

fn servers(targets: &[&Target]) -> String {
    let servers = targets.iter().map(|target| &target.server);
    servers
        .map(|server| format!("pg {}, {}", server.major, server.distro))
        .collect::<Vec<_>>()
        .join("; ")
}

/// `--set *.platform=…` where bake's own list is not what is wanted, and the reason as a note.
fn platforms(plan: &mut Plan, request: &Request<'_>) -> Vec<String> {
    let chosen = if !request.platforms.is_empty() {
        request.platforms.to_vec()
    } else if request.push && !image::is_local(request.config.get(config::REGISTRY)) {
        plan.note(format!(
            "for {}: pushed to a registry that is not local",
            PLATFORMS.join(" and ")
        ));
        return Vec::new();
    } else {
        let own = docker::platform_of(std::env::consts::ARCH);
        plan.note(format!(
            "for {own} only, this machine's platform; `--platform` names others"
        ));
        vec![own]
    };
    vec![format!("*.platform={}", chosen.join(","))]
}

/// The SBOM scanner is an image of its own, which a closed network does not have.
fn attestations(plan: &mut Plan, request: &Request<'_>) -> Vec<String> {
    let without = match request.config.get(config::SBOM) {
        Sbom::Always => false,
        Sbom::Never => true,
        Sbom::Auto => request.sandbox,
    };
    if !without {
        return Vec::new();
    }
    if request.config.is_default(config::SBOM) {
        plan.note("without SBOM attestations in the sandbox; `XTASK_BAKE_SBOM=always` adds them");
    }
    vec!["*.attest=type=sbom,disabled=true".to_owned()]
}

/// The image of a target for later steps: what a bake of this plan makes, or else what is there already.
pub(super) fn image(target: &Target, baked: &[Baked]) -> Image {
    match step_of(target, baked) {
        Some(done) => Image::Baked {
            tag: target.tag.clone(),
            metadata: done.metadata.clone(),
            target: target.name.clone(),
        },
        None => Image::Given(target.tag.clone()),
    }
}

/// The bake of this plan that makes a target, if one does.
pub(super) fn step_of<'a>(target: &Target, baked: &'a [Baked]) -> Option<&'a Baked> {
    baked
        .iter()
        .find(|done| done.extension == target.extension.name)
}

pub(super) fn run(args: &cli::Bake, context: &mut Context) -> anyhow::Result<()> {
    context
        .config
        .set_flag(config::BUILDER, "--builder", args.builder.as_deref())?;
    let names = args.selection.names();
    let workspace = context.workspace()?;
    workspace.select(&names, args.selection.all)?;
    let engine = Engine::open(context, Access::Work.or_look(args.dry_run))?;
    let sources = Sources::prepare(context, &engine, workspace)?;
    let extensions = select(&sources, &names, args.selection.all)?;
    let filter = Filter::from(&args.filters);
    let targets = targets(&extensions, &filter, &sources, &context.config)?;
    let chosen: Vec<&Target> = targets.chosen().collect();
    let mut steps = Plan::default();
    let metadata_file = args
        .metadata_file
        .as_deref()
        .filter(|path| !path.as_os_str().is_empty())
        .map(|path| context.resolve(path));
    if let Some(path) = &metadata_file {
        file::can_be_written(path)?;
    }
    let baked = plan(
        &mut steps,
        &Request {
            config: &context.config,
            bake_file: &sources.workspace.bake_file,
            targets: &chosen,
            filtered: targets.is_filtered(),
            repinned: &sources.repinned,
            push: args.push,
            platforms: &args.platform,
            no_cache: args.no_cache,
            sandbox: sources.in_sandbox,
            metadata_file,
            after: &[],
        },
    );
    if args.dry_run {
        print(context, &engine, &steps);
        return Ok(());
    }
    if let Some(warning) = survey(&context.config, &engine)?.filter(|_| !args.push) {
        context.ui.warning(&warning);
    }
    let report = context.run(
        &engine.exec,
        &steps,
        args.running.jobs,
        args.running.keep_going,
    )?;
    let platforms = built_for(args, &context.config);
    let rows = rows(&chosen, &baked, &report, &platforms, &engine.exec)?;
    let images = rows.iter().filter(|row| row.result == Verdict::Passed);
    let images = images.count();
    context.rows(args.json, &rows);
    context.verdict(&report, "bake")?;
    context.ui.conclusion(&match images {
        0 => NONE_IN_SHARE.to_owned(),
        1 => "1 image baked".to_owned(),
        _ => format!("{images} images baked"),
    });
    Ok(())
}

/// The extensions to build, of the workspace as the engine will see it.
pub(super) fn select(
    sources: &Sources,
    names: &[String],
    all: bool,
) -> Result<Vec<Arc<Extension>>, Failure> {
    let extensions = sources.workspace.select(names, all)?;
    if let Some(name) = names
        .iter()
        .find(|name| !extensions.iter().any(|extension| &extension.name == *name))
    {
        return Err(Failure::invalid(format!(
            "`{name}` cannot be built from Debian's packages: the archive has none for it"
        ))
        .hint("leave out `--base debian` where the published base images can be had"));
    }
    if extensions.is_empty() {
        return Err(Failure::invalid(
            "no extension can be built from Debian's packages: the archive has none for them",
        )
        .hint("leave out `--base debian` where the published base images can be had"));
    }
    Ok(extensions)
}

/// What a share of the images says that none has fallen into: there may be more shares than images.
pub(super) const NONE_IN_SHARE: &str = "no image is in this share";

/// The images of `extensions` that `filter` takes, at least one; of a share there may be none.
pub(super) fn targets(
    extensions: &[Arc<Extension>],
    filter: &Filter,
    sources: &Sources,
    config: &Config,
) -> Result<Targets, Failure> {
    let targets = Targets::resolve(extensions, filter, &sources.workspace, config)?;
    if extensions
        .iter()
        .all(|extension| extension.versions.is_empty())
    {
        let names: Vec<String> = extensions
            .iter()
            .map(|extension| format!("`{}`", extension.name))
            .collect();
        return Err(Failure::invalid(format!(
            "there is nothing to build: `versions` is empty in the metadata of {}",
            names.join(", ")
        ))
        .hint("name the distros, the majors and their packages in `versions` of metadata.hcl"));
    }
    Ok(targets)
}

/// Prints the plan as lines for a shell; they are for the root, with the sandbox's programs on PATH.
pub(super) fn print(context: &Context, engine: &Engine, plan: &Plan) {
    let mut text = String::new();
    if context.here != context.root {
        text += &format!("cd {}\n", shell::word(&context.root));
    }
    if let Some(sandbox) = &engine.sandbox {
        text += &format!("export PATH={}:\"$PATH\"\n", shell::word(sandbox.bin()));
    }
    text += &plan.to_string();
    context.ui.data(&text);
}

/// Asks the engine whether it can do this at all. Gives a warning to show, if there is one.
pub(super) fn survey(config: &Config, engine: &Engine) -> Result<Option<String>, Failure> {
    let info = engine.info()?;
    if info.buildx.is_none() {
        return Err(Failure::unavailable("`docker` has no buildx plugin")
            .hint("install it (package `docker-buildx` or `docker-buildx-plugin`)"));
    }
    let builder = config.builder();
    if builder.is_none() && info.containerd_store {
        return Ok(None);
    }
    let text = engine
        .exec
        .read(&buildx::inspect_cmd(builder), None)
        .map_err(|failed| match (builder, &failed.reason) {
            (Some(name), Reason::Status(_)) => Failure::unavailable(format!(
                "builder `{name}` cannot be used: {}",
                failed.cause().unwrap_or("buildx does not know it")
            ))
            .hint("`docker buildx ls` lists the builders"),
            _ => Failure::from(failed),
        })?;
    match buildx::parse_driver(&text) {
        Some("docker") if !info.containerd_store => Err(Failure::unavailable(
            "the engine's own builder cannot attest images or keep an index without the containerd image store",
        )
        .hint("set `\"features\": {\"containerd-snapshotter\": true}` in the engine's daemon.json, or use a builder of its own: \
               `docker buildx create --use --driver docker-container --driver-opt network=host`")),
        Some("docker") | None => Ok(None),
        Some(driver) => Ok(Some(format!("images stay in the builder (driver `{driver}`) unless they are pushed: add `--push`"))),
    }
}

/// An image that was to be built.
#[derive(Serialize)]
struct Row {
    result: Verdict,
    name: String,
    target: String,
    image: String,
    digest: Option<String>,
    size: Option<String>,
    platforms: Vec<String>,
    seconds: f64,
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
            self.image.clone(),
            or_none(self.digest.as_ref().map(short)),
            or_none(self.size.clone()),
            self.platforms.join(","),
            seconds(Duration::from_secs_f64(self.seconds)),
        ]
    }
}

/// What became of each image.
fn rows(
    targets: &[&Target],
    baked: &[Baked],
    report: &Report,
    platforms: &[String],
    exec: &dyn Exec,
) -> anyhow::Result<Vec<Row>> {
    let sizes = exec.read(&docker::sizes_cmd(), None);
    let sizes = sizes
        .map(|text| docker::parse_sizes(&text))
        .unwrap_or_default();
    let mut metadata: BTreeMap<&Path, Metadata> = BTreeMap::new();
    let mut rows = Vec::new();
    for target in targets {
        let Some(done) = step_of(target, baked) else {
            continue;
        };
        let step = report.step(done.step);
        let image = target.tag.to_string();
        let (mut digest, mut size) = (None, None);
        if step.succeeded() {
            if !metadata.contains_key(done.metadata.as_path()) {
                metadata.insert(&done.metadata, Metadata::read(&done.metadata)?);
            }
            let said = metadata.get(done.metadata.as_path());
            digest = said.and_then(|said| said.digest(&target.name));
            let known = sizes.get(&image).map_or("-", String::as_str);
            size = Some(known.to_owned());
        }
        rows.push(Row {
            result: Verdict::of(&step.outcome),
            name: target.extension.name.clone(),
            target: target.name.clone(),
            image,
            digest: digest.map(|digest| digest.to_string()),
            size,
            platforms: platforms.to_vec(),
            seconds: step.elapsed.as_secs_f64(),
        });
    }
    Ok(rows)
}

/// The platforms that the images are for: those that were named, or what [`platforms`] leaves to bake.
fn built_for(args: &cli::Bake, config: &Config) -> Vec<String> {
    if !args.platform.is_empty() {
        args.platform.clone()
    } else if args.push && !image::is_local(config.get(config::REGISTRY)) {
        PLATFORMS.map(str::to_owned).to_vec()
    } else {
        vec![docker::platform_of(std::env::consts::ARCH)]
    }
}
