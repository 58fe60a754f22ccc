// SPDX-License-Identifier: Apache-2.0
//! The proxies that programs are told of, by their environment and by docker's own configuration, and what they are to
//! reach without.

use serde_json::Value;

/// Where a proxy may be named. Fact: Go's `net/http.ProxyFromEnvironment`, which all our tools use.
const PROXIES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"];
/// What is reached without, in both spellings: programs differ in which of them goes first.
const DIRECT: [&str; 2] = ["NO_PROXY", "no_proxy"];
/// The fields of docker's configuration of the same meaning, see
/// <https://docs.docker.com/engine/cli/proxy/>: docker gives them to builds and to containers, kind's nodes among them.
const OF_DOCKER: [&str; 2] = ["httpProxy", "httpsProxy"];

/// What this machine's programs and docker's containers are told of proxies. The default is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Proxies {
    /// The variables of the environment that say something.
    variables: Vec<&'static str>,
    is_named: bool,
    /// What is reached without, with `,` between; empty: nothing.
    direct: String,
}

impl Proxies {
    /// `variable` gives those of the environment, `configuration` is the text of docker's, empty where there is none.
    pub(crate) fn of(variable: impl Fn(&str) -> Option<String>, configuration: &str) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let names = PROXIES.into_iter().chain(DIRECT);
        let configuration: Value = serde_json::from_str(configuration).unwrap_or_default();
        // One for each engine, or for all.
        let of_docker = configuration["proxies"].as_object();
        let of_docker: Vec<&Value> = of_docker.into_iter().flat_map(|all| all.values()).collect();
        let text = |of: &Value, field: &str| {
            let text = of[field].as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned)
        };
        let by_docker = |of: &&Value| OF_DOCKER.iter().any(|field| text(of, field).is_some());
        let direct = DIRECT.iter().find_map(|name| set(name));
        let direct = direct.or_else(|| of_docker.iter().find_map(|of| text(of, "noProxy")));
        Self {
            variables: names.filter(|name| set(name).is_some()).collect(),
            is_named: PROXIES.iter().any(|name| set(name).is_some())
                || of_docker.iter().any(by_docker),
            direct: direct.unwrap_or_default(),
        }
    }

    /// The variables by which a program also reaches this host without a proxy; none where no proxy is named, or where it
    /// is reached without already.
    pub(crate) fn past(&self, host: &str) -> Vec<(&'static str, String)> {
        let mut direct = self.direct.split(',').map(str::trim);
        if !self.is_named || direct.any(|part| part == host || part == "*") {
            return Vec::new();
        }
        let all = if self.direct.is_empty() {
            host.to_owned()
        } else {
            format!("{},{host}", self.direct)
        };
        DIRECT.map(|name| (name, all.clone())).to_vec()
    }

    /// What `docker run --env` is told for a program that is to reach what this machine's programs reach, as they do:
    /// names alone, which docker takes the values of from its own environment.
    pub(crate) fn as_here(&self) -> Vec<String> {
        if self.variables.is_empty() {
            return none();
        }
        self.variables
            .iter()
            .map(|name| (*name).to_owned())
            .collect()
    }
}

/// What `docker run --env` is told for a program that asks no proxy, whatever docker's configuration says.
pub(crate) fn none() -> Vec<String> {
    DIRECT.map(|name| format!("{name}=*")).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &[(&str, &str)], configuration: &str) -> Proxies {
        let variable = |wanted: &str| {
            let found = set.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        };
        Proxies::of(variable, configuration)
    }

    fn past(set: &[(&str, &str)], configuration: &str) -> Option<String> {
        let added = of(set, configuration).past("registry.x");
        assert!(matches!(added.len(), 0 | 2) && added.iter().all(|(_, all)| *all == added[0].1));
        added.first().map(|(_, all)| all.clone())
    }

    const OF_DOCKER: &str =
        r#"{"auths": {}, "proxies": {"default": {"httpsProxy": "http://p:1", "noProxy": "c"}}}"#;

    #[test]
    fn what_is_reached_directly_is_added_to_what_the_user_says() {
        for (set, configuration, all) in [
            (
                &[("https_proxy", "http://p:1"), ("no_proxy", "a,b")][..],
                "",
                "a,b,registry.x",
            ),
            (&[("HTTP_PROXY", "http://p:1")], "", "registry.x"),
            (&[("HTTP_PROXY", "http://p:1")], "no JSON", "registry.x"),
            (&[], OF_DOCKER, "c,registry.x"),
            (&[("NO_PROXY", "a")], OF_DOCKER, "a,registry.x"),
        ] {
            assert_eq!(past(set, configuration).as_deref(), Some(all), "{set:?}");
        }
    }

    #[test]
    fn nothing_is_said_where_there_is_no_proxy_or_all_is_said() {
        for set in [
            &[("NO_PROXY", "a")][..],
            &[("HTTP_PROXY", "")],
            &[("HTTP_PROXY", "http://p:1"), ("NO_PROXY", "a, registry.x")],
            &[("HTTP_PROXY", "http://p:1"), ("no_proxy", "*")],
        ] {
            assert_eq!(
                past(set, r#"{"proxies": {"default": {}}}"#),
                None,
                "{set:?}"
            );
        }
    }

    #[test]
    fn a_container_asks_the_proxies_that_this_machine_asks() {
        let set = [("HTTPS_PROXY", "http://u:s3cret@p:1"), ("no_proxy", "a")];
        assert_eq!(of(&set, "").as_here(), ["HTTPS_PROXY", "no_proxy"]);
        // Docker's own are for what is elsewhere.
        assert_eq!(of(&[], OF_DOCKER).as_here(), ["NO_PROXY=*", "no_proxy=*"]);
    }
}
