// SPDX-License-Identifier: Apache-2.0
//! `smoke`: each image in a real PostgreSQL, mounted and configured the way CNPG does it.

use std::{str::FromStr, time::Duration};

use serde_json::{Value, json};

use super::bake::{self, Baked};
use crate::{
    cli, config,
    context::{Context, Engaged},
    event::Outcome,
    exec::{Exec, Reason},
    extension::Extension,
    failure::Failure,
    image::{Built, ImageRef},
    matrix::{self, Build, Filter},
    plan::{Arg, Cmd, Plan, Step, StepId},
    tool::docker,
    ui::{Table, seconds},
};

const SCRIPT: &str = include_str!("smoke.sh");

/// An extension's files and where they come from.
struct Mounted {
    extension: Extension,
    image: Built,
    sql_version: Option<String>,
}

/// One test: a base image, the extension under test first, then what it needs.
struct Test {
    name: String,
    base: String,
    mounted: Vec<Mounted>,
    proof: Option<String>,
}

/// How an extension's files get into the server's container.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mount {
    /// `--mount type=image`, Docker 28 and newer.
    Image,
    /// `docker cp` from a container of the one image into a container of the other.
    Copy,
}

pub(super) fn run(args: &cli::Smoke, context: &mut Context) -> anyhow::Result<()> {
    context
        .config
        .set_flag(config::BUILDER, "--builder", args.builder.as_deref())?;
    let names = args.selection.names();
    let workspace = context.workspace()?;
    workspace.select(&names, args.selection.all)?;
    let chosen = args.image.as_deref().map(ImageRef::from_str).transpose()?;
    if chosen.is_some() && names.len() != 1 {
        return Err(Failure::invalid(
            "`--image` tests one image: name the one extension that is in it",
        )
        .into());
    }
    let engaged = context.engage(workspace, args.dry_run)?;
    let mut filter = Filter {
        distros: args.filters.distro.clone(),
        majors: args.filters.pg.clone(),
    };
    let mut steps = Plan::default();
    let mut sql_version = None;
    if let (Some(image), false) = (&chosen, args.dry_run) {
        let labels = labels(context, image)?;
        let label = |name: &str| {
            labels
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
                .map(str::to_owned)
        };
        for (values, name) in [
            (&mut filter.distros, "io.cloudnativepg.image.base.os"),
            (&mut filter.majors, "io.cloudnativepg.image.base.pgmajor"),
        ] {
            if values.is_empty() {
                values.extend(label(name));
            }
        }
        sql_version = label("io.cloudnativepg.image.sql.version");
    }
    let extensions = bake::select(&engaged, &names, args.selection.all)?;
    let builds = matrix::builds(&extensions, &filter, &context.config)?;
    if chosen.is_some() && builds.len() != 1 {
        return Err(Failure::invalid(format!(
            "`--image` does not say which of {} images it stands for: it has no labels of ours",
            builds.len()
        ))
        .hint("name the distro and the major: `--distro trixie --pg 18`")
        .into());
    }
    let needed = with_dependencies(&builds, &engaged, context)?;
    let to_bake: Vec<Build> = if args.no_bake {
        Vec::new()
    } else {
        // A chosen image is there already; only what it needs is built.
        needed
            .iter()
            .filter(|build| chosen.is_none() || build.target != builds[0].target)
            .cloned()
            .collect()
    };
    let baked = if to_bake.is_empty() {
        Vec::new()
    } else {
        bake::plan(
            &mut steps,
            &bake::Request {
                config: &context.config,
                bake_file: &engaged.workspace.bake_file,
                builds: &to_bake,
                whole_extensions: filter.is_empty(),
                repinned: &engaged.repinned,
                push: false,
                platforms: &[],
                no_cache: false,
                sandbox: engaged.sandbox.is_some(),
                metadata_file: None,
            },
        )
    };
    let mut tests = Vec::new();
    for build in &builds {
        let mut test = test(build, &needed, &engaged, &baked)?;
        if let Some(image) = &chosen {
            test.mounted[0].image = Built {
                tag: image.to_string(),
                metadata: None,
            };
            test.mounted[0].sql_version =
                sql_version.clone().or(test.mounted[0].sql_version.take());
        }
        if test.proof.is_none() {
            context.ui.warning(&format!(
                "`{}` has no smoke.sql: it is created, but not used",
                build.extension.name
            ));
        }
        tests.push(test);
    }
    let mount = mount(context, args.dry_run)?;
    let limit = Duration::from_secs(u64::from(context.config.number(config::SMOKE_TIMEOUT)));
    let unique = format!("xtask-smoke-{}", std::process::id());
    let ids: Vec<StepId> = tests
        .iter()
        .map(|test| add(&mut steps, test, &baked, mount, &unique, limit))
        .collect();
    if args.dry_run {
        bake::print(context, &engaged, &steps);
        return Ok(());
    }
    if let Some(warning) = bake::survey(context)? {
        context.ui.warning(&warning);
    }
    let report = context.run(&steps, args.running.jobs, args.running.keep_going)?;
    let mut rows = Vec::new();
    let mut values = Vec::new();
    for ((build, test), id) in builds.iter().zip(&tests).zip(&ids) {
        let step = report.step(*id);
        let (verdict, proof) = match &step.outcome {
            Outcome::Done(_) | Outcome::Skipped(_) => {
                ("passed", step.last_line.clone().unwrap_or_default())
            }
            Outcome::Failed(_) => ("failed", String::new()),
            Outcome::NotRun => ("not run", String::new()),
        };
        let version = test.mounted[0]
            .sql_version
            .clone()
            .unwrap_or_else(|| build.version.clone());
        rows.push(vec![
            verdict.to_owned(),
            test.name.clone(),
            version.clone(),
            seconds(step.elapsed),
            proof.clone(),
        ]);
        values.push(json!({
            "name": build.extension.name, "distro": build.distro, "pg_major": build.pg_major, "image": test.mounted[0].image.tag,
            "version": version, "result": verdict, "proof": proof, "seconds": step.elapsed.as_secs_f64(),
        }));
    }
    let passed = values
        .iter()
        .filter(|value| value["result"] == "passed")
        .count();
    let table = Table {
        headings: vec!["RESULT", "EXTENSION", "VERSION", "TIME", "PROOF"],
        rows,
    };
    context.ui.result(args.json, &Value::Array(values), &table);
    context.verdict(&report, "smoke")?;
    context
        .ui
        .conclusion(&format!("{passed} of {} passed", tests.len()));
    Ok(())
}

