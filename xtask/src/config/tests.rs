// SPDX-License-Identifier: Apache-2.0
use super::*;

fn load(toml: &str, env: &[(&str, &str)]) -> anyhow::Result<Config> {
    let root = tempfile::tempdir()?;
    crate::file::write_atomically(&root.path().join("xtask.toml"), toml)?;
    let env: BTreeMap<String, OsString> = env
        .iter()
        .map(|(name, value)| ((*name).into(), (*value).into()))
        .collect();
    Config::load(root.path(), &|name| env.get(name).cloned())
}

#[test]
fn the_later_source_wins_and_is_named() {
    let toml = "registry = \"a\"\n\n[bake]\njobs = 3\n";
    let mut config = load(toml, &[("registry", "b"), ("revision", "")]).unwrap();
    let origin = |config: &Config, key| config.values[key].1.to_string();
    assert_eq!(config.get(REGISTRY), "b");
    assert_eq!(origin(&config, REGISTRY), "environment variable registry");
    assert_eq!(config.number(JOBS), 3);
    assert_eq!(origin(&config, JOBS), "xtask.toml:4");
    assert_eq!(origin(&config, REVISION), "default");
    config.set_flag(JOBS, "--jobs", Some("2")).unwrap();
    assert_eq!(origin(&config, JOBS), "flag --jobs");
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
        assert_eq!(crate::failure::exit_code(&error), 2);
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
