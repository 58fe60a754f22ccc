// SPDX-License-Identifier: Apache-2.0
//! The engine, buildx and its builder, and the room for images.

use super::{Check, State};
use crate::{
    config,
    context::Context,
    engine,
    exec::{Exec, Real},
    image::is_local,
    plan::Cmd,
    symptom::HTTP_ONLY,
    target::PLATFORMS,
    tool::{
        NeededFor,
        builder::{self, Builder},
        docker, table,
    },
    value::without_logins,
};

const INSTALL_BUILDX: &str = "install package `docker-buildx` or `docker-buildx-plugin`";

pub(super) fn checks(context: &Context, exec: &Real, wanted: &[NeededFor]) -> Vec<Check> {
    let Some(client) = exec.finds("docker") else {
        let fix = table::missing("docker").hint.unwrap_or_default();
        return vec![
            Check::missing("docker", "not on PATH", &fix),
            Check::missing("buildx", "needs docker", INSTALL_BUILDX),
        ];
    };
    let mut checks = vec![
        Check::good("docker", client.display().to_string()),
        of_buildx(exec),
    ];
    let engine = match engine::ask(exec) {
        Ok(engine) => engine,
        Err(failure) => {
            let command = failure.command.as_ref();
            let quoted = command
                .and_then(|command| command.cause())
                .map(without_logins);
            let said = failure.details.first().cloned().or(quoted);
            let found = said.unwrap_or(failure.message);
            checks.push(Check {
                name: "engine",
                state: State::Missing,
                found,
                fix: failure.hint,
            });
            return checks;
        }
    };
    let version = &engine.version;
    checks.push(Check::good("engine", format!("Docker {version}")));
    if wanted.contains(&NeededFor::Smoke) && !engine.mounts_images() {
        checks.push(Check::warning(
            "image mounts",
            format!("Docker {version} has none"),
            &format!(
                "smoke copies the files instead; Docker {} mounts them",
                docker::LEAST
            ),
        ));
    }
    if wanted.contains(&NeededFor::Bake) {
        checks.extend(of_builder(context, exec, &engine));
    }
    if wanted.contains(&NeededFor::E2e) {
        checks.extend(of_registry(context, &engine));
    }
    checks.extend(of_disk(context, &engine));
    checks
}

/// The registry of this machine, which speaks HTTP: an engine that does not know pushes nothing to it.
fn of_registry(context: &Context, engine: &docker::Info) -> Option<Check> {
    let registry = context.config.get(config::REGISTRY);
    let host = registry.split('/').next().unwrap_or_default();
    (is_local(registry) && engine.refuses_http_of(host)).then(|| {
        let found = format!("the engine asks `{host}` by HTTPS");
        Check::warning("registry", found, HTTP_ONLY)
    })
}

fn of_buildx(exec: &Real) -> Check {
    let ask = Cmd::new("docker", "ask for buildx").args(["buildx", "version"]);
    match exec.read(&ask, None) {
        Ok(text) => {
            let version = text.split_whitespace().nth(1);
            Check::good("buildx", version.unwrap_or("there"))
        }
        Err(_) => Check::missing("buildx", "`docker buildx` is not known", INSTALL_BUILDX),
    }
}

/// The builder, and the platforms that it knows.
fn of_builder(context: &Context, exec: &Real, engine: &docker::Info) -> Vec<Check> {
    let inspect = builder::inspect_cmd(context.config.builder());
    let fix = "`docker buildx ls` lists the builders";
    let text = match exec.read(&inspect, None) {
        Ok(text) => text,
        Err(failed) => {
            let found = failed.cause().unwrap_or("cannot be inspected").to_owned();
            return vec![Check::missing("builder", found, fix)];
        }
    };
    let Some(builder) = Builder::parse(&text) else {
        let found = "`docker buildx inspect` names no driver";
        return vec![Check::missing("builder", found, fix)];
    };
    if let Some(why) = builder.refusal() {
        return vec![Check::missing("builder", why, fix)];
    }
    let check = if builder.is_engines_own() && !engine.containerd_store {
        Check::missing(
            "builder",
            "driver docker without the containerd image store: no attestations, no index",
            "set features.containerd-snapshotter in daemon.json, or `docker buildx create --use --driver docker-container --driver-opt network=host`",
        )
    } else {
        of_nodes(context, &builder)
    };
    std::iter::once(check)
        .chain(of_platforms(&builder))
        .collect()
}

/// What is to be known of a builder that can build.
fn of_nodes(context: &Context, builder: &Builder) -> Check {
    let driver = &builder.driver;
    let found = match (builder.name.as_str(), builder.is_engines_own()) {
        (_, true) | ("", _) => format!("driver {driver}"),
        (name, false) => format!("`{name}`, driver {driver}"),
    };
    let lost = builder.lost();
    if !lost.is_empty() {
        let found = format!("{found}: {}", lost.join("; "));
        return Check::warning("builder", found, "start it, or leave it out of the builder");
    }
    let registry = context.config.get(config::REGISTRY);
    if builder.has_own_loopback() && is_local(registry) {
        let found = format!("{found}, which cannot push to `{registry}`");
        let fix = "set `registry` to a name by which the builder and this machine both reach it";
        return Check::warning("builder", found, fix);
    }
    Check::good("builder", found)
}

/// Whether the builder can run programs of the other platforms. Our own Dockerfiles put such images
/// together without running anything; others may need it. None: it does not say what it builds for.
fn of_platforms(builder: &Builder) -> Option<Check> {
    let mut missing = Vec::new();
    for platform in PLATFORMS {
        if !builder.builds_for(platform)? {
            missing.push(platform);
        }
    }
    if missing.is_empty() {
        return Some(Check::good("platforms", PLATFORMS.join(", ")));
    }
    Some(Check::warning(
        "platforms",
        format!("{} is not emulated", missing.join(", ")),
        "Dockerfiles that run programs of that platform need it (ours do not): `docker run --privileged --rm tonistiigi/binfmt --install all`",
    ))
}

/// An engine on another machine has a disk that cannot be seen from here: then there is nothing to say.
fn of_disk(context: &Context, engine: &docker::Info) -> Option<Check> {
    // The sandbox's engine names its folder as it sees it; outside that is the sandbox's own.
    let folder = match context.sandbox() {
        Ok(sandbox) if context.global.sandbox => sandbox.folder,
        _ => engine.root_folder.clone().into(),
    };
    let disk = nix::sys::statvfs::statvfs(&folder).ok()?;
    let free = disk.blocks_available() * disk.fragment_size() / (1 << 30);
    let found = format!("{free} GiB free for images");
    let least = u64::from(context.config.get(config::DISK_WARNING));
    Some(if free < least {
        let fix =
            "`docker system df` shows what uses it, `docker buildx prune` removes build cache";
        Check::warning("disk", found, fix)
    } else {
        Check::good("disk", found)
    })
}
