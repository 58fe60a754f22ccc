// SPDX-License-Identifier: Apache-2.0
//! The login for a private registry: whole or not at all, and how the nodes of a kind cluster get it, or docker.

use base64::Engine as _;
use serde_json::{Value, json};

use super::{Environment, nodes::on_node, survey::Survey};
use crate::{
    config::{self, Config},
    failure::Failure,
    image::ImageRef,
    plan::{Plan, Probe, Secret, Step, StepId},
    value::split_host,
};

/// Where kubelet looks for logins. Read anew for a pull, but kept for minutes once it was read.
const LOGINS: &str = "/var/lib/kubelet/config.json";
/// Docker's own name for its registry, where logins are kept.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";
/// A copy of the login that kubelet has read.
const READ: &str = "/var/lib/kubelet/config.json.read";

/// A login for the nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub host: String,
    pub username: String,
    pub password: Secret,
}

impl Environment {
    /// Gives each node the login, and lets kubelet read it. A kubelet that was restarted counts pods as
    /// unready until it has probed them; an operator in that state would refuse databases, so it gets a
    /// pod that is proven from the start.
    pub(super) fn add_logins(
        &self,
        plan: &mut Plan,
        survey: &Survey,
        nodes: &[String],
        credentials: &Credentials,
        after: &[StepId],
    ) -> Vec<StepId> {
        let mut settled: Vec<StepId> = nodes
            .iter()
            .map(|node| login(plan, node, credentials, after))
            .collect();
        // Of a cluster that was started again, the operator is restarted anyway.
        let has_operator =
            !survey.restarted && self.kept(survey).is_some_and(|api| api.operator.is_some());
        if let (true, Some(first)) = (has_operator, nodes.first()) {
            let needless = (is_read(first), "kubelet has already read it");
            settled = vec![self.add_restart(plan, &settled, Some(needless))];
        }
        let note = |node: &String| {
            let copy = on_node(
                node,
                format!("record that kubelet on `{node}` has read the login"),
                &["cp", "--preserve=mode", LOGINS, READ],
            );
            let step = Step::run(format!("login on {node} read"), copy);
            plan.add(step.after(settled.iter().copied()).quiet())
        };
        nodes.iter().map(note).collect()
    }
}

fn is_read(node: &str) -> Probe {
    Probe::Succeeds(on_node(
        node,
        format!("ask whether kubelet on `{node}` has read the login"),
        &["cmp", "--quiet", LOGINS, READ],
    ))
}

fn login(plan: &mut Plan, node: &str, credentials: &Credentials, after: &[StepId]) -> StepId {
    let config = credentials.kubelet_config();
    let same = on_node(
        node,
        format!("compare the login on `{node}`"),
        &["cmp", "--quiet", "/dev/stdin", LOGINS],
    );
    let same = Probe::Succeeds(same.secret_stdin(config.clone()));
    let write = on_node(
        node,
        format!("write the login to `{node}`"),
        &["install", "--mode=600", "/dev/stdin", LOGINS],
    );
    let written = plan.add(
        Step::run(format!("login on {node}"), write.secret_stdin(config))
            .after(after.iter().copied())
            .skip_if(same, "it is up to date"),
    );
    let restart = on_node(
        node,
        format!("restart kubelet on `{node}` to read the login"),
        &["systemctl", "restart", "kubelet"],
    );
    plan.add(
        Step::run(format!("restart kubelet on {node}"), restart)
            .after([written])
            .skip_if(is_read(node), "it has already read the login")
            .quiet(),
    )
}

impl Credentials {
    /// What the settings and the environment's password say, all of it or nothing.
    pub(crate) fn of(config: &Config, password: Option<String>) -> Result<Option<Self>, Failure> {
        let host = config.get(config::CREDENTIALS_HOST);
        let username = config.get(config::CREDENTIALS_USERNAME);
        let password = password.filter(|text| !text.is_empty());
        match (host.is_empty(), username.is_empty(), password) {
            (true, true, None) => Ok(None),
            (false, false, Some(password)) => Ok(Some(Self {
                host: host.to_owned(),
                username: username.to_owned(),
                password: Secret::new(password),
            })),
            (no_host, no_username, password) => {
                let mut missing = Vec::new();
                for (is_missing, name) in [
                    (no_host, "REGISTRY_HOST"),
                    (no_username, "REGISTRY_USERNAME"),
                    (password.is_none(), "REGISTRY_PASSWORD"),
                ] {
                    if is_missing {
                        missing.push(format!("`{name}`"));
                    }
                }
                Err(Failure::invalid(format!("the private registry's login lacks {}", missing.join(" and ")))
                .hint("set REGISTRY_HOST, REGISTRY_USERNAME and, in the environment only, REGISTRY_PASSWORD; or none of them"))
            }
        }
    }

