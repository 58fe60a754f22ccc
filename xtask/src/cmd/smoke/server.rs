// SPDX-License-Identifier: Apache-2.0
//! One test as steps: the container, what is mounted into it, and the server's options, derived from
//! the metadata the way CNPG does it.

use std::{sync::Arc, time::Duration};

use crate::{
    cmd::bake::{self, Baked},
    engine::base::Sources,
    image::{Image, ImageRef},
    mount::{self, Folders, Mounted, Mounts},
    own::{RunId, source},
    plan::{Action, Arg, Cmd, Kind, Location, Owned, Plan, Step, StepId, Undo},
    target::{Target, Targets},
    tool::docker::RUN_LABEL,
};

const SCRIPT: &str = include_str!("smoke.sh");

/// Where a mounted extension's files come from, and which version they must be.
pub(super) struct Source {
    pub(super) image: Image,
    pub(super) sql_version: Option<String>,
}

/// One test: a base image, the extension under test first, then what it needs.
pub(super) struct Test {
    pub(super) name: String,
    base: ImageRef,
    pub(super) mounts: Mounts<Source>,
    pub(super) proof: Option<String>,
}

/// How an extension's files get into the server's container.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mount {
    /// `--mount type=image`, Docker 28 and newer.
    Image,
    /// `docker cp` from a container of the one image into a container of the other.
    Copy,
}

pub(super) fn test(
    target: &Target,
    targets: &Targets,
    sources: &Sources,
    baked: &[Baked],
) -> anyhow::Result<Test> {
    let mounted = |target: &Target| Mounted {
        extension: Arc::clone(&target.extension),
        source: Source {
            image: bake::image(target, baked),
            sql_version: target.sql_version.clone(),
        },
    };
    let path = target.extension.folder.join("smoke.sql");
    let proof = source::read(&sources.workspace.root, &path)?.filter(|text| has_statement(text));
    Ok(Test {
        name: target.title(),
        base: target.base.clone(),
        mounts: Mounts::new(mounted(target), targets.needs(target).map(mounted)),
        proof,
    })
}

impl Test {
    /// What a test that prints nothing has shown: the one place that has words for it.
    pub(super) fn silent(&self) -> &'static str {
        match (&self.proof, self.mounts.own().extension.create_extension) {
            (Some(_), _) => "smoke.sql passed, it prints nothing",
            (None, true) => "created, not used",
            (None, false) => "loaded, not created and not used",
        }
    }
}

/// Whether SQL holds anything but blanks, comments, which nest, and the ends of empty statements.
pub(in crate::cmd) fn has_statement(text: &str) -> bool {
    let nothing = |c: char| c.is_whitespace() || c == ';';
    let mut rest = text.trim_start_matches(nothing);
    loop {
        rest = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = rest.strip_prefix("/*") {
            after_comment(comment)
        } else {
            return !rest.is_empty();
        }
        .trim_start_matches(nothing);
    }
}

/// What stands behind a comment that has begun.
fn after_comment(mut rest: &str) -> &str {
    let mut depth = 1;
    while depth > 0 {
        let Some(at) = rest.find("/*").into_iter().chain(rest.find("*/")).min() else {
            return "";
        };
        if rest[at..].starts_with("/*") {
            depth += 1;
        } else {
            depth -= 1;
        }
        rest = &rest[at + 2..];
    }
    rest
}

