// SPDX-License-Identifier: Apache-2.0
//! What the engine says of itself.

use serde_json::Value;

use crate::{
    failure::{CmdFailure, Failure, Reason, Section},
    plan::Cmd,
    symptom::NO_DAEMON_HINT,
    tool::{missing, version::Least},
};

/// The first that mounts images into containers (`--mount type=image`); an older one will do, with copies in their place.
pub(crate) const LEAST: Least = Least::of(&[28]);

/// What `docker info` says, as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Info {
    /// What tells this engine from others.
    pub identity: String,
    /// `28.5.2`.
    pub version: String,
    /// Images live in containerd: only then can the plain builder attest and keep an index.
    pub containerd_store: bool,
    pub root_folder: String,
    /// It runs as a user, who is root in its containers.
    pub rootless: bool,
    /// None when the buildx plugin is missing.
    pub buildx: Option<String>,
    /// Which registries it asks by HTTP: hosts, and networks such as `127.0.0.0/8`. None: it does not say.
    pub by_http: Option<Vec<String>>,
}

pub(crate) fn info_cmd() -> Cmd {
    Cmd::new("docker", "ask the Docker engine what it is").args(["info", "--format", "{{json .}}"])
}

impl Info {
    /// Reads the JSON of `docker info`. Without a daemon the client still prints it, with
    /// `ServerErrors` in place of the server's half.
    pub(crate) fn parse(text: &str) -> Result<Self, Failure> {
        let info: Value = serde_json::from_str(text).map_err(|error| {
            Failure::unavailable(format!("`docker info` printed no JSON: {error}"))
        })?;
        let string = |name: &str| {
            info.get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        if let Some(error) = info.pointer("/ServerErrors/0").and_then(Value::as_str) {
            return Err(no_daemon(error));
        }
        let security = info.get("SecurityOptions").and_then(Value::as_array);
        let rootless = security
            .into_iter()
            .flatten()
            .any(|option| option == "name=rootless");
        let status = info.get("DriverStatus").and_then(Value::as_array);
        let containerd_store = status.into_iter().flatten().any(|pair| {
            pair.get(1)
                .and_then(Value::as_str)
                .is_some_and(|value| value.starts_with("io.containerd.snapshotter"))
        });
        let plugins = info
            .pointer("/ClientInfo/Plugins")
            .and_then(Value::as_array);
        let buildx = plugins
            .into_iter()
            .flatten()
            .find(|plugin| plugin.get("Name").and_then(Value::as_str) == Some("buildx"))
            .and_then(|plugin| plugin.get("Version").and_then(Value::as_str))
            .map(str::to_owned);
        let by_http = info.get("RegistryConfig").and_then(|config| {
            let networks = config.get("InsecureRegistryCIDRs")?.as_array()?.iter();
            let hosts = config.get("IndexConfigs").and_then(Value::as_object);
            let hosts = hosts.into_iter().flatten();
            let hosts = hosts.filter(|(_, host)| host["Secure"] == false);
            let hosts = hosts.map(|(name, _)| name.clone());
            let networks = networks.filter_map(|network| network.as_str().map(str::to_owned));
            Some(networks.chain(hosts).collect())
        });
        // An engine that has no name for itself (podman's answer, say) is told by its machine and its files.
        let identity = match string("ID") {
            id if id.is_empty() => format!("{} {}", string("Name"), string("DockerRootDir")),
            id => id,
        };
        Ok(Self {
            identity,
            version: string("ServerVersion"),
            containerd_store,
            root_folder: string("DockerRootDir"),
            rootless,
            buildx,
            by_http,
        })
    }

    /// Whether it is known to ask a registry of this machine (`localhost:5000`) by HTTPS alone.
    pub(crate) fn refuses_http_of(&self, local: &str) -> bool {
        self.by_http.as_ref().is_some_and(|known| {
            let is_loopback =
                |network: &String| network.starts_with("127.") || network == "::1/128";
            !known.iter().any(|one| one == local || is_loopback(one))
        })
    }

    /// Who in a container is the user of this machine, as `docker run --user` takes it.
    pub(crate) fn own_user(&self) -> String {
        if self.rootless {
            "0:0".to_owned()
        } else {
            user()
        }
    }

    /// Whether it mounts images into containers.
    pub(crate) fn mounts_images(&self) -> bool {
        LEAST.is_reached_by(&self.version)
    }
}

/// The user of this machine, as `docker run --user` takes it.
pub(crate) fn user() -> String {
    let (user, group) = (nix::unistd::geteuid(), nix::unistd::getegid());
    format!("{user}:{group}")
}

/// Why there is no answer to [`info_cmd`], and what to do about it.
pub(crate) fn no_answer(failed: CmdFailure) -> Failure {
    match failed.reason {
        Reason::NotFound => missing("docker"),
        _ if failed.mentions(NO_DAEMON) => no_daemon(failed.cause().unwrap_or(NO_DAEMON)),
        _ => Failure::from(failed).or_unavailable(),
    }
}

/// What every client says when nothing answers at the engine's socket.
const NO_DAEMON: &str = "Cannot connect to the Docker daemon";

fn no_daemon(said: &str) -> Failure {
    Failure::unavailable("the Docker daemon does not answer")
        .detail(said.to_owned())
        .hint(NO_DAEMON_HINT)
        .see(Section::Begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engine_is_read_from_docker_info() {
        let text = r#"{"ServerVersion":"28.5.2+dfsg4","DriverStatus":[["driver-type","io.containerd.snapshotter.v1"]],
            "DockerRootDir":"/var/lib/docker","Architecture":"x86_64","ClientInfo":{"Plugins":[{"Name":"buildx","Version":"0.29.1"}]}}"#;
        let engine = Info::parse(text).unwrap();
        assert!(engine.mounts_images() && engine.containerd_store);
        assert_eq!(engine.buildx.as_deref(), Some("0.29.1"));
    }

    #[test]
    fn which_registries_are_asked_by_http_is_read_from_docker_info() {
        let info = |registries: &str| {
            let text = format!(r#"{{"ServerVersion":"29.10.0","RegistryConfig":{registries}}}"#);
            Info::parse(&text).unwrap()
        };
        let usual =
            info(r#"{"InsecureRegistryCIDRs":["::1/128","127.0.0.0/8"],"IndexConfigs":{}}"#);
        assert!(!usual.refuses_http_of("localhost:5000"));
        let named = r#"{"InsecureRegistryCIDRs":["10.0.0.0/8"],"IndexConfigs":{"docker.io":{"Secure":true},"localhost:5000":{"Secure":false}}}"#;
        assert!(!info(named).refuses_http_of("localhost:5000"));
        assert!(info(named).refuses_http_of("localhost:5001"));
        assert!(!info("{}").refuses_http_of("localhost:5000"));
    }

    #[test]
    fn in_a_rootless_engine_we_are_root() {
        let user = |options: &str| {
            let info = Info::parse(&format!(
                r#"{{"ServerVersion":"28","SecurityOptions":{options}}}"#
            ));
            info.unwrap().own_user()
        };
        assert_eq!(
            user(r#"["name=seccomp,profile=builtin","name=rootless"]"#),
            "0:0"
        );
        assert_eq!(user("null"), super::user());
    }

    #[test]
    fn a_stopped_daemon_is_unavailable() {
        let failure =
            Info::parse(r#"{"ServerErrors":["Cannot connect to the Docker daemon at unix:///x"]}"#)
                .unwrap_err();
        assert_eq!(failure.kind, crate::failure::Kind::Unavailable);
        assert!(failure.details[0].contains("Cannot connect"), "{failure:?}");
    }
}
