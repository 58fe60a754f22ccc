// SPDX-License-Identifier: Apache-2.0
//! The programs that we call: what needs them, how they say their version, and how they are had.

use std::ffi::OsStr;

use clap::ValueEnum;

use super::{
    chainsaw, cosign, docker, hyperfine, kind, oras,
    version::{self, Least},
};
use crate::{
    exec::Real,
    failure::{Failure, Section},
    plan::Cmd,
};

/// What a program may be needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum NeededFor {
    Checks,
    Bake,
    Smoke,
    E2e,
    Release,
    Scan,
    Bench,
    Sandbox,
}

/// A program that we call.
#[derive(Debug)]
pub(crate) struct Tool {
    pub name: &'static str,
    pub needed_for: &'static [NeededFor],
    /// Arguments that print its version; none: it is enough that it is there.
    version: &'static [&'static str],
    /// The version in what it prints then; None: it does not say.
    read: fn(&str) -> Option<String>,
    /// The least version that will do. None: any.
    least: Option<Least>,
    /// The least version with which everything works. None: any.
    advised: Option<Least>,
    /// How it is had, for people; `{version}` is the advised one.
    install: &'static str,
    otherwise: Otherwise,
}

/// What is done where a program is not on PATH.
#[derive(Clone, Copy, Debug)]
enum Otherwise {
    /// Nothing: it is needed.
    Missing,
    /// This, on a kind cluster of ours.
    OnKind(&'static str),
    /// This, on a cluster of somebody else.
    OnExisting(&'static str),
    /// This, on any cluster.
    Anywhere(&'static str),
}

const HOST: &str = "the sandbox is for Debian and what descends from it; elsewhere install Docker {version} with buildx";

fn first(printed: &str) -> Option<String> {
    version::found_in(printed).map(str::to_owned)
}

/// What the machine itself must have for a sandbox; a Debian without it is hard to find.
const fn of_host(name: &'static str) -> Tool {
    Tool {
        name,
        needed_for: &[NeededFor::Sandbox],
        version: &[],
        read: first,
        least: None,
        advised: Some(docker::LEAST),
        install: HOST,
        otherwise: Otherwise::Missing,
    }
}

/// One that looks for known faults; which are used is a setting.
const fn scanner(name: &'static str, install: &'static str) -> Tool {
    Tool {
        name,
        needed_for: &[NeededFor::Scan],
        version: &[],
        read: first,
        least: None,
        advised: None,
        install,
        otherwise: Otherwise::Missing,
    }
}

const TOOLS: &[Tool] = &[
    Tool {
        name: "docker",
        needed_for: &[
            NeededFor::Checks,
            NeededFor::Bake,
            NeededFor::Smoke,
            NeededFor::E2e,
        ],
        version: &[],
        read: first,
        least: None,
        advised: Some(docker::LEAST),
        install: "install Docker {version} or newer with buildx, or add `--sandbox` to use a private engine (Linux, root)",
        otherwise: Otherwise::Missing,
    },
    Tool {
        name: "kind",
        needed_for: &[NeededFor::E2e],
        version: &["version", "--quiet"],
        read: first,
        // What nodes need is more: see `kind::check_version`.
        least: Some(kind::LEAST),
        advised: Some(kind::LEAST_FOR_NEW_NODES),
        install: "install kind {version} or newer, or add `--sandbox` to use a private engine that has it (Linux, root)",
        otherwise: Otherwise::OnExisting("the existing cluster is used"),
    },
    Tool {
        name: "kubectl",
        needed_for: &[NeededFor::E2e],
        version: &["version", "--client", "--output", "json"],
        read: first,
        least: None,
        advised: None,
        install: "install kubectl, or add `--sandbox` to use a private engine that has it (Linux, root)",
        otherwise: Otherwise::OnKind("the kind cluster's node has one, which is used"),
    },
    Tool {
        name: "chainsaw",
        needed_for: &[NeededFor::E2e],
        version: &["version"],
        read: first,
        least: Some(chainsaw::LEAST),
        advised: Some(chainsaw::LEAST),
        install: "install Chainsaw {version} or newer: https://kyverno.github.io/chainsaw",
        otherwise: Otherwise::Anywhere("it runs in a container of `images.chainsaw`"),
    },
    Tool {
        name: "oras",
        needed_for: &[NeededFor::Release],
        version: &["version"],
        read: first,
        least: Some(oras::LEAST),
        advised: Some(oras::LEAST),
        install: "install oras {version} or newer: https://oras.land/docs/installation; or add `--sandbox` to use a private engine that has it (Linux, root)",
        otherwise: Otherwise::Missing,
    },
    Tool {
        name: "cosign",
        needed_for: &[NeededFor::Release],
        version: &["version", "--json"],
        read: cosign::version,
        least: Some(cosign::LEAST),
        advised: Some(cosign::LEAST),
        install: "install cosign {version} or newer: https://docs.sigstore.dev/cosign/system_config/installation; or add `--sandbox` to use a private engine that has it (Linux, root)",
        otherwise: Otherwise::Missing,
    },
    Tool {
        name: "curl",
        needed_for: &[NeededFor::Release],
        version: &["--version"],
        read: first,
        least: None,
        advised: None,
        install: "install curl",
        otherwise: Otherwise::Anywhere("only `catalogs --from` with a URL needs it"),
    },
    scanner(
        "trivy",
        "install Trivy: https://trivy.dev/latest/getting-started/installation",
    ),
    scanner(
        "grype",
        "install grype: https://github.com/anchore/grype#installation",
    ),
    scanner(
        "dockle",
        "install dockle: https://github.com/goodwithtech/dockle#installation",
    ),
    scanner(
        "debsecan",
        "install debsecan, a package of Debian and Ubuntu: `apt-get install debsecan`",
    ),
    Tool {
        name: "hyperfine",
        needed_for: &[NeededFor::Bench],
        version: &["--version"],
        read: first,
        least: Some(hyperfine::LEAST),
        advised: Some(hyperfine::LEAST),
        install: "install hyperfine {version} or newer, a package of Debian and Ubuntu: `apt-get install hyperfine`",
        otherwise: Otherwise::Missing,
    },
    of_host("apt-get"),
    of_host("bash"),
    of_host("dpkg-deb"),
    of_host("nsenter"),
    of_host("setpriv"),
    of_host("setsid"),
    of_host("unshare"),
];

/// The programs that one of these needs.
pub(crate) fn needed_for(any: &[NeededFor]) -> impl Iterator<Item = &'static Tool> {
    let needs = |tool: &&Tool| tool.needed_for.iter().any(|what| any.contains(what));
    TOOLS.iter().filter(needs)
}

/// The programs that are needed for this and for nothing else.
pub(crate) fn only_for(what: NeededFor) -> impl Iterator<Item = &'static Tool> {
    TOOLS.iter().filter(move |tool| tool.needed_for == [what])
}

/// A program that is not there, with what to do about it.
pub(crate) fn missing(program: &str) -> Failure {
    let failure = Failure::unavailable(format!("`{program}` is not installed or not on PATH"));
    match TOOLS.iter().find(|tool| tool.name == program) {
        Some(tool) => failure.hint(tool.install()),
        None => failure.hint("run `cargo xtask prereqs` to see all that is missing"),
    }
    .see(Section::Begin)
}

/// Refuses to go on without programs that are looked for on PATH.
pub(crate) fn require<T: AsRef<OsStr>>(
    exec: &Real,
    programs: impl IntoIterator<Item = T>,
) -> Result<(), Failure> {
    let mut programs = programs.into_iter();
    match programs.find(|program| exec.finds(program).is_none()) {
        Some(program) => Err(missing(&program.as_ref().to_string_lossy())),
        None => Ok(()),
    }
}

impl Tool {
    /// The commands that need it, for people.
    pub(crate) fn needed_by(&self) -> String {
        let values = self
            .needed_for
            .iter()
            .filter_map(ValueEnum::to_possible_value);
        let names: Vec<String> = values.map(|value| value.get_name().to_owned()).collect();
        names.join(", ")
    }