/// Adds the steps of one test; gives the one that decides.
pub(super) fn add(
    plan: &mut Plan,
    test: &Test,
    baked: &[Baked],
    mount: Mount,
    run: &RunId,
    limit: Duration,
) -> StepId {
    let label = format!("{RUN_LABEL}={run}");
    let container = format!(
        "xtask-smoke-{}-{}",
        run.short(),
        test.name.replace(' ', "-")
    );
    let before: Vec<StepId> = test
        .mounts
        .iter()
        .filter_map(|mounted| {
            baked.iter().find(|done| {
                done.extension == mounted.extension.name
                    && matches!(mounted.source.image, Image::Baked { .. })
            })
        })
        .map(|done| done.step)
        .collect();
    let remove =
        |name: &str| Owned::new(Kind::Container, &label, "remove the test's container").name(name);
    let purpose = format!("run `{}` in PostgreSQL", test.name);
    let (verb, flags): (&str, &[&str]) = match mount {
        Mount::Image => ("run", &["--rm", "--interactive"]),
        Mount::Copy => ("create", &["--rm", "--interactive"]),
    };
    let cmd = Cmd::new("docker", &purpose).args([verb]).args(flags);
    let mut cmd: Cmd<Arg> = cmd.into();
    cmd = cmd.args(["--network", "none", "--name", &container, "--label", &label]);
    for (name, value) in environment(test) {
        // The name alone on the command line; docker takes the value from its own environment.
        cmd = cmd.args(["--env", name]).env(name, value);
    }
    if mount == Mount::Image {
        for mounted in test.mounts.iter() {
            cmd = cmd.arg("--mount").pending(
                "type=image,source=",
                mounted.source.image.clone(),
                format!(",target={}", mount::root(&mounted.extension.name)),
            );
        }
    }
    cmd = cmd
        .arg("--")
        .arg(test.base.to_string())
        .args(["bash", "-s", "--"])
        .args(variables(&test.mounts))
        // CNPG's names of variables hold no `-`.
        .arg("--")
        .args(options(&test.mounts));
    let name = format!("smoke {}", test.name);
    // The script reads the rest of its input: an argument or a variable has room for 128 KiB only.
    let input = format!("{SCRIPT}{}", test.proof.as_deref().unwrap_or_default());
    match mount {
        Mount::Image => plan.add(
            Step::run(name, cmd.stdin(input))
                .after(before)
                .undo(remove(&container))
                .timeout(limit)
                .warns()
                .proof("smoke"),
        ),
        Mount::Copy => {
            let created = plan.add(
                Step::run(format!("create {container}"), cmd)
                    .after(before)
                    .undo(remove(&container))
                    .quiet(),
            );
            let mut last = created;
            for mounted in test.mounts.iter() {
                last = copy(
                    plan,
                    &mounted.extension.name,
                    &mounted.source.image,
                    (&container, &label),
                    last,
                );
            }
            let start = Cmd::new("docker", purpose)
                .args(["start", "--attach", "--interactive", "--", &container])
                .stdin(input);
            let step = Step::run(name, start).after([last]).timeout(limit);
            plan.add(step.warns().proof("smoke"))
        }
    }
}

/// Copies an image's files to `/extensions/<name>` of a container that is not started yet, by way of a
/// folder of the run: `docker cp` does not copy from one container to another.
fn copy(
    plan: &mut Plan,
    name: &str,
    image: &Image,
    (container, label): (&str, &str),
    after: StepId,
) -> StepId {
    let source = format!("{container}-{name}");
    let folder = format!("target/xtask/smoke/{source}");
    let docker =
        |what: &str, args: &[&str]| Cmd::new("docker", format!("{what} `{name}`")).args(args);
    // The image has no program; the container is never started, but wants a command.
    let create: Cmd<Arg> = docker(
        "open the image of",
        &["create", "--name", &source, "--label", label, "--"],
    )
    .into();
    let create = create.pending("", image.clone(), "").arg("none");
    let purpose = format!("close the image of `{name}`");
    let remove = Owned::new(Kind::Container, label, purpose).name(&source);
    let mut last = plan.add(
        Step::run(format!("open {source}"), create)
            .after([after])
            .undo(remove.clone())
            .quiet(),
    );
    let place = plan.add(
        Step::new(
            format!("folder {source}"),
            Action::Folder(Location::output(format!("{folder}/extensions"))),
        )
        .after([last])
        .undo(Undo::RemoveFolder(Location::output(&folder)))
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
                    "--",
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
                    "--",
                    &format!("{folder}/extensions"),
                    &format!("{container}:/"),
                ],
            ),
        ),
    ] {
        last = plan.add(
            Step::run(format!("{verb} {source}"), cmd)
                .after([last])
                .quiet(),
        );
    }
    let close = Step::new(format!("close {source}"), Action::Remove(remove));
    last = plan.add(close.after([last]).quiet());
    plan.add(
        Step::new(
            format!("clear {source}"),
            Action::RemoveFolder(Location::output(folder)),
        )
        .after([last])
        .quiet(),
    )
}

