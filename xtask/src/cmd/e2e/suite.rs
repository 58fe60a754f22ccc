// SPDX-License-Identifier: Apache-2.0
//! The suites of one image as steps: the shared one, then the extension's own, each in a namespace of
//! its own.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use sha2::{Digest, Sha256};
use walkdir::WalkDir;

use crate::{
    config,
    context::Context,
    environment::{self, LABEL, NAME_LABEL, OWNER_LABEL, Place, RUN_LABEL},
    extension::Extension,
    failure::Failure,
    own::source,
    plan::{Action, Again, Cmd, Location, Plan, Probe, Question, Step, StepId, Watch},
    tool::{assertion, chainsaw, kubectl::ClusterAccess},
};

/// The pool that bounds how many suites run at once.
pub(super) const POOL: &str = "suite";

/// A namespace is a label of DNS.
const LONGEST_NAME: usize = 63;

/// Longer than all of chainsaw's own limits together: what runs on then hangs.
const PATIENCE: Duration = Duration::from_secs(1200);

/// One image under test, with one release of the operator.
#[derive(Clone, Debug)]
pub(super) struct Subject {
    pub extension: Arc<Extension>,
    /// What tells it from others in this run: `pgvector 18-trixie`, `pgvector 18-trixie 1.30`.
    pub name: String,
    /// For people: what is in the values.
    pub image: String,
    pub release: String,
    pub values: PathBuf,
}

/// How the suites of one run are run.
pub(super) struct Runner {
    pub access: ClusterAccess,
    pub environment: environment::Environment,
    /// The kind cluster's control plane, whose kubelet has things to say.
    pub node: Option<String>,
    pub root: PathBuf,
    pub shared: Suite,
    pub reports: PathBuf,
    pub skip_delete: bool,
    pub flags: Vec<String>,
    /// Tells the namespaces of this run from those of others on the same cluster.
    pub unique: String,
}

/// The steps of one subject.
#[derive(Clone, Debug)]
pub(super) struct Suites {
    pub shared: StepId,
    /// None: the extension has none.
    pub own: Option<StepId>,
}

/// A folder of tests, read once however many images it tests.
pub(super) struct Suite {
    pub folder: PathBuf,
    /// Another file than `chainsaw-test.yaml`, without its ending.
    file: Option<&'static str>,
    /// The least time that one of its assertions may take.
    shortest: Option<Duration>,
}

impl Suite {
    /// `folder` is below `root`.
    pub(super) fn read(root: &Path, folder: PathBuf, file: Option<&'static str>) -> Self {
        let shortest = texts(root, &folder, file)
            .and_then(|texts| assertion::shortest(texts.iter().map(String::as_str)));
        Self {
            folder,
            file,
            shortest,
        }
    }
}

/// The texts of a suite's files; None when one cannot be read.
fn texts(root: &Path, folder: &Path, file: Option<&str>) -> Option<Vec<String>> {
    let mut texts = Vec::new();
    for entry in WalkDir::new(root.join(folder)).max_depth(3) {
        let entry = entry.ok()?;
        let name = entry.file_name().to_string_lossy();
        let is_test = name.starts_with("chainsaw-test.");
        let is_meant = file.is_none_or(|file| !is_test || name.starts_with(file));
        if entry.file_type().is_file() && name.ends_with(".yaml") && is_meant {
            let path = entry.path().strip_prefix(root).ok()?;
            texts.push(source::read(root, path).ok()??);
        }
    }
    Some(texts)
}

impl Suites {
    pub(super) fn steps(&self) -> impl Iterator<Item = StepId> {
        std::iter::once(self.shared).chain(self.own)
    }
}

