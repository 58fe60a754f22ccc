// SPDX-License-Identifier: Apache-2.0
//! The operator: applied, upgraded in place, or left as it is.

use std::{path::Path, time::Duration};

use sha2::{Digest, Sha256};

use super::{
    DEPLOYMENT, Environment, Place, RELEASE, STAMP,
    release::{self, Release},
    world::{Operator, World},
};
use crate::{
    failure::Failure,
    own::source,
    plan::{Plan, Probe, Question, Step, StepId, Watch},
    tool::kubectl::Access,
};

const NAMESPACE: &str = "cnpg-system";
/// The stamp while another release is applied: still ours, and of no release.
const UNFINISHED: &str = "unfinished";
/// How long the operator may take to become available.
const PATIENCE: &str = "2m";

impl Environment {
    /// The operator of the wanted release. Gives the step after which it is available; none when it is.
    pub(crate) fn add_operator(
        &self,
        plan: &mut Plan,
        world: &World,
        after: &[StepId],
    ) -> Result<Vec<StepId>, Failure> {
        let (_, stamp) = self.wanted_manifest()?;
        let api = self.kept(world);
        if let Some(found) = api.and_then(|api| api.operator.as_ref()) {
            if found.available && found.stamp.as_deref() == Some(&stamp) {
                // Of a cluster that slept, what it says of its pods may be from before.
                return Ok(if world.woken {
                    vec![self.add_restart(plan, after, None)]
                } else {
                    Vec::new()
                });
            }
            let databases = api.map(|api| api.databases.as_slice()).unwrap_or_default();
            if let (Place::Existing(_), None) = (&self.place, &found.stamp) {
                // Somebody else's operator serves somebody else's databases.
                plan.note(format!(
                    "the cluster has an operator of its own (`{}`), which is left as it is",
                    found.image
                ));
                return Ok(if found.available {
                    Vec::new()
                } else {
                    vec![self.available(plan, after)]
                });
            }
            check_step_back(found, &self.release, databases)?;
            if found.stamp.as_deref() != Some(&stamp) {
                let was = found.release.as_deref().unwrap_or("half installed");
                plan.note(format!("the operator ({was}) becomes {}", self.release));
            }
        }
        let stamped = api
            .and_then(|api| api.operator.as_ref())
            .is_some_and(|found| found.stamp.is_some());
        Ok(vec![self.add_release(plan, stamped, after)?])
    }

    /// The release's manifest, and the stamp of an operator that is from it.
    fn wanted_manifest(&self) -> Result<(String, String), Failure> {
        let source = self.release.manifest(&self.manifest);
        let stamp = stamp(&source, self.operator_image.as_deref())?;
        Ok((source, stamp))
    }

    /// Applies the release over whatever is there, and waits for it. An earlier one's stamp is taken back
    /// first: with the new one half-way in, its pod would still be available.
    pub(crate) fn add_release(
        &self,
        plan: &mut Plan,
        stamped: bool,
        after: &[StepId],
    ) -> Result<StepId, Failure> {
        let (source, stamp) = self.wanted_manifest()?;
        let access = self.access();
        let deployment = format!("deployment/{DEPLOYMENT}");
        let annotate = |purpose: &str, annotations: [String; 2]| {
            access
                .cmd(purpose)
                .args([
                    "--namespace",
                    NAMESPACE,
                    "annotate",
                    "--overwrite",
                    &deployment,
                ])
                .args(annotations)
        };
        let mut before = after.to_vec();
        if stamped {
            let forget = annotate(
                "forget which release was applied",
                [format!("{STAMP}={UNFINISHED}"), format!("{RELEASE}-")],
            );
            let step = Step::run(format!("unstamp for operator {}", self.release), forget);
            before = vec![plan.add(step.after(before).quiet())];
        }
        let apply = access.apply_file(format!("apply the operator's manifest `{source}`"), &source);
        let applied = plan.add(
            Step::run(format!("operator {}", self.release), apply)
                .after(before)
                .timeout(Duration::from_secs(120)),
        );
        let mut last = applied;
        if let Some(image) = &self.operator_image {
            let set = |what: &str, args: &[&str]| {
                access
                    .cmd(format!("set the operator's {what}"))
                    .args(["--namespace", NAMESPACE, "set"])
                    .args(args)
            };
            let image_step = set(
                "image",
                &["image", &deployment, &format!("manager={image}")],
            );
            last = plan.add(
                Step::run(format!("operator image {}", self.release), image_step)
                    .after([last])
                    .quiet(),
            );
            // Its databases' pods start with the operator's own image.
            let env = set(
                "image for pods",
                &["env", &deployment, &format!("OPERATOR_IMAGE_NAME={image}")],
            );
            last = plan.add(
                Step::run(format!("operator image for pods {}", self.release), env)
                    .after([last])
                    .quiet(),
            );
        }
        let available = self.available(plan, &[last]);
        let stamp = annotate(
            "note which release was applied",
            [
                format!("{STAMP}={stamp}"),
                format!("{RELEASE}={}", self.release),
            ],
        );
        let step = Step::run(format!("stamp the operator {}", self.release), stamp);
        Ok(plan.add(step.after([available]).quiet()))
    }

