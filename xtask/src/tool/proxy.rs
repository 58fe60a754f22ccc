// SPDX-License-Identifier: Apache-2.0
//! The proxies that programs are told of by their environment, and what they are to reach without.

/// Where a proxy may be named. Fact: Go's `net/http.ProxyFromEnvironment`, which all our tools use.
const PROXIES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"];
/// What is reached without, in both spellings: programs differ in which of them goes first.
const DIRECT: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// The variables by which a program also reaches this host without a proxy; none where no proxy is named, or where it is
/// reached without already. `variable` gives those of the environment.
pub(crate) fn past(
    host: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Vec<(&'static str, String)> {
    let said = |name: &&str| variable(name).filter(|value| !value.is_empty());
    if PROXIES.iter().find_map(said).is_none() {
        return Vec::new();
    }
    let direct = DIRECT.iter().find_map(said).unwrap_or_default();
    if direct
        .split(',')
        .any(|part| part.trim() == host || part.trim() == "*")
    {
        return Vec::new();
    }
    let all = if direct.is_empty() {
        host.to_owned()
    } else {
        format!("{direct},{host}")
    };
    DIRECT.map(|name| (name, all.clone())).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(set: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        past("registry.x", |wanted| {
            let found = set.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn what_is_reached_directly_is_added_to_what_the_user_says() {
        let added = of(&[("https_proxy", "http://p:1"), ("no_proxy", "a,b")]);
        let all = "a,b,registry.x".to_owned();
        assert_eq!(added, [("NO_PROXY", all.clone()), ("no_proxy", all)]);
        let added = of(&[("HTTP_PROXY", "http://p:1")]);
        assert_eq!(added[0].1, "registry.x");
    }

    #[test]
    fn nothing_is_said_where_there_is_no_proxy_or_all_is_said() {
        for set in [
            &[("NO_PROXY", "a")][..],
            &[("HTTP_PROXY", "")],
            &[("HTTP_PROXY", "http://p:1"), ("NO_PROXY", "a, registry.x")],
            &[("HTTP_PROXY", "http://p:1"), ("no_proxy", "*")],
        ] {
            assert_eq!(of(set), [], "{set:?}");
        }
    }
}