impl Runner {
    pub(super) fn new(
        context: &mut Context,
        environment: &environment::Environment,
        args: &crate::cli::e2e::Suites,
        dry_run: bool,
    ) -> anyhow::Result<Self> {
        let shared = PathBuf::from(context.config.get(config::PATHS_SUITE));
        if !context.root.join(&shared).is_dir() {
            return Err(Failure::invalid(format!(
                "the shared suite `{}` is not there",
                shared.display()
            ))
            .hint("set `[paths] suite` in xtask.toml")
            .into());
        }
        let reports = if dry_run {
            PathBuf::from("target/xtask/e2e/reports")
        } else {
            context.run_folder()?.join("reports")
        };
        // Chainsaw's own flag of that name is always given: the namespaces are ours to remove.
        let skip = |flag: &String| flag == "--skip-delete" || flag == "--skip-delete=true";
        Ok(Self {
            access: environment.access(),
            environment: environment.clone(),
            node: environment
                .cluster()
                .map(|name| format!("{name}-control-plane")),
            root: context.root.clone(),
            shared: Suite::read(&context.root, shared, None),
            reports,
            skip_delete: args.skip_delete || args.flags.iter().any(skip),
            flags: args
                .flags
                .iter()
                .filter(|flag| !skip(flag))
                .cloned()
                .collect(),
            unique: context.run_id.short().to_owned(),
        })
    }

    /// Adds what all suites need: the folder for their reports, which chainsaw does not make.
    pub(super) fn add_folder(&self, plan: &mut Plan) -> StepId {
        plan.add(
            Step::new(
                "folder for reports",
                Action::Folder(Location::output(&self.reports)),
            )
            .quiet(),
        )
    }

    /// Adds the suites of a subject.
    pub(super) fn add(&self, plan: &mut Plan, subject: &Subject, after: &[StepId]) -> Suites {
        let shared = self.add_suite(plan, subject, "shared", &self.shared, after);
        let own = subject.extension.folder.join("test");
        let own = own.is_dir().then(|| {
            let own = own
                .strip_prefix(&self.root)
                .map(Path::to_owned)
                .unwrap_or(own);
            let own = Suite::read(&self.root, own, None);
            self.add_suite(plan, subject, "own", &own, &[shared])
        });
        Suites { shared, own }
    }

    /// Adds one suite: its namespace, chainsaw, and the namespace's end.
    pub(super) fn add_suite(
        &self,
        plan: &mut Plan,
        subject: &Subject,
        kind: &str,
        suite: &Suite,
        after: &[StepId],
    ) -> StepId {
        let title = format!("{kind} suite of {}", subject.name);
        let namespace = self.namespace(subject, kind);
        let remove = self.remove(&namespace);
        let made = self.environment.make_namespace(&namespace, "suite");
        let mut made = Step::run(format!("namespace {namespace}"), made)
            .after(after.iter().copied())
            .quiet();
        if !self.skip_delete {
            made = made.undo(remove.clone());
        }
        let made = plan.add(made);
        let fresh = self.namespace(subject, &format!("{kind}-2"));
        let test = |name: String, namespace: &str| {
            let test = chainsaw::Test {
                purpose: format!("pass the {title}"),
                suite: &suite.folder,
                values: &subject.values,
                namespace,
                access: &self.access,
                root: &self.root,
                report: (self.reports.clone(), title.replace(' ', "-")),
                file: suite.file,
                flags: &self.flags,
            };
            Step::run(name, test.cmd())
                .timeout(PATIENCE)
                .evidence(self.evidence(namespace))
                .watch(self.watch(namespace))
        };
        let mut again = test(format!("{title} again"), &fresh);
        if !self.skip_delete {
            again = again.undo(self.remove(&fresh));
        }
        let mut step = test(title.clone(), &namespace)
            .after([made])
            .pool(POOL)
            .proof("suite")
            .again(Again {
                shortest: suite.shortest,
                ready: Probe::Succeeds(self.access.readiness()),
                prepare: self.environment.make_namespace(&fresh, "suite"),
                step: again,
            });
        if !self.skip_delete {
            step = step.undo(remove.clone());
        }
        let tested = plan.add(step);
        if !self.skip_delete {
            plan.add(
                Step::run(format!("tidy {namespace}"), remove)
                    .after([tested])
                    .quiet(),
            );
        }
        tested
    }