/// The builds and, before them, the builds of what they need for the same distro and major.
fn with_dependencies(
    builds: &[Build],
    engaged: &Engaged,
    context: &Context,
) -> Result<Vec<Build>, Failure> {
    let mut all: Vec<Build> = Vec::new();
    for build in builds {
        let filter = Filter {
            distros: vec![build.distro.clone()],
            majors: vec![build.pg_major.clone()],
        };
        let dependencies = engaged.workspace.dependencies(&build.extension);
        for dependency in dependencies.iter().rev() {
            for needed in
                matrix::builds(std::slice::from_ref(dependency), &filter, &context.config)?
            {
                if !all.contains(&needed) {
                    all.push(needed);
                }
            }
        }
        if !all.contains(build) {
            all.push(build.clone());
        }
    }
    Ok(all)
}

fn test(
    build: &Build,
    needed: &[Build],
    engaged: &Engaged,
    baked: &[Baked],
) -> anyhow::Result<Test> {
    let mut mounted = Vec::new();
    let dependencies = engaged.workspace.dependencies(&build.extension);
    for extension in std::iter::once(&build.extension).chain(&dependencies) {
        let of = needed.iter().find(|other| {
            other.extension.name == extension.name
                && other.distro == build.distro
                && other.pg_major == build.pg_major
        });
        let Some(of) = of else {
            return Err(Failure::invalid(format!(
                "`{}` needs `{}`, which is not built for {} and PostgreSQL {}",
                build.extension.name, extension.name, build.distro, build.pg_major
            ))
            .into());
        };
        mounted.push(Mounted {
            extension: extension.clone(),
            image: bake::built(of, baked),
            sql_version: of.sql_version.clone(),
        });
    }
    let path = build.extension.folder.join("smoke.sql");
    let proof = match fs_err::read_to_string(&path) {
        Ok(text) => Some(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    Ok(Test {
        name: format!(
            "{} {}-{}",
            build.extension.name, build.pg_major, build.distro
        ),
        base: build.base.clone(),
        mounted,
        proof,
    })
}

fn mount(context: &Context, dry_run: bool) -> anyhow::Result<Mount> {
    Ok(match context.config.get(config::SMOKE_MOUNT) {
        "image" => Mount::Image,
        "copy" => Mount::Copy,
        _ if dry_run || docker::Engine::survey(&context.exec)?.major() >= 28 => Mount::Image,
        _ => Mount::Copy,
    })
}

/// The labels of the image to test, pulled when the engine does not have it.
fn labels(context: &mut Context, image: &ImageRef) -> anyhow::Result<Value> {
    let reference = image.to_string();
    docker::Engine::survey(&context.exec)?;
    let text = match context.exec.read(&docker::labels_cmd(&reference), None) {
        Ok(text) => text,
        Err(failed) if matches!(failed.reason, Reason::Status(_)) => {
            context
                .exec
                .read(&docker::pull_cmd(&reference), None)
                .map_err(|failed| {
                    let cause = failed.cause().unwrap_or("it cannot be pulled").to_owned();
                    Failure::failed(format!("image `{reference}` cannot be had: {cause}"))
                        .hint("`docker image ls` lists what the engine has")
                })?;
            context
                .exec
                .read(&docker::labels_cmd(&reference), None)
                .map_err(Failure::from)?
        }
        Err(failed) => return Err(Failure::from(failed).into()),
    };
    Ok(serde_json::from_str(&text)?)
}

/// Adds the steps of one test; gives the one that decides.
fn add(
    plan: &mut Plan,
    test: &Test,
    baked: &[Baked],
    mount: Mount,
    unique: &str,
    limit: Duration,
) -> StepId {
    let container = format!("{unique}-{}", test.name.replace(' ', "-"));
    let before: Vec<StepId> = test
        .mounted
        .iter()
        .filter_map(|mounted| {
            baked.iter().find(|done| {
                done.extension == mounted.extension.name && mounted.image.metadata.is_some()
            })
        })
        .map(|done| done.step)
        .collect();
    let remove = |name: &str| {
        Cmd::new("docker", "remove the test's container").args(["rm", "--force", "--volumes", name])
    };
    let purpose = format!("run `{}` in PostgreSQL", test.name);
    let (verb, flags): (&str, &[&str]) = match mount {
        Mount::Image => ("run", &["--rm", "--interactive"]),
        Mount::Copy => ("create", &["--rm", "--interactive"]),
    };
    let mut cmd = Cmd::new("docker", &purpose).args([verb]).args(flags).args([
        "--network",
        "none",
        "--name",
        &container,
    ]);
    for (name, value) in environment(test) {
        // The name alone on the command line; docker takes the value from its own environment.
        cmd = cmd.args(["--env", &name]).env(name, value);
    }
    if mount == Mount::Image {
        for mounted in &test.mounted {
            cmd = cmd.arg("--mount").arg(Arg::Image {
                prefix: "type=image,source=".into(),
                image: mounted.image.clone(),
                suffix: format!(",target=/extensions/{}", mounted.extension.name),
            });
        }
    }
    cmd = cmd
        .arg(&test.base)
        .args(["bash", "-s", "--"])
        .args(options(test));
    let name = format!("smoke {}", test.name);
    match mount {
        Mount::Image => plan.add(
            Step::run(name, cmd.stdin(SCRIPT))
                .after(before)
                .undo(remove(&container))
                .timeout(limit),
        ),
        Mount::Copy => {
            let created = plan.add(
                Step::run(format!("create {container}"), cmd)
                    .after(before)
                    .undo(remove(&container))
                    .quiet(),
            );
            let mut last = created;
            for mounted in &test.mounted {
                last = copy(
                    plan,
                    &mounted.extension.name,
                    &mounted.image,
                    &container,
                    last,
                );
            }
            let start = Cmd::new("docker", purpose)
                .args(["start", "--attach", "--interactive", &container])
                .stdin(SCRIPT);
            plan.add(Step::run(name, start).after([last]).timeout(limit))
        }
    }
}

/// Copies an image's files to `/extensions/<name>` of a container that is not started yet, by way of a
/// folder of the run: `docker cp` does not copy from one container to another.
fn copy(plan: &mut Plan, name: &str, image: &Built, container: &str, after: StepId) -> StepId {
    let source = format!("{container}-{name}");
    let folder = format!("target/xtask/smoke/{source}");
    let docker =
        |what: &str, args: &[&str]| Cmd::new("docker", format!("{what} `{name}`")).args(args);
    // The image has no program; the container is never started, but wants a command.
    let create = docker("open the image of", &["create", "--name", &source])
        .arg(Arg::Image {
            prefix: String::new(),
            image: image.clone(),
            suffix: String::new(),
        })
        .arg("none");
    let remove = docker("close the image of", &["rm", &source]);
    let mut last = plan.add(
        Step::run(format!("open {source}"), create)
            .after([after])
            .undo(docker("close the image of", &["rm", "--force", &source]))
            .quiet(),
    );
    let place = plan.add(
        Step::new(
            format!("folder {source}"),
            crate::plan::Action::Folder(format!("{folder}/extensions").into()),
        )
        .after([last])
        .quiet(),
    );
    last = place;
    for (verb, cmd) in [
        (
            "take",
            docker(
                "copy the files of",
                &[
                    "cp",
                    "--quiet",
                    &format!("{source}:/"),
                    &format!("{folder}/extensions/{name}"),
                ],
            ),
        ),
        (
            "put",
            docker(
                "copy the files of",
                &[
                    "cp",
                    "--quiet",
                    &format!("{folder}/extensions"),
                    &format!("{container}:/"),
                ],
            ),
        ),
        ("close", remove),
    ] {
        last = plan.add(
            Step::run(format!("{verb} {source}"), cmd)
                .after([last])
                .quiet(),
        );
    }
    plan.add(
        Step::new(
            format!("clear {source}"),
            crate::plan::Action::RemoveFolder(folder.into()),
        )
        .after([last])
        .quiet(),
    )
}

/// `/extensions/<name>/<path>` of each path, as CNPG mounts it; `default` when the metadata names none.
fn paths(test: &Test, of: impl Fn(&Extension) -> &[String], default: Option<&str>) -> Vec<String> {
    let mut all = Vec::new();
    for mounted in &test.mounted {
        let root = format!("/extensions/{}", mounted.extension.name);
        let listed = of(&mounted.extension);
        if listed.is_empty() {
            all.extend(default.map(|path| format!("{root}/{path}")));
        }
        all.extend(listed.iter().map(|path| format!("{root}/{path}")));
    }
    all
}

/// The server's options, as CNPG derives them from the metadata.
fn options(test: &Test) -> Vec<String> {
    let joined = |first: &str, paths: Vec<String>| {
        std::iter::once(first.to_owned())
            .chain(paths)
            .collect::<Vec<_>>()
            .join(":")
    };
    let mut options = vec![
        format!(
            "extension_control_path={}",
            joined(
                "$system",
                paths(
                    test,
                    |extension| &extension.extension_control_path,
                    Some("share")
                )
            )
        ),
        format!(
            "dynamic_library_path={}",
            joined(
                "$libdir",
                paths(
                    test,
                    |extension| &extension.dynamic_library_path,
                    Some("lib")
                )
            )
        ),
    ];
    let mut preload: Vec<&str> = Vec::new();
    for library in test
        .mounted
        .iter()
        .flat_map(|mounted| &mounted.extension.shared_preload_libraries)
    {
        if !preload.contains(&library.as_str()) {
            preload.push(library);
        }
    }
    if !preload.is_empty() {
        options.push(format!("shared_preload_libraries={}", preload.join(",")));
    }
    for (name, value) in &test.mounted[0].extension.postgresql_parameters {
        options.push(format!("{name}={value}"));
    }
    options
        .into_iter()
        .flat_map(|option| ["-c".to_owned(), option])
        .collect()
}

fn environment(test: &Test) -> Vec<(String, String)> {
    let mut environment = vec![
        (
            "XTASK_EXTENSION".to_owned(),
            test.mounted[0].extension.name.clone(),
        ),
        ("XTASK_CREATE".to_owned(), create_sql(test)),
        (
            "XTASK_PROOF".to_owned(),
            test.proof.clone().unwrap_or_default(),
        ),
        (
            "XTASK_LIBRARY_PATH".to_owned(),
            paths(test, |extension| &extension.ld_library_path, None).join(":"),
        ),
        (
            "XTASK_BIN_PATH".to_owned(),
            paths(test, |extension| &extension.bin_path, None).join(":"),
        ),
    ];
    for mounted in &test.mounted {
        let root = format!("/extensions/{}", mounted.extension.name);
        for (name, value) in &mounted.extension.env {
            environment.push((name.clone(), value.replace("${image_root}", &root)));
        }
    }
    environment
}

/// Creates what is created, what is needed first, and checks the version; loads what is not created.
fn create_sql(test: &Test) -> String {
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let identifier = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut sql = String::new();
    for mounted in test.mounted.iter().rev() {
        let name = &mounted.extension.sql_name;
        if !mounted.extension.create_extension {
            sql += &format!("LOAD {};\n", literal(name));
            continue;
        }
        let version = mounted
            .sql_version
            .as_deref()
            .map(|version| format!(" VERSION {}", literal(version)))
            .unwrap_or_default();
        sql += &format!(
            "CREATE EXTENSION IF NOT EXISTS {}{version};\n",
            identifier(name)
        );
        if let Some(version) = &mounted.sql_version {
            sql += &format!(
                "DO $check$ DECLARE found text := (SELECT extversion FROM pg_extension WHERE extname = {name});\n\
                 BEGIN IF found IS DISTINCT FROM {version} THEN\n\
                 RAISE EXCEPTION 'extension % has version %, not %', {name}, found, {version}; END IF; END $check$;\n",
                name = literal(name),
                version = literal(version),
            );
        }
    }
    sql
}