    /// The login with which an image's annotations are read, where one is given for that: the user of the settings, and
    /// the environment's password. None: docker has its own.
    pub(crate) fn for_reading(
        config: &Config,
        image: &ImageRef,
        password: Option<String>,
    ) -> Result<Option<Self>, Failure> {
        let username = config.get(config::CREDENTIALS_USERNAME);
        let password = password.filter(|text| !text.is_empty());
        if username.is_empty() {
            return Ok(None);
        }
        let host = match (
            config.get(config::CREDENTIALS_HOST),
            split_host(&image.repository),
        ) {
            ("", (Some(host), _)) => host,
            ("", (None, _)) => DOCKER_HUB,
            (given, _) => given,
        };
        match (password, config.flag(config::CREDENTIALS_USERNAME)) {
            (Some(password), _) => Ok(Some(Self {
                host: host.to_owned(),
                username: username.to_owned(),
                password: Secret::new(password),
            })),
            (None, Some(_)) => Err(Failure::invalid(format!(
                "the login for `{host}` lacks `REGISTRY_PASSWORD`"
            ))
            .hint("put it into the environment: `read -rs REGISTRY_PASSWORD; export REGISTRY_PASSWORD`; without a user, docker's own login is used")),
            (None, None) => Ok(None),
        }
    }

    /// As kubelet's config.json holds it, whose format is docker's.
    fn kubelet_config(&self) -> Secret {
        self.beside(None)
    }

    /// As docker's config.json holds it, beside the logins of such a text.
    pub(crate) fn beside(&self, others: Option<&str>) -> Secret {
        let pair = format!("{}:{}", self.username, self.password.reveal());
        let pair = base64::engine::general_purpose::STANDARD.encode(pair);
        let others: Value = others
            .and_then(|text| serde_json::from_str(text).ok())
            .unwrap_or_default();
        let mut logins = others["auths"].as_object().cloned().unwrap_or_default();
        logins.insert(self.host.clone(), json!({"auth": pair}));
        Secret::new(json!({"auths": logins}).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(user: &[&str], image: &str, password: Option<&str>) -> Result<Option<String>, Failure> {
        let said: Vec<String> = user.iter().map(|text| (*text).to_owned()).collect();
        let config = Config::defaults().with_said(&said).unwrap();
        let password = password.map(str::to_owned);
        let login = Credentials::for_reading(&config, &image.parse().unwrap(), password)?;
        Ok(login.map(|login| login.host))
    }

    #[test]
    fn images_are_read_with_a_login_when_it_is_whole_and_given_for_that() {
        let me = ["credentials.username=me"];
        for (image, host) in [
            ("r.example:5000/team/x:1", "r.example:5000"),
            ("team/x:1", DOCKER_HUB),
        ] {
            let login = read(&me, image, Some("p")).unwrap();
            assert_eq!(login.as_deref(), Some(host));
        }
        let other = ["credentials.username=me", "credentials.host=other.example"];
        let login = read(&other, "r.example/x", Some("p")).unwrap();
        assert_eq!(login.as_deref(), Some("other.example"));
        assert_eq!(read(&[], "r.example/x", Some("p")).unwrap(), None);
        let failure = read(&me, "r.example/x", None).unwrap_err();
        assert_eq!(
            failure.message,
            "the login for `r.example` lacks `REGISTRY_PASSWORD`"
        );
    }

    #[test]
    fn docker_keeps_its_other_logins() {
        let login = Credentials {
            host: "a.example".into(),
            username: "me".into(),
            password: Secret::new("p"),
        };
        let alone = r#"{"auths":{"a.example":{"auth":"bWU6cA=="}}}"#;
        for others in [
            None,
            Some(""),
            Some("x"),
            Some("[]"),
            Some(r#"{"auths":1}"#),
        ] {
            assert_eq!(login.beside(others).reveal(), alone, "{others:?}");
        }
        let others = r#"{"auths":{"a.example":{"auth":"x"},"b.example":{"auth":"y"}}}"#;
        let both: Value = serde_json::from_str(login.beside(Some(others)).reveal()).unwrap();
        assert_eq!(both["auths"]["a.example"]["auth"], "bWU6cA==");
        assert_eq!(both["auths"]["b.example"]["auth"], "y");
    }
}
