// SPDX-License-Identifier: Apache-2.0
//! The suites of one image as steps: the shared one, and the extension's own in the same cluster or in one of its own.

mod evidence;
mod options;
pub(crate) mod releases;
mod suite;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

pub(crate) use options::Options;
pub(crate) use suite::Suite;

use crate::{
    config::{AtOnce, Config, PATHS_SUITE},
    engine::{Engine, Opener},
    environment::{
        self, Environment, FOLDER, LABEL, NAME_LABEL, OWNER_LABEL, Place, RUN_LABEL, survey::Survey,
    },
    extension::Extension,
    failure::Failure,
    image::Image,
    plan::{Action, AfterFailure, Again, Cmd, Location, Plan, Probe, Step, StepId},
    tool::{
        chainsaw::{self, Chainsaw},
        kubectl::{ClusterAccess, Removal},
    },
    value::Server,
};

/// The pool that bounds how many suites run at once.
pub(crate) const POOL: &str = "suite";

/// The suites of an image.
const SHARED: &str = "shared";
const OWN: &str = "own";

/// Longer than all of chainsaw's own limits together: what runs on then hangs.
const PATIENCE: Duration = Duration::from_secs(1200);

/// How long a cluster's API may take to answer again: the kubelet waits ever longer before it starts one
/// that was killed.
const READY: Duration = Duration::from_secs(180);

/// One image under test, with one release of the operator.
#[derive(Clone, Debug)]
pub(crate) struct Subject {
    pub extension: Arc<Extension>,
    /// What tells it from others in this run: `pgvector 18-trixie`, `pgvector 18-trixie 1.30`.
    pub name: String,
    /// None: values that were there do not say.
    pub image: Option<Image>,
    /// What the image is for. None: values that were there do not say.
    pub server: Option<Server>,
    pub release: String,
    pub values: PathBuf,
}

/// How the suites of one run are run.
pub(crate) struct Runner {
    pub access: ClusterAccess,
    pub chainsaw: Chainsaw,
    pub environment: Environment,
    /// The kind cluster's control plane, whose kubelet has things to say.
    pub node: Option<String>,
    pub root: PathBuf,
    pub shared: Suite,
    pub reports: PathBuf,
    options: Options,
}

/// The steps of one subject.
#[derive(Clone, Debug)]
pub(crate) struct SuiteSteps {
    pub shared: StepId,
    /// None: the extension has none.
    pub own: Option<StepId>,
}

impl SuiteSteps {
    pub(crate) fn steps(&self) -> impl Iterator<Item = StepId> {
        std::iter::once(self.shared).chain(self.own)
    }
}

impl Runner {
    /// Runs suites in an environment. Chainsaw's own reports go to the run's folder, which is not made where the
    /// engine is only looked at. Refused when the shared suite is not there.
    pub(crate) fn open(
        opener: &mut dyn Opener,
        engine: &Engine,
        environment: &Environment,
        options: Options,
    ) -> anyhow::Result<Self> {
        let reports = if engine.is_looked_at() {
            Path::new(FOLDER).join("reports")
        } else {
            opener.run_folder()?.join("reports")
        };
        let root = opener.root();
        let shared = PathBuf::from(opener.config().get(PATHS_SUITE));
        if !root.join(&shared).is_dir() {
            return Err(Failure::invalid(format!(
                "the shared suite `{}` does not exist",
                shared.display()
            ))
            .hint("set `[paths] suite` in xtask.toml")
            .into());
        }
        Ok(Self {
            access: environment.access(),
            environment: environment.clone(),
            node: environment.control_plane(),
            chainsaw: environment.chainsaw(engine, root)?,
            root: root.to_owned(),
            shared: Suite::read(root, shared, None),
            reports,
            options,
        })
    }

    /// Adds what all suites need once the cluster is there: the folder for their reports, which chainsaw does not make,
    /// and what chainsaw itself needs.
    pub(crate) fn add_needs(&self, plan: &mut Plan, cluster: &[StepId]) -> Vec<StepId> {
        let folder = Action::Folder(Location::output(&self.reports));
        let folder = plan.add(Step::new("folder for reports", folder).quiet());
        let mut needs = self.environment.add_chainsaw(plan, &self.chainsaw, cluster);
        needs.push(folder);
        needs
    }

    /// Adds the suites of a subject: the extension's own goes on in the cluster that the shared one has made where it says that it
    /// may, and else is run beside it, as it is written.
    pub(crate) fn add(&self, plan: &mut Plan, subject: &Subject, after: &[StepId]) -> SuiteSteps {
        let own = subject.extension.folder.join("test");
        let own = own.is_dir().then(|| {
            let own = own
                .strip_prefix(&self.root)
                .map(Path::to_owned)
                .unwrap_or(own);
            Suite::read(&self.root, own, None)
        });
        if let Some(own) = own.as_ref().filter(|own| own.goes_on) {
            let [shared, own] = self.add_in_turn(plan, subject, own, after);
            return SuiteSteps {
                shared,
                own: Some(own),
            };
        }
        let shared = self.add_suite(plan, subject, SHARED, &self.shared, after);
        let own = own.map(|own| self.add_suite(plan, subject, OWN, &own, after));
        SuiteSteps { shared, own }
    }

    /// Adds the shared suite and behind it the extension's own, in one namespace.
    fn add_in_turn(
        &self,
        plan: &mut Plan,
        subject: &Subject,
        own: &Suite,
        after: &[StepId],
    ) -> [StepId; 2] {
        let namespace = self.namespace(subject, SHARED);
        let made = self.add_namespace(plan, &namespace, after);
        let shared = plan.add(self.first_run(subject, SHARED, &self.shared, &namespace, made));
        let own = plan.add(self.first_run(subject, OWN, own, &namespace, shared));
        self.add_tidying(plan, &namespace, own);
        [shared, own]
    }

