// SPDX-License-Identifier: Apache-2.0
use std::collections::BTreeMap;

use super::*;

fn load(toml: &str, env: &[(&str, &str)]) -> anyhow::Result<Config> {
    let root = tempfile::tempdir()?;
    fs_err::write(root.path().join("xtask.toml"), toml)?;
    let env: BTreeMap<String, OsString> = env
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    Config::load(root.path(), &|name| env.get(name).cloned())
}

#[test]
fn the_later_source_wins_and_is_named() {
    let toml = "registry = \"a\"\n\n[bake]\njobs = 3\n";
    let config = load(toml, &[("registry", "b"), ("revision", "")]).unwrap();
    let origin = |config: &Config, setting: &Setting| {
        let (_, origin) = (setting.said)(&config.values);
        origin.to_string()
    };
    assert_eq!(config.get(REGISTRY), "b");
    assert_eq!(
        origin(&config, REGISTRY.setting),
        "environment variable registry"
    );
    assert_eq!(config.get(JOBS), 3);
    assert_eq!(origin(&config, JOBS.setting), "xtask.toml:4");
    assert_eq!(origin(&config, REVISION.setting), "default");
    let config = config.with_flag(JOBS, "--jobs", Some("2")).unwrap();
    assert_eq!(origin(&config, JOBS.setting), "flag --jobs");
}

#[test]
fn what_a_setting_was_called_before_goes_on_meaning_the_same() {
    let suites = |toml: &str, env: &[(&str, &str)]| {
        let config = load(toml, env).unwrap();
        config.get(SANDBOX_SUITES).join(" ")
    };
    assert_eq!(suites("", &[]), "forky experimental");
    let before = "[sandbox]\nsuite = \"trixie\"\n";
    assert_eq!(suites(before, &[]), "trixie");
    assert_eq!(suites(before, &[("XTASK_SANDBOX_SUITE", "sid")]), "sid");
    // What it is called today goes before, in each place.
    for both in [
        "[sandbox]\nsuite = \"trixie\"\nsuites = [\"sid\", \"experimental\"]\n",
        "[sandbox]\nsuites = [\"sid\", \"experimental\"]\nsuite = \"trixie\"\n",
    ] {
        assert_eq!(suites(both, &[]), "sid experimental");
    }
    let both = [
        ("XTASK_SANDBOX_SUITES", "sid"),
        ("XTASK_SANDBOX_SUITE", "trixie"),
    ];
    assert_eq!(suites("", &both), "sid");
    let sets = ["sandbox.suite=bookworm".to_owned()];
    let config = load("", &[]).unwrap().with_said(&sets).unwrap();
    assert_eq!(config.get(SANDBOX_SUITES), ["bookworm"]);
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    for (toml, message) in [
        (
            "[paths]\nextension = \"x\"\n",
            "`xtask.toml` line 2: unknown setting `paths.extension`; did you mean `paths.extensions`?",
        ),
        ("a = ", "`xtask.toml` line 1: "),
        (
            "registry = [1]\n",
            "`xtask.toml` line 1: `registry` must be a string or a whole number",
        ),
        (
            "environment = \"prod\"\n",
            "setting `environment` is `prod` (xtask.toml:1); it must be one of `testing`, `production`",
        ),
        (
            "[bake]\njobs = \"many\"\n",
            "setting `bake.jobs` is `many` (xtask.toml:2); it must be a whole number",
        ),
    ] {
        let error = load(toml, &[]).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
        assert_eq!(Failure::from(error).kind, crate::failure::Kind::Invalid);
    }
}

#[test]
fn bake_gets_the_registry_always_and_the_rest_when_it_is_set() {
    let config = load("", &[("environment", "production")]).unwrap();
    assert_eq!(
        config.bake_variables(),
        [
            ("registry", "localhost:5000"),
            ("environment", "production")
        ]
    );
}

#[test]
fn lists_are_arrays_and_maps_are_tables() {
    let toml = "[e2e]\nseed = [\"a/b:1\", \"c:2\"]\n[mirrors]\nghcr.io = \"https://m/v2/g\"\n\"docker.io\" = \"https://m\"\n";
    let config = load(toml, &[]).unwrap();
    assert_eq!(config.get(E2E_SEED), ["a/b:1", "c:2"]);
    let pair = |name: &str, url: &str| (name.to_owned(), url.to_owned());
    let mut mirrors = config.get(MIRRORS).to_vec();
    mirrors.sort_unstable();
    assert_eq!(
        mirrors,
        [
            pair("docker.io", "https://m"),
            pair("ghcr.io", "https://m/v2/g")
        ]
    );
    let config = load(toml, &[("XTASK_MIRRORS", "quay.io=http://x, ")]).unwrap();
    assert_eq!(config.get(MIRRORS), [pair("quay.io", "http://x")]);
    for (toml, message) in [
        (
            "[mirrors]\n\"ghcr.io\" = 1\n",
            "`xtask.toml` line 1: `mirrors` holds strings",
        ),
        (
            "[e2e]\nseed = [1]\n",
            "`xtask.toml` line 2: `e2e.seed` holds strings",
        ),
        (
            "mirrors = \"ghcr.io\"\n",
            "setting `mirrors` is `ghcr.io` (xtask.toml:1); it must be `name=value`",
        ),
    ] {
        let error = load(toml, &[]).unwrap_err();
        assert!(error.to_string().starts_with(message), "{error}");
    }
}

#[test]
fn a_number_has_a_range_wherever_it_comes_from() {
    for (key, env, wrong) in [
        ("nodes", "XTASK_E2E_NODES", ["0", "10", "400000000", "-1"]),
        (
            "suites",
            "XTASK_E2E_SUITES",
            ["1001", "4294967295", "1.5", "-1"],
        ),
    ] {
        for value in wrong {
            let error = load("", &[(env, value)]).unwrap_err();
            assert!(
                error.to_string().contains("it must be a whole number from"),
                "{error}"
            );
            let error = load(&format!("[e2e]\n{key} = \"{value}\"\n"), &[]).unwrap_err();
            assert!(
                error.to_string().contains("it must be a whole number from"),
                "{error}"
            );
        }
    }
    for (key, range) in [
        (JOBS, AT_ONCE),
        (SMOKE_TIMEOUT, SECONDS),
        (SANDBOX_INDEX_AGE, SECONDS),
        (E2E_NODES, NODES),
        (E2E_SUITES, AT_ONCE),
        (DISK_WARNING, GIBIBYTES),
    ] {
        let (setting, entry) = (key.setting, key.entry);
        let number = |config: &Config| entry(&config.values).value;
        assert!((range.least..=range.most).contains(&number(&Config::defaults())));
        let most = load("", &[(setting.env, &range.most.to_string())]).unwrap();
        assert_eq!(number(&most), range.most, "{}", setting.key);
        let more = (u64::from(range.most) + 1).to_string();
        let more = load("", &[(setting.env, &more)]);
        assert!(more.is_err(), "{}", setting.key);
    }
}