/// The server's options, as CNPG sets them.
fn options(mounts: &Mounts<Source>) -> Vec<String> {
    let joined = |first: &str, folders: Folders| {
        let all = std::iter::once(first.to_owned()).chain(mounts.folders(folders));
        format!("{}={}", folders.field(), all.collect::<Vec<_>>().join(":"))
    };
    let mut options = vec![
        joined("$system", Folders::Control),
        joined("$libdir", Folders::Library),
    ];
    let preload = mounts.preload();
    if !preload.is_empty() {
        options.push(format!("shared_preload_libraries={}", preload.join(",")));
    }
    let parameters = mounts.parameters().iter();
    options.extend(parameters.map(|(name, value)| format!("{name}={value}")));
    options
        .into_iter()
        .flat_map(|option| ["-c".to_owned(), option])
        .collect()
}

/// What our script is told.
fn environment(test: &Test) -> [(&'static str, String); 5] {
    let joined = |folders| test.mounts.folders(folders).join(":");
    [
        ("XTASK_EXTENSION", test.mounts.own().extension.name.clone()),
        ("XTASK_CREATE", create_sql(&test.mounts)),
        ("XTASK_SILENT", test.silent().to_owned()),
        ("XTASK_LIBRARY_PATH", joined(Folders::Linker)),
        ("XTASK_BIN_PATH", joined(Folders::Programs)),
    ]
}

/// The metadata's own variables, `NAME=value`. CNPG injects them into the PostgreSQL process (the reference of its
/// `Cluster`, `extensions[].env`), so they are for the server alone, never for docker or our script.
fn variables(mounts: &Mounts<Source>) -> impl Iterator<Item = String> + '_ {
    let pairs = mounts.variables();
    pairs.map(|(name, value)| format!("{name}={value}"))
}

/// Creates what is created, what is needed first, and checks the version; loads what is not created.
fn create_sql(mounts: &Mounts<Source>) -> String {
    let literal = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let identifier = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let mut sql = String::new();
    for mounted in mounts.in_creation_order() {
        let name = &mounted.extension.sql_name;
        if !mounted.extension.create_extension {
            sql += &format!("LOAD {};\n", literal(name));
            continue;
        }
        let version = mounted
            .source
            .sql_version
            .as_deref()
            .map(|version| format!(" VERSION {}", literal(version)))
            .unwrap_or_default();
        sql += &format!(
            "CREATE EXTENSION IF NOT EXISTS {}{version};\n",
            identifier(name)
        );
        if let Some(version) = &mounted.source.sql_version {
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

#[cfg(test)]
mod tests {
    use super::has_statement;

    #[test]
    fn comments_prove_nothing() {
        for text in [
            "",
            " \n",
            "-- to do",
            "-- a\n/* b\n */ -- c\n",
            ";",
            " ; -- a\n;",
            "/* a /* b */ c */",
            "/* open",
        ] {
            assert!(!has_statement(text), "{text:?}");
        }
        for text in [
            "SELECT 1",
            "-- a\nSELECT 1;",
            "/* a */ SELECT 1",
            "/* a /* b */ c */; SELECT 1",
            "\\echo x",
        ] {
            assert!(has_statement(text), "{text:?}");
        }
    }
}
