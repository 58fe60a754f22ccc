// SPDX-License-Identifier: Apache-2.0
//! What images are built for: what was asked for, as far as a target is built for it at all.

use crate::{
    config::{self, Config},
    failure::Failure,
    image,
    plan::Plan,
    target::{Target, Targets},
    tool::docker,
    value::{Platform, joined},
};

/// What a command wants images for.
#[derive(Clone, Debug)]
pub(crate) enum Wanted {
    /// These, which the user has named or a cluster has.
    Named(Vec<Platform>),
    /// This machine's own.
    Here(Platform),
    /// All that a target is built for.
    All,
}

impl Wanted {
    /// This machine's platform.
    pub(crate) fn here() -> Result<Self, Failure> {
        docker::here().map(Self::Here)
    }

    /// What is `named`, or else this machine's platform; all where images are pushed to a registry that is not local.
    pub(crate) fn of(named: &[Platform], push: bool, config: &Config) -> Result<Self, Failure> {
        if !named.is_empty() {
            return Ok(Self::Named(named.to_vec()));
        }
        if push && !image::is_local(config.get(config::REGISTRY)) {
            return Ok(Self::All);
        }
        Self::here()
    }

    /// What a target is built for. None of it: it is not built at all. A target that names no platform is built for
    /// whatever is wanted.
    pub(crate) fn of_target(&self, target: &Target) -> Vec<Platform> {
        let wanted = match self {
            Self::Named(wanted) => wanted.as_slice(),
            Self::Here(wanted) => std::slice::from_ref(wanted),
            Self::All => return target.platforms.clone(),
        };
        let built = |platform: &&Platform| {
            target.platforms.is_empty() || target.platforms.contains(platform)
        };
        wanted.iter().filter(built).cloned().collect()
    }

    /// Why a target is not built for any of these, if it is not.
    fn refuses(&self, target: &Target) -> Option<String> {
        let takes = matches!(self, Self::All) || !self.of_target(target).is_empty();
        let only = || {
            format!(
                "is built for {} alone, not for {}",
                joined(&target.platforms),
                self.shown()
            )
        };
        (!takes).then(only)
    }

    /// Leaves out of what was chosen what is not built for any of these, and gives why, an image a line. Refused when
    /// nothing is left, of all.
    pub(crate) fn narrow(&self, targets: &mut Targets) -> Result<Vec<String>, Failure> {
        self.leave_out(targets, |target, _| {
            let why = self.refuses(target)?;
            Some(format!("`{}` is left out: it {why}", target.title()))
        })
    }

    /// The same where an image is used with those that it needs.
    pub(crate) fn narrow_with_needs(&self, targets: &mut Targets) -> Result<Vec<String>, Failure> {
        self.leave_out(targets, |target, needs| {
            let title = target.title();
            if let Some(why) = self.refuses(target) {
                return Some(format!("`{title}` is left out: it {why}"));
            }
            let found = needs
                .iter()
                .find_map(|needed| Some((needed, self.refuses(needed)?)));
            let (needed, why) = found?;
            Some(format!(
                "`{title}` is left out: it needs `{}`, which {why}",
                needed.title()
            ))
        })
    }

    fn leave_out(
        &self,
        targets: &mut Targets,
        reason: impl Fn(&Target, &[&Target]) -> Option<String>,
    ) -> Result<Vec<String>, Failure> {
        let left_out = targets.leave_out(reason);
        if targets.lack_all() && !left_out.is_empty() {
            let failure = Failure::invalid(format!("nothing is built for {}", self.shown()));
            let failure = left_out.into_iter().fold(failure, Failure::detail);
            return Err(failure.hint(
                "`--platform` names others; `platforms` of the bake file says what there is",
            ));
        }
        Ok(left_out)
    }

    fn shown(&self) -> String {
        match self {
            Self::Named(wanted) => joined(wanted),
            Self::Here(wanted) => wanted.to_string(),
            Self::All => "any platform".to_owned(),
        }
    }

    /// Notes what these targets are built for, and why.
    pub(super) fn note(&self, targets: &[&Target], plan: &mut Plan) {
        match self {
            Self::All => {
                let mut all: Vec<&Platform> = Vec::new();
                for platform in targets.iter().flat_map(|target| &target.platforms) {
                    if !all.contains(&platform) {
                        all.push(platform);
                    }
                }
                if !all.is_empty() {
                    let all: Vec<String> = all.into_iter().map(Platform::to_string).collect();
                    plan.note(format!(
                        "for {}: pushed to a registry that is not local",
                        all.join(" and ")
                    ));
                }
            }
            Self::Here(platform) => plan.note(format!(
                "for {platform} only, this machine's platform; `--platform` names others"
            )),
            Self::Named(_) => {}
        }
    }

    /// What `--set` says in a call that builds these targets.
    pub(super) fn overrides(&self, targets: &[&Target]) -> Vec<String> {
        if let Self::All = self {
            return Vec::new();
        }
        let of = |target: &&Target| joined(&self.of_target(target));
        let of: Vec<String> = targets.iter().map(of).collect();
        if of.windows(2).all(|pair| pair[0] == pair[1]) {
            let all = of.first().map(|all| format!("*.platform={all}"));
            return all.into_iter().collect();
        }
        let each = targets.iter().zip(&of);
        each.map(|(target, platforms)| format!("{}.platform={platforms}", target.name))
            .collect()
    }
}
