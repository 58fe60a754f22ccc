// SPDX-License-Identifier: Apache-2.0
//! The operator: applied, upgraded in place, or left as it is.

use std::time::Duration;

use super::{
    DEPLOYMENT, Environment, Place, RELEASE, STAMP,
    api::Operator,
    release::{Manifest, Release},
    survey::Survey,
};
use crate::{
    diagnosis::Objects,
    failure::Failure,
    image::ImageRef,
    plan::{Cmd, Evidence, Plan, Probe, Question, Step, StepId},
    tool::kubectl::{ClusterAccess, InCluster},
};

const NAMESPACE: &str = "cnpg-system";
/// The stamp while another release is applied: still ours, and of no release.
const UNFINISHED: &str = "unfinished";
/// How long the operator may take to become available.
const PATIENCE: &str = "2m";

/// What stands on the operator's deployment of the release that was applied before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earlier {
    Nothing,
    /// Our stamp.
    Stamp,
}

impl Environment {
    /// The operator of the wanted release. Gives the step after which it is available; none when it is.
    pub(crate) fn add_operator(
        &self,
        plan: &mut Plan,
        survey: &Survey,
        manifest: &Manifest,
        after: &[StepId],
    ) -> Result<Vec<StepId>, Failure> {
        let api = self.kept(survey);
        if let Some(found) = api.and_then(|api| api.operator.as_ref()) {
            if found.available && found.stamp.as_ref() == Some(&manifest.stamp) {
                // Of a cluster that was stopped, what it says of its pods may be from before.
                return Ok(if survey.restarted {
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
            if found.stamp.as_ref() != Some(&manifest.stamp) {
                let was = found.release.as_deref().unwrap_or("half installed");
                plan.note(format!(
                    "the operator is changed from {was} to {}",
                    self.release
                ));
            }
        }
        let stamp = api.and_then(|api| api.operator.as_ref()?.stamp.as_ref());
        let earlier = stamp.map_or(Earlier::Nothing, |_| Earlier::Stamp);
        Ok(vec![self.add_release(plan, manifest, earlier, after)])
    }

    /// The wanted release's manifest, read when it is a file.
    pub(crate) fn read_manifest(&self) -> Result<Manifest, Failure> {
        let source = self.release.manifest(&self.manifest);
        Manifest::read(source, self.operator_image.as_ref())
    }

    /// Applies the release over whatever is there, and waits for it. An earlier one's stamp is taken back
    /// first: with the new one half-way in, its pod would still be available.
    pub(crate) fn add_release(
        &self,
        plan: &mut Plan,
        manifest: &Manifest,
        earlier: Earlier,
        after: &[StepId],
    ) -> StepId {
        let (access, release) = (self.access(), &self.release);
        let Manifest { source, stamp } = manifest;
        let mut before = after.to_vec();
        if earlier == Earlier::Stamp {
            let forget = [format!("{STAMP}={UNFINISHED}"), format!("{RELEASE}-")];
            let forget = annotate(&access, "delete the record of the applied release", forget);
            let step = Step::run(format!("delete operator record for {release}"), forget);
            before = vec![plan.add(step.after(before).quiet())];
        }
        let apply = access.apply_file(format!("apply the operator's manifest `{source}`"), source);
        let mut last = plan.add(
            Step::run(format!("operator {release}"), apply)
                .after(before)
                .timeout(Duration::from_secs(120)),
        );
        if let Some(image) = &self.operator_image {
            last = self.add_image(plan, image, last);
        }
        let available = self.available(plan, &[last]);
        let note = [format!("{STAMP}={stamp}"), format!("{RELEASE}={release}")];
        let note = annotate(&access, "record the applied release", note);
        let step = Step::run(format!("record operator {release}"), note);
        plan.add(step.after([available]).quiet())
    }

    /// Another image for the operator than its manifest names, and for the pods of its databases, which start with
    /// the operator's own.
    fn add_image(&self, plan: &mut Plan, image: &ImageRef, after: StepId) -> StepId {
        let access = self.access();
        let deployment = format!("deployment/{DEPLOYMENT}");
        let mut last = after;
        for (what, kind, value) in [
            ("image", "image", format!("manager={image}")),
            (
                "image for pods",
                "env",
                format!("OPERATOR_IMAGE_NAME={image}"),
            ),
        ] {
            let set = access.cmd(format!("set the operator's {what}")).args([
                "--namespace",
                NAMESPACE,
                "set",
                kind,
                &deployment,
                &value,
            ]);
            let step = Step::run(format!("operator {what} {}", self.release), set);
            last = plan.add(step.after([last]).quiet());
        }
        last
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
        let mut ready = Step::run("operator restarted", wait).evidence(evidence(&self.access()));
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
        let pods = access.cmd("find the operator's pods").args([
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
                .evidence(evidence(&access))
                .watch(Objects {
                    list: pods,
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

fn annotate(access: &ClusterAccess, purpose: &str, annotations: [String; 2]) -> Cmd {
    let deployment = format!("deployment/{DEPLOYMENT}");
    access
        .cmd(purpose)
        .args(["--namespace", NAMESPACE, "annotate", "--overwrite"])
        .arg(deployment)
        .args(annotations)
}

/// What to ask when the operator does not become available.
fn evidence(access: &ClusterAccess) -> Evidence {
    Evidence::new(questions(access, None), InCluster)
}

/// What to ask the operator.
///
/// Its log and its events tell of all databases, and of earlier releases: `about` is what a line must
/// mention to count.
pub(crate) fn questions(access: &ClusterAccess, about: Option<&str>) -> Vec<Question> {
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
    .hint("remove them (`cargo xtask e2e psql TARGET --delete`, `kubectl delete namespace …`), or start over: `cargo xtask e2e cleanup`"))
}
