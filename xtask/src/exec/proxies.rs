// SPDX-License-Identifier: Apache-2.0
//! The environment's variables that name proxies, and that every child reads the same in them.

use std::ffi::OsString;

/// What says the same, the upper spelling first: the proxies of two protocols, and what is reached without. Facts: Go's
/// `net/http.ProxyFromEnvironment` and docker read both; apt (`apt-transport-http(1)`) and curl read
/// `http_proxy` alone.
pub(crate) const PROXY: [[&str; 2]; 2] =
    [["HTTP_PROXY", "http_proxy"], ["HTTPS_PROXY", "https_proxy"]];
pub(crate) const NO_PROXY: [&str; 2] = ["NO_PROXY", "no_proxy"];

/// What every child has beside this process's own variables, unless its command says otherwise: those of proxies in the
/// spelling that is missing.
pub(crate) fn respelled() -> impl Iterator<Item = (&'static str, OsString)> {
    lower_spelling(|name| std::env::var_os(name))
}

/// The variables in lower case that the environment has in upper case alone, with their values. (That a request's header
/// becomes `HTTP_PROXY`, for which curl does not read it, is a matter of CGI programs.) `variable` gives those of the
/// environment.
fn lower_spelling<T>(
    variable: impl Fn(&str) -> Option<T>,
) -> impl Iterator<Item = (&'static str, T)> {
    let pairs = PROXY.into_iter().chain([NO_PROXY]);
    pairs.filter_map(move |[upper, lower]| match variable(lower) {
        Some(_) => None,
        None => Some((lower, variable(upper)?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_in_one_spelling_is_said_in_the_other() {
        let set = [
            ("HTTP_PROXY", "http://p:1"),
            ("HTTPS_PROXY", "http://p:2"),
            ("https_proxy", ""),
            ("no_proxy", "a"),
        ];
        let variable = |wanted: &str| {
            let found = set.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| *value)
        };
        let added: Vec<_> = lower_spelling(variable).collect();
        // An empty one says: none.
        assert_eq!(added, [("http_proxy", "http://p:1")]);
    }
}