    /// Adds one suite: its namespace, chainsaw, and the namespace's end. `kind` tells it from the subject's others.
    pub(crate) fn add_suite(
        &self,
        plan: &mut Plan,
        subject: &Subject,
        kind: &str,
        suite: &Suite,
        after: &[StepId],
    ) -> StepId {
        let namespace = self.namespace(subject, kind);
        let made = self.add_namespace(plan, &namespace, after);
        let tested = plan.add(self.first_run(subject, kind, suite, &namespace, made));
        self.add_tidying(plan, &namespace, tested);
        tested
    }

    fn add_namespace(&self, plan: &mut Plan, namespace: &str, after: &[StepId]) -> StepId {
        let made = self.environment.make_namespace(namespace, "suite");
        let made = Step::run(format!("namespace {namespace}"), made)
            .after(after.iter().copied())
            .quiet();
        plan.add(self.temporary(made, namespace))
    }

    fn add_tidying(&self, plan: &mut Plan, namespace: &str, tested: StepId) {
        if !self.options.skip_delete {
            let tidy = Step::run(format!("tidy {namespace}"), self.remove(namespace));
            plan.add(tidy.after([tested]).quiet());
        }
    }

    /// A suite in a namespace that is there; once more, in one of its own, where the cluster did not answer.
    fn first_run(
        &self,
        subject: &Subject,
        kind: &str,
        suite: &Suite,
        namespace: &str,
        after: StepId,
    ) -> Step {
        let title = format!("{kind} suite of {}", subject.name);
        let fresh = self.namespace(subject, &format!("{kind}-2"));
        let again = Again {
            retry: Arc::new(evidence::Unanswered {
                shortest: suite.shortest,
            }),
            needs: "the cluster's API",
            ready: Probe::Succeeds(self.access.readiness()),
            patience: READY,
            place: "in a new namespace",
            prepare: self.environment.make_namespace(&fresh, "suite"),
            step: self.test(subject, suite, (&title, " again"), (&fresh, &fresh)),
        };
        let container = self.namespace(subject, kind);
        self.test(subject, suite, (&title, ""), (namespace, &container))
            .after([after])
            .pool(POOL)
            .proof("suite")
            .again(again)
    }

    /// A suite in a namespace that is there, in a container of that name where chainsaw has one. The step is called by its title and
    /// what tells a second run.
    fn test(
        &self,
        subject: &Subject,
        suite: &Suite,
        (title, run): (&str, &str),
        (namespace, container): (&str, &str),
    ) -> Step {
        let test = chainsaw::Call {
            chainsaw: &self.chainsaw,
            purpose: format!("pass the {title}"),
            suite: &suite.folder,
            values: &subject.values,
            namespace,
            container,
            access: &self.access,
            root: &self.root,
            report: (self.reports.clone(), title.replace(' ', "-")),
            file: suite.file,
            flags: &self.options.flags,
        };
        let step = test
            .step(format!("{title}{run}"))
            .timeout(PATIENCE)
            .evidence(self.evidence(namespace))
            .watch(self.watch(namespace));
        self.temporary(step, namespace)
    }

    /// The step with the namespace's end as its undo, unless namespaces stay.
    fn temporary(&self, step: Step, namespace: &str) -> Step {
        if self.options.skip_delete {
            step
        } else {
            step.undo(self.remove(namespace))
        }
    }

    fn remove(&self, namespace: &str) -> Cmd {
        // By its labels: one of somebody else with this name stays.
        let run = self.environment.run.to_string();
        self.access.remove_namespaces(
            format!("remove the namespace `{namespace}`"),
            &[(RUN_LABEL, &run), (NAME_LABEL, namespace)],
            Removal::Begun,
        )
    }

    fn namespace(&self, subject: &Subject, kind: &str) -> String {
        // The run tells them from those of others on the same cluster.
        let behind = format!("-{kind}-{}", self.environment.run.short());
        environment::namespace("xtask-", &subject.name, &behind)
    }
}

/// Removes what the suites of an earlier run of this checkout, which was killed, have left on a kind cluster.
/// Those of other checkouts may be running: not all that use a kind cluster use its engine.
pub(crate) fn add_leftovers(
    plan: &mut Plan,
    environment: &Environment,
    survey: &Survey,
) -> Vec<StepId> {
    let Place::Kind { .. } = environment.place else {
        return Vec::new();
    };
    let owner = environment.owner.to_string();
    let left: Vec<&String> = environment
        .kept(survey)
        .into_iter()
        .flat_map(|api| &api.namespaces)
        .filter(|found| found.role == "suite" && found.owner.as_ref() == Some(&owner))
        .map(|found| &found.name)
        .collect();
    if left.is_empty() {
        return Vec::new();
    }
    // A step that comes before this run makes any of its own.
    let remove = environment.access().remove_namespaces(
        "remove what an earlier run has left",
        &[(LABEL, "suite"), (OWNER_LABEL, &owner)],
        Removal::Begun,
    );
    vec![plan.add(Step::run("leftovers of an earlier run", remove))]
}

/// Lets as many suites of a plan run side by side as the settings say, of so many images. Those of one image say
/// nothing of another's.
pub(crate) fn side_by_side(plan: &mut Plan, config: &Config, images: usize) {
    plan.limits.push((POOL, AtOnce::suites(config)));
    plan.at_once = Some(AtOnce::beside_suites(images));
    plan.after_failure = AfterFailure::KeepGoing;
}