    /// A new pod for the operator, and that it is ready; not when `needless` holds.
    pub(crate) fn add_restart(
        &self,
        plan: &mut Plan,
        after: &[StepId],
        needless: Option<(Probe, &str)>,
    ) -> StepId {
        let deployment = format!("deployment/{DEPLOYMENT}");
        let rollout = |purpose: &str, args: &[&str]| {
            let cmd = self.access().cmd(purpose);
            cmd.args(["--namespace", NAMESPACE, "rollout"]).args(args)
        };
        let restart = rollout("restart the operator", &["restart", &deployment]);
        let wait = ["status", &deployment, "--timeout", PATIENCE];
        let wait = rollout("wait for the operator", &wait);
        let mut restart = Step::run("restart the operator", restart).after(after.iter().copied());
        let mut ready =
            Step::run("operator restarted", wait).evidence(evidence(&self.access(), None));
        if let Some((probe, why)) = needless {
            restart = restart.skip_if(probe.clone(), why);
            ready = ready.skip_if(probe, why).quiet();
        }
        let restarted = plan.add(restart.quiet());
        plan.add(ready.after([restarted]))
    }

    fn available(&self, plan: &mut Plan, after: &[StepId]) -> StepId {
        let access = self.access();
        // Not `wait --for=condition=Available`: during an upgrade that holds for the old one.
        let wait = access.cmd("wait for the operator").args([
            "--namespace",
            NAMESPACE,
            "rollout",
            "status",
            &format!("deployment/{DEPLOYMENT}"),
            "--timeout",
            PATIENCE,
        ]);
        // Not its events: they tell of an earlier release too.
        let pods = access.cmd("look after the operator").args([
            "--namespace",
            NAMESPACE,
            "get",
            "pods",
            "--output",
            "json",
        ]);
        plan.add(
            Step::run(format!("operator {} available", self.release), wait)
                .after(after.iter().copied())
                .evidence(evidence(&access, None))
                .watch(Watch {
                    objects: pods,
                    log: access.cmd("ask a failed pod why").args([
                        "--namespace",
                        NAMESPACE,
                        "logs",
                        "--tail",
                        "60",
                    ]),
                }),
        )
    }
}

/// What to ask when the operator does not become available.
///
/// Its log and its events tell of all databases, and of earlier releases: `about` is what a line must
/// mention to count.
pub(crate) fn evidence(access: &Access, about: Option<&str>) -> Vec<Question> {
    let ask = |file: &str, args: &[&str]| {
        let cmd = access.cmd("ask about the operator");
        Question::new(file, cmd.args(["--namespace", NAMESPACE]).args(args))
    };
    let narrow = |question: Question| match about {
        Some(text) => question.about(text),
        None => question,
    };
    let events = ["get", "events", "--sort-by", ".lastTimestamp"];
    let deployment = format!("deployment/{DEPLOYMENT}");
    vec![
        ask("operator.txt", &["describe", "deployments,pods"]),
        narrow(ask("operator-events.txt", &events)),
        narrow(ask("operator.log", &["logs", &deployment, "--tail", "500"])),
    ]
}

/// The same manifest gives the same stamp: of a file its contents, of a URL its address.
fn stamp(manifest: &str, image: Option<&str>) -> Result<String, Failure> {
    let mut stamp = manifest.to_owned();
    if release::is_path(manifest) {
        release::check_path(manifest)?;
        let text = source::read_named(Path::new(manifest))?.unwrap_or_default();
        let digest = Sha256::digest(&text);
        stamp = format!("sha256:{}", crate::value::hex(&digest[..8]));
    }
    if let Some(image) = image {
        stamp += &format!(" with {image}");
    }
    Ok(stamp)
}

/// The operator cannot go back to an older release while it has databases.
fn check_step_back(
    found: &Operator,
    wanted: &Release,
    databases: &[String],
) -> Result<(), Failure> {
    let Some(Ok(was)) = found.release.as_deref().map(str::parse::<Release>) else {
        return Ok(());
    };
    if !was.is_newer_than(wanted) || databases.is_empty() {
        return Ok(());
    }
    Err(Failure::invalid(format!(
        "the operator is of release {was}, and does not go back to {wanted} while it has databases: {}",
        databases.join(", ")
    ))
    .hint("remove them (`cargo xtask e2e psql TARGET --delete`, `kubectl delete namespace …`), or start anew: `cargo xtask e2e cleanup`"))
}