    fn remove(&self, namespace: &str) -> Cmd {
        // By its labels: one of somebody else with this name stays.
        let run = self.environment.run.to_string();
        self.access.remove_namespaces(
            format!("remove the namespace `{namespace}`"),
            &[(RUN_LABEL, &run), (NAME_LABEL, namespace)],
            false,
        )
    }

    fn namespace(&self, subject: &Subject, kind: &str) -> String {
        let mut safe: String = subject
            .name
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let room = LONGEST_NAME - format!("xtask--{kind}-{}", self.unique).len();
        if safe.len() > room {
            // What makes the name unique may be at its end.
            let digest = crate::value::hex(&Sha256::digest(&safe)[..4]);
            safe.truncate(room - digest.len() - 1);
            safe = format!("{safe}-{digest}");
        }
        format!("xtask-{safe}-{kind}-{}", self.unique)
    }

    /// Where it shows that a suite waits in vain: a database that cannot start never says so itself.
    pub(super) fn watch(&self, namespace: &str) -> Watch {
        Watch {
            objects: self
                .access
                .cmd("look after the suite")
                .args(["--namespace", namespace, "get"])
                .args(["clusters.postgresql.cnpg.io,databases.postgresql.cnpg.io,pods"])
                .args(["--output", "json", "--request-timeout", "10s"]),
            log: self
                .access
                .cmd("ask a failed pod why")
                .args(["--namespace", namespace, "logs"])
                .args(["--all-containers", "--tail", "60"]),
        }
    }

    /// What a person would ask about a namespace in which something went wrong.
    pub(super) fn evidence(&self, namespace: &str) -> Vec<Question> {
        let ask = |file: &str, args: &[&str]| {
            let cmd = self
                .access
                .cmd("ask the cluster about the suite")
                .args(["--namespace", namespace])
                .args(args);
            Question::new(file, cmd)
        };
        let logs = |file: &str, label: &str| {
            ask(
                file,
                &[
                    "logs",
                    "--selector",
                    label,
                    "--all-containers",
                    "--prefix",
                    "--ignore-errors",
                    "--tail",
                    "300",
                    "--max-log-requests",
                    "20",
                ],
            )
        };
        let mut all = vec![
            ask(
                "objects.yaml",
                &[
                    "get",
                    "clusters.postgresql.cnpg.io,databases.postgresql.cnpg.io,jobs,pods",
                    "--output",
                    "yaml",
                ],
            ),
            ask("pods.txt", &["describe", "pods"]),
            ask(
                "events.txt",
                &["get", "events", "--sort-by", ".lastTimestamp"],
            ),
            logs("instances.log", "cnpg.io/cluster"),
            logs("jobs.log", "batch.kubernetes.io/job-name"),
        ];
        all.extend(environment::operator::evidence(
            &self.access,
            Some(namespace),
        ));
        if let Some(node) = &self.node {
            let args = [
                "exec",
                "--",
                node,
                "journalctl",
                "--unit",
                "kubelet",
                "--no-pager",
                "--lines",
                "1000",
            ];
            let read = Cmd::new("docker", "read kubelet's log").args(args);
            all.push(Question::new("kubelet.log", read).about(namespace));
        }
        all
    }
}

/// Removes what the suites of an earlier run of this checkout, which was killed, have left on a kind cluster.
/// Those of other checkouts may be running: not all that use a kind cluster use its engine.
pub(super) fn add_leftovers(
    plan: &mut Plan,
    environment: &environment::Environment,
    survey: &environment::survey::Survey,
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
        false,
    );
    vec![plan.add(Step::run("leftovers of an earlier run", remove))]
}

/// How many suites at once: their databases mostly wait, for images, disks and each other.
pub(super) fn limit(context: &Context, jobs: Option<u32>) -> usize {
    let set = jobs.unwrap_or_else(|| context.config.get(config::E2E_SUITES)) as usize;
    if set > 0 {
        return set;
    }
    2 + std::thread::available_parallelism().map_or(1, std::num::NonZero::get) / 2
}
