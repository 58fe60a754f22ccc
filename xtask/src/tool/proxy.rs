// SPDX-License-Identifier: Apache-2.0
//! The proxies that programs are told of, by their environment and by docker's own configuration, and what they are to
//! reach without.

use serde_json::{Map, Value};

use crate::exec::{NO_PROXY, PROXY};

/// The fields of docker's configuration that mean the same as [`PROXY`], see
/// <https://docs.docker.com/engine/cli/proxy/>: docker gives them to builds and to containers, kind's nodes among them.
const OF_DOCKER: [&str; 2] = ["httpProxy", "httpsProxy"];
/// Those that docker gives to builds as well, and that none of the programs here reads. Fact: docker/cli,
/// `cli/config/configfile/file.go`.
const OTHERS_OF_DOCKER: [&str; 2] = ["ftpProxy", "allProxy"];
/// The same for [`NO_PROXY`].
const DIRECT_OF_DOCKER: &str = "noProxy";

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
        let names = PROXY.into_iter().flatten().chain(NO_PROXY);
        let configuration: Value = serde_json::from_str(configuration).unwrap_or_default();
        // One for each engine, or for all.
        let of_docker = configuration["proxies"].as_object();
        let of_docker: Vec<&Value> = of_docker.into_iter().flat_map(|all| all.values()).collect();
        let text = |of: &Value, field: &str| {
            let text = of[field].as_str().filter(|text| !text.is_empty());
            text.map(str::to_owned)
        };
        let by_docker = |of: &&Value| OF_DOCKER.iter().any(|field| text(of, field).is_some());
        let direct = NO_PROXY.iter().find_map(|name| set(name));
        let direct = direct.or_else(|| of_docker.iter().find_map(|of| text(of, DIRECT_OF_DOCKER)));
        Self {
            variables: names.filter(|name| set(name).is_some()).collect(),
            is_named: PROXY.iter().flatten().any(|name| set(name).is_some())
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
        NO_PROXY.map(|name| (name, all.clone())).to_vec()
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

/// Whether the proxies that a build is told of, by docker's configuration, are named with a login: `http://user:password@host`.
pub(crate) fn has_login(configuration: &str) -> bool {
    let configuration: Value = serde_json::from_str(configuration).unwrap_or_default();
    let all = configuration["proxies"].as_object();
    let named = all.into_iter().flat_map(|all| all.values());
    let fields = || OF_DOCKER.into_iter().chain(OTHERS_OF_DOCKER);
    let mut urls = named.flat_map(|one| fields().map(|field| one[field].as_str()));
    urls.any(|url| url.is_some_and(|url| url.contains('@')))
}

/// The URL of a proxy as it is where this machine's loopback has the address `loopback`.
pub(crate) fn seen_from_inside(url: &str, loopback: &str) -> String {
    let (scheme, rest) = url.split_once("://").map_or(("", url), |(scheme, rest)| {
        (&url[..scheme.len() + "://".len()], rest)
    });
    let (login, place) = match rest.rfind('@') {
        Some(at) => rest.split_at(at + 1),
        None => ("", rest),
    };
    let end = if place.starts_with('[') {
        place.find(']').map_or(place.len(), |at| at + 1)
    } else {
        place.find([':', '/']).unwrap_or(place.len())
    };
    let (host, behind) = place.split_at(end);
    let is_loopback = host == "localhost" || host == "[::1]" || host.starts_with("127.");
    if is_loopback {
        format!("{scheme}{login}{loopback}{behind}")
    } else {
        url.to_owned()
    }
}

/// Docker's configuration with the proxies that the environment names, for builds and containers on any engine, in place of
/// those that it had; None where it says so already, or is nothing that docker reads. `variable` gives those of the
/// environment, `configuration` is empty where there is none.
pub(crate) fn configuration(
    variable: impl Fn(&str) -> Option<String>,
    configuration: &str,
) -> Option<String> {
    let mut all: Map<String, Value> = match configuration.trim() {
        "" => Map::new(),
        text => serde_json::from_str(text).ok()?,
    };
    let set = |[upper, lower]: [&str; 2]| {
        let said = [lower, upper].into_iter().filter_map(&variable);
        said.into_iter().find(|value| !value.is_empty())
    };
    let named = OF_DOCKER.into_iter().zip(PROXY);
    let named = named.chain([(DIRECT_OF_DOCKER, NO_PROXY)]);
    let named = named.filter_map(|(field, names)| Some((field, set(names)?)));
    let named: Map<String, Value> = named
        .map(|(field, value)| (field.to_owned(), Value::String(value)))
        .collect();
    let before = all.remove("proxies");
    if !named.is_empty() {
        all.insert("proxies".into(), serde_json::json!({ "default": named }));
    }
    (all.get("proxies") != before.as_ref()).then(|| format!("{}\n", Value::Object(all)))
}

/// What `docker run --env` is told for a program that asks no proxy, whatever docker's configuration says.
pub(crate) fn none() -> Vec<String> {
    NO_PROXY.map(|name| format!("{name}=*")).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_at_the_machines_loopback_has_another_address_inside() {
        for (url, seen) in [
            ("http://127.0.0.1:3128", "http://L:3128"),
            ("http://localhost:3128/", "http://L:3128/"),
            ("http://u:p@127.0.0.1:1", "http://u:p@L:1"),
            ("http://[::1]:3128", "http://L:3128"),
            ("127.0.1.1:3128", "L:3128"),
            ("http://proxy.example:3128", "http://proxy.example:3128"),
            ("http://localhost.example:1", "http://localhost.example:1"),
            ("http://127.0.0.1@proxy:1", "http://127.0.0.1@proxy:1"),
            ("", ""),
        ] {
            assert_eq!(seen_from_inside(url, "L"), seen);
        }
    }

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
    #[test]
    fn a_login_for_a_proxy_is_known() {
        for (url, has) in [
            ("http://p:1", false),
            ("http://u:s3cret@p:1", true),
            ("u@p:1", true),
            ("", false),
        ] {
            for field in ["httpProxy", "httpsProxy", "ftpProxy", "allProxy"] {
                let text = serde_json::json!({"proxies": {"tcp://engine": {field: url}}});
                assert_eq!(has_login(&text.to_string()), has, "{field}: {url}");
            }
        }
        assert!(!has_login("no JSON") && !has_login(r#"{"auths": {"a@b": {}}}"#));
    }

    #[test]
    fn builds_and_containers_are_told_what_the_environment_says() {
        let written = |set: &[(&str, &str)], before: &str| {
            let variable = |wanted: &str| {
                let found = set.iter().find(|(name, _)| *name == wanted);
                found.map(|(_, value)| (*value).to_owned())
            };
            configuration(variable, before)
        };
        let set = [
            ("HTTP_PROXY", "http://upper:1"),
            ("http_proxy", "http://p:1"),
            ("HTTPS_PROXY", "http://p:2"),
            ("https_proxy", ""),
            ("NO_PROXY", "a"),
        ];
        let logins = r#"{"auths":{"r":{}},"proxies":{"default":{"httpProxy":"http://old:1"}}}"#;
        let text = written(&set, logins).unwrap();
        assert_eq!(
            text,
            r#"{"auths":{"r":{}},"proxies":{"default":{"httpProxy":"http://p:1","httpsProxy":"http://p:2","noProxy":"a"}}}"#.to_owned() + "\n"
        );
        // What it reads back is the same, and nothing is written twice.
        let direct = of(&[], &text).past("registry.x");
        assert_eq!(direct[0].1, "a,registry.x");
        assert_eq!(written(&set, &text), None);
        // Without proxies those of before are gone, and the rest is as it was.
        assert_eq!(written(&[], logins).unwrap(), "{\"auths\":{\"r\":{}}}\n");
        for before in ["", "{}", r#"{"auths": {}}"#, "[]", "no JSON"] {
            assert_eq!(written(&[], before), None, "{before}");
        }
        assert_eq!(written(&set, "no JSON"), None);
    }
}
