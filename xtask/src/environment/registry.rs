// SPDX-License-Identifier: Apache-2.0
//! The local registry: its network, its volume, its container; and what the nodes ask it for.

use std::time::Duration;

use super::{
    Environment, INNER_PORT,
    nodes::Host,
    survey::{Presence, Survey},
};
use crate::{
    failure::Failure,
    plan::{Action, Cmd, Evidence, Kind, Owned, Plan, Probe, Question, Step, StepId},
    tool::docker::{self, RUN_LABEL},
};

/// On the container: what it was made for. Another wish means another container, the volume stays.
const SPEC: &str = "io.cloudnativepg.xtask.spec";

/// The steps of the registry.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps {
    pub network: Vec<StepId>,
    /// Its container runs.
    pub container: Vec<StepId>,
    pub answers: Vec<StepId>,
}

pub(super) fn docker(purpose: impl Into<String>, args: &[&str]) -> Cmd {
    Cmd::new("docker", purpose).args(args)
}

impl Environment {
    /// What its container was made for, as a label.
    pub(super) fn spec(&self, port: u16) -> String {
        format!("{SPEC}=port={port} image={}", self.registry_image)
    }

    /// The network; no step when it is there.
    pub(super) fn add_network(
        &self,
        plan: &mut Plan,
        survey: &Survey,
    ) -> Result<Vec<StepId>, Failure> {
        let (network, label) = (self.network(), self.label());
        match survey.network {
            Presence::Ours => Ok(Vec::new()),
            Presence::Foreign => Err(foreign("network", &network)),
            Presence::Absent => {
                let create = docker(
                    "make the environment's network",
                    &["network", "create", "--label", &label, "--", &network],
                );
                Ok(vec![plan.add(Step::run("network", create).quiet())])
            }
        }
    }

    /// Network, volume and container, and that it answers.
    pub(crate) fn add_registry(&self, plan: &mut Plan, survey: &Survey) -> Result<Steps, Failure> {
        if self.cluster().is_none() {
            return Ok(Steps::default());
        }
        let mut steps = Steps {
            network: self.add_network(plan, survey)?,
            ..Steps::default()
        };
        let Some(port) = self.port else {
            return Ok(steps);
        };
        steps.container = self.add_container(plan, survey, port, &steps.network)?;
        let probe = Probe::Answers {
            address: format!("127.0.0.1:{port}"),
            path: "/v2/",
        };
        let wait = Action::WaitFor {
            what: "the local registry",
            probe,
            every: Duration::from_millis(100),
            patience: Duration::from_secs(30),
            log: None,
        };
        let logs = docker(
            "read the registry's log",
            &["logs", "--tail", "50", "--", &self.registry()],
        );
        let wait = Step::new("registry answers", wait)
            .after(steps.container.iter().copied())
            .evidence(Evidence::new(
                vec![Question::new("registry.log", logs)],
                docker::OnEngine,
            ));
        steps.answers.push(plan.add(wait.quiet()));
        Ok(steps)
    }

    /// The container: as it is, started again, or created again.
    fn add_container(
        &self,
        plan: &mut Plan,
        survey: &Survey,
        port: u16,
        network: &[StepId],
    ) -> Result<Vec<StepId>, Failure> {
        let name = self.registry();
        let found = survey.registry.as_ref();
        if found.is_some_and(|found| !found.ours) {
            return Err(foreign("container", &name));
        }
        let as_wanted = found.filter(|found| {
            found.as_wanted
                && found.container.networks.contains(&self.network())
                && network.is_empty()
        });
        if as_wanted.is_some_and(|found| found.container.running) {
            return Ok(Vec::new());
        }
        if survey.port_taken {
            return Err(taken(port));
        }
        if as_wanted.is_some() {
            let start = docker("start the registry", &["start", "--", &name]);
            return Ok(vec![plan.add(Step::run("start the registry", start))]);
        }
        let mut before = network.to_vec();
        if found.is_some() {
            plan.note("the registry is created again with other settings; its images are kept");
            let remove = Action::Remove(self.registry_with(&self.label()));
            let remove = Step::new("remove the registry", remove).after(before);
            before = vec![plan.add(remove.quiet())];
        }
        before.extend(self.add_volume(plan, survey)?);
        let of_run = format!("{RUN_LABEL}={}", self.run);
        let run = self.run_registry(port, &of_run);
        let step = Step::run(format!("registry at localhost:{port}"), run)
            .after(before)
            .undo(self.registry_with(&of_run))
            .kept();
        Ok(vec![plan.add(step)])
    }