    /// Asks the tool for its version; None where it is enough that it is there.
    pub(crate) fn version_cmd(&self) -> Option<Cmd> {
        let cmd = Cmd::new(self.name, format!("ask {} for its version", self.name));
        (!self.version.is_empty()).then(|| cmd.args(self.version))
    }

    /// The version in what it has printed for [`Tool::version_cmd`].
    pub(crate) fn version_in(&self, printed: &str) -> Option<String> {
        (self.read)(printed)
    }

    /// What is done where it is not on PATH, for people. `on_kind`: the cluster is a kind cluster of ours. None: it is needed.
    pub(crate) fn otherwise(&self, on_kind: bool) -> Option<&'static str> {
        match self.otherwise {
            Otherwise::OnKind(way) if on_kind => Some(way),
            Otherwise::OnExisting(way) if !on_kind => Some(way),
            Otherwise::Anywhere(way) => Some(way),
            Otherwise::OnKind(_) | Otherwise::OnExisting(_) | Otherwise::Missing => None,
        }
    }

    /// How it is had, for people.
    pub(crate) fn install(&self) -> String {
        let version = self.advised.map(|version| version.to_string());
        self.install
            .replace("{version}", &version.unwrap_or_default())
    }

    /// Why what the tool has printed for [`Tool::version_cmd`] will not do.
    pub(crate) fn too_old(&self, printed: &str) -> Option<String> {
        let found = self.version_in(printed)?;
        let least = self.least.filter(|least| least.is_after(&found))?;
        Some(format!("{} {found} is older than {least}", self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_any_command_needs_is_found_once() {
        let names =
            |any: &[NeededFor]| -> Vec<&str> { needed_for(any).map(|tool| tool.name).collect() };
        assert_eq!(names(&[NeededFor::Smoke]), ["docker"]);
        let all = names(&[NeededFor::Bake, NeededFor::E2e]);
        assert_eq!(all, ["docker", "kind", "kubectl", "chainsaw"]);
        assert_eq!(names(&[NeededFor::Release]), ["oras", "cosign", "curl"]);
    }

    #[test]
    fn the_guide_names_the_versions_that_are_advised() {
        let guide = [
            include_str!("../../../BUILD.md"),
            include_str!("../../../docs/checks.md"),
            include_str!("../../../docs/cluster-tests.md"),
            include_str!("../../../docs/images.md"),
            include_str!("../../../docs/release.md"),
            include_str!("../../../docs/ci.md"),
        ]
        .concat();
        for tool in TOOLS
            .iter()
            .filter(|tool| tool.needed_for != [NeededFor::Sandbox])
        {
            let install = tool.install();
            assert!(!install.contains('{'), "{install}");
            let words = install.strip_prefix("install ").unwrap_or_default();
            let named = words.split_once(" or newer").map(|(named, _)| named);
            assert_eq!(named.is_some(), tool.advised.is_some(), "{install}");
            let named = named.unwrap_or(tool.name);
            assert!(guide.contains(named), "the guide does not name {named}");
        }
    }

    #[test]
    fn a_version_below_the_least_is_too_old() {
        let chainsaw = only_for(NeededFor::E2e).find(|tool| tool.name == "chainsaw");
        let too_old = |printed| chainsaw.unwrap().too_old(printed);
        assert_eq!(
            too_old("Version: v0.2.13\nTime: x\n").as_deref(),
            Some("chainsaw 0.2.13 is older than 0.2.14")
        );
        for printed in ["Version: v0.2.14", "Version: 0.10.0", "Version: (devel)"] {
            assert_eq!(too_old(printed), None, "{printed}");
        }
    }
}
