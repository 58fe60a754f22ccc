// SPDX-License-Identifier: Apache-2.0
//! Flags that say what a setting says otherwise. Here they go over it, once, before any command begins: from then on
//! the settings stay as they are.

use std::path::Path;

use super::{
    Cli, Command, Global, Running,
    e2e::{E2eCommand, Environment},
};
use crate::{
    config::{self, Config, Key},
    failure::Failure,
};

impl Cli {
    /// The settings, with what the flags of this command line say over them; relative paths are meant from `here`.
    /// Refuses what a setting may not be.
    pub(crate) fn settings(&self, config: Config, here: &Path) -> Result<Config, Failure> {
        let config = self.global.over(config, here)?;
        match &self.command {
            Command::Bake(args) => {
                let config = builder(config, args.builder.as_deref())?;
                args.running.over(config, config::JOBS)
            }
            Command::Smoke(args) => {
                let config = builder(config, args.builder.as_deref())?;
                args.running.over(config, config::JOBS)
            }
            Command::Installcheck(args) => {
                let config = builder(config, args.builder.as_deref())?;
                args.running.over(config, config::JOBS)
            }
            Command::UpgradePaths(args) => {
                let config = builder(config, args.builder.as_deref())?;
                args.running.over(config, config::JOBS)
            }
            Command::E2e(args) => args.command.over(config),
            Command::Promote(args) => {
                config.with_flag(config::REGISTRY, "--from", args.from.as_deref())
            }
            Command::Scan(args) => {
                let with = Some(args.with.join(",")).filter(|with| !with.is_empty());
                config.with_flag(config::SCAN_WITH, "--with", with.as_deref())
            }
            _ => Ok(config),
        }
    }
}

fn builder(config: Config, name: Option<&str>) -> Result<Config, Failure> {
    config.with_flag(config::BUILDER, "--builder", name)
}

impl Global {
    fn over(&self, config: Config, here: &Path) -> Result<Config, Failure> {
        let config = config.with_said(&self.set)?;
        let base = self.base.map(config::Base::name);
        let config = config.with_flag(config::SANDBOX_BASE, "--base", base)?;
        let flag = "--sandbox-folder";
        let folder = self.sandbox_folder.as_ref();
        let folder = folder.map(|path| here.join(path).into_os_string().into_string());
        let folder = folder.transpose().map_err(|path| {
            Failure::invalid(format!("`{flag} {}` is not UTF-8", path.display()))
        })?;
        config.with_flag(config::SANDBOX_FOLDER, flag, folder.as_deref())
    }
}

impl Running {
    /// `key`: how many there are at the same time of what the command runs.
    fn over(&self, config: Config, key: Key<u32>) -> Result<Config, Failure> {
        config.with_flag(key, "--jobs", number(self.jobs).as_deref())
    }
}

impl E2eCommand {
    fn over(&self, config: Config) -> Result<Config, Failure> {
        match self {
            Self::SetupEnv(args) => args.environment.over(config),
            Self::UpgradeTest(args) => args.environment.over(config),
            Self::GenerateValues(args) => {
                let (flag, user) = ("--registry-username", &args.registry_username);
                config.with_flag(config::CREDENTIALS_USERNAME, flag, user.as_deref())
            }
            Self::Test(args) => args.running.over(config, config::E2E_SUITES),
            Self::TestFull(args) => {
                let config = args.environment.over(config)?;
                let config = builder(config, args.builder.as_deref())?;
                args.running.over(config, config::E2E_SUITES)
            }
            _ => Ok(config),
        }
    }
}

impl Environment {
    fn over(&self, config: Config) -> Result<Config, Failure> {
        let registry = self.registry_port.map(|port| format!("localhost:{port}"));
        let mirrors = self.mirrors(&config);
        let (host, user) = (&self.registry_host, &self.registry_username);
        config
            .with_flag(config::REGISTRY, "--registry-port", registry.as_deref())?
            .with_flag(config::E2E_NODES, "--nodes", number(self.nodes).as_deref())?
            .with_flag(config::CREDENTIALS_HOST, "--registry-host", host.as_deref())?
            .with_flag(
                config::CREDENTIALS_USERNAME,
                "--registry-username",
                user.as_deref(),
            )?
            .with_flag(config::MIRRORS, "--mirror", mirrors.as_deref())
    }

    /// The mirrors that flags name, and those of the settings for other registries. None: no flag names one.
    fn mirrors(&self, config: &Config) -> Option<String> {
        let named = |host: &str| {
            let mut hosts = self.mirror.iter().map(|pair| pair.split('=').next());
            hosts.any(|name| name == Some(host))
        };
        let others = config.get(config::MIRRORS).iter();
        let others = others.filter(|(host, _)| !named(host));
        let others = others.map(|(host, url)| format!("{host}={url}"));
        let all: Vec<String> = self.mirror.iter().cloned().chain(others).collect();
        (!self.mirror.is_empty()).then(|| all.join(","))
    }
}

fn number(number: Option<u32>) -> Option<String> {
    number.map(|number| number.to_string())
}