    /// The registry's container, if it carries that label.
    fn registry_with(&self, label: &str) -> Owned {
        let purpose = "remove the registry's container";
        Owned::new(Kind::Container, label, purpose).name(self.registry())
    }

    /// The volume, which outlives its container; no step when it is there.
    fn add_volume(&self, plan: &mut Plan, survey: &Survey) -> Result<Option<StepId>, Failure> {
        let volume = self.volume();
        match survey.volume {
            Presence::Ours => Ok(None),
            Presence::Foreign => Err(foreign("volume", &volume)),
            Presence::Absent => {
                let create = docker(
                    "make the registry's volume",
                    &["volume", "create", "--label", &self.label(), "--", &volume],
                );
                Ok(Some(plan.add(Step::run("volume", create).quiet())))
            }
        }
    }

    fn run_registry(&self, port: u16, of_run: &str) -> Cmd {
        docker("start the registry", &["run", "--detach"])
            .args(["--name", &self.registry(), "--network", &self.network()])
            .args(["--label", &self.label(), "--label", &self.spec(port)])
            .args(["--label", of_run])
            .args(["--publish", &format!("127.0.0.1:{port}:{INNER_PORT}")])
            .args(["--restart", "unless-stopped"])
            .args(["--volume", &format!("{}:/var/lib/registry", self.volume())])
            // Images of other makers keep their data elsewhere, or send traces to nobody.
            .args([
                "--env",
                "REGISTRY_STORAGE_FILESYSTEM_ROOTDIRECTORY=/var/lib/registry",
            ])
            .args(["--env", &format!("REGISTRY_HTTP_ADDR=:{INNER_PORT}")])
            .args(["--env", "OTEL_TRACES_EXPORTER=none"])
            .arg("--")
            .arg(self.registry_image.to_string())
    }

    /// Where the nodes find images: the registry by both of its names, the hosts of seeded images, and
    /// the mirrors.
    pub(crate) fn hosts(&self) -> Vec<Host> {
        let mut hosts = Vec::new();
        if let Some(port) = self.port {
            let url = format!("http://{}", self.naming.cluster);
            for name in [format!("localhost:{port}"), self.naming.cluster.clone()] {
                hosts.push(Host {
                    name,
                    url: url.clone(),
                    fallback: None,
                });
            }
            for seed in &self.seeds {
                let name = &seed.host;
                if !hosts.iter().any(|host| &host.name == name) {
                    let mirror = self.mirrors.iter().find(|mirror| &mirror.name == name);
                    let upstream =
                        mirror.map_or_else(|| upstream(name), |mirror| mirror.url.clone());
                    hosts.push(Host {
                        name: name.clone(),
                        url: url.clone(),
                        fallback: Some(upstream),
                    });
                }
            }
        }
        for mirror in &self.mirrors {
            if !hosts.iter().any(|host| host.name == mirror.name) {
                hosts.push(mirror.clone());
            }
        }
        hosts
    }
}

fn foreign(what: &str, name: &str) -> Failure {
    Failure::invalid(format!("the {what} `{name}` exists, but was not created by xtask"))
        .hint(format!("remove it (`docker {what} rm {name}`), or choose another name for the environment: `[e2e] name` in xtask.toml"))
}

fn taken(port: u16) -> Failure {
    let other = if port == 5001 { 5002 } else { 5001 };
    Failure::unavailable(format!("port {port} of this machine is in use by another program"))
        .hint(format!("choose another port for the registry: `--registry-port {other}` (macOS gives 5000 to AirPlay)"))
}

/// Where images of a host really come from.
fn upstream(host: &str) -> String {
    match host {
        "docker.io" => "https://registry-1.docker.io".to_owned(),
        _ => format!("https://{host}"),
    }
}
