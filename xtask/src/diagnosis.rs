// SPDX-License-Identifier: Apache-2.0
//! What the objects of a cluster say of themselves *now*, look after look, and whether that is hopeless.
//!
//! Events and logs are history: what they tell may have been fixed since. So a Database is judged by its
//! status, a pod by what its containers wait for, and a bootstrap by the log of a pod that has failed, while
//! no other one tries. Nothing is judged by one look, and what has succeeded is not looked at any more.

use std::{collections::BTreeMap, time::Duration};

use serde_json::Value;

use crate::{
    exec::Exec,
    plan::{Cmd, Hopeless, Look, Watch},
    symptom::{Found, find_in_cluster},
    tool::kubectl,
};

/// How long a question may take: the next look asks again.
const PATIENCE: Duration = Duration::from_secs(20);

/// What to ask of a cluster while it is waited for. Objects tell what is so now; events and logs, what was.
#[derive(Debug)]
pub(crate) struct Objects {
    /// Prints objects as JSON.
    pub list: Cmd,
    /// Prints the log of a pod, whose name comes last. It is asked of pods that have failed.
    pub log: Cmd,
}

impl Watch for Objects {
    fn commands(&self) -> Vec<&Cmd> {
        vec![&self.list, &self.log]
    }

    fn begin(&self) -> Box<dyn Look + Send + '_> {
        Box::new(Watching {
            objects: self,
            watcher: Watcher::default(),
        })
    }
}

struct Watching<'a> {
    objects: &'a Objects,
    watcher: Watcher,
}

impl Look for Watching<'_> {
    fn look(&mut self, exec: &dyn Exec) -> Option<Hopeless> {
        let ask = |cmd: &Cmd| exec.read(cmd, Some(PATIENCE)).ok();
        let objects = ask(&self.objects.list);
        let log = |pod: &str| ask(&self.objects.log.clone().arg(pod));
        self.watcher.look(objects.as_deref(), &log)
    }
}

/// What an object says in one look.
enum Said {
    Text(String),
    /// It tries again: what it said before neither stands nor falls.
    Trying,
}

/// Remembers from one look to the next.
#[derive(Default)]
struct Watcher {
    seen: BTreeMap<String, (Found, u32)>,
}

impl Watcher {
    /// One look at objects as JSON (`kubectl get … --output json`). None: they could not be read, which shows
    /// nothing. `log` gives the log of a pod. Gives what does not get better by itself.
    fn look(
        &mut self,
        objects: Option<&str>,
        log: &dyn Fn(&str) -> Option<String>,
    ) -> Option<Hopeless> {
        let objects = objects.map(kubectl::items).unwrap_or_default();
        let mut seen = BTreeMap::new();
        for (object, said) in sayings(&objects, log) {
            let before = self.seen.remove(&object);
            match said {
                Said::Trying => {
                    seen.extend(before.map(|before| (object, before)));
                }
                Said::Text(text) => {
                    let Some(found) = find_in_cluster(&[text]).filter(|found| found.looks() > 0)
                    else {
                        continue;
                    };
                    let again = before.filter(|(other, _)| *other == found);
                    seen.insert(object, (found, again.map_or(1, |(_, looks)| looks + 1)));
                }
            }
        }
        self.seen = seen;
        let hopeless = self
            .seen
            .iter()
            .find(|(_, (found, looks))| *looks >= found.looks());
        hopeless.map(|(object, (found, looks))| Hopeless {
            cause: found.cause(),
            seen: format!("{object} said the same {looks} times in a row"),
        })
    }
}

/// Each object that has something to say, once.
fn sayings(objects: &[Value], log: &dyn Fn(&str) -> Option<String>) -> Vec<(String, Said)> {
    let mut all = Vec::new();
    for object in objects {
        match object["kind"].as_str() {
            Some("Database") => {
                let of = |text| (named(object), Said::Text(text));
                all.extend(refused(object).map(of));
            }
            Some("Pod") => all.extend(waits(object).map(|said| (named(object), said))),
            Some("Cluster") if !is_ready(object) => all.extend(bootstrap(object, objects, log)),
            _ => {}
        }
    }
    all
}

fn named(object: &Value) -> String {
    let text = |pointer| object.pointer(pointer).and_then(Value::as_str);
    format!(
        "{} `{}`",
        text("/kind").unwrap_or_default(),
        text("/metadata/name").unwrap_or_default()
    )
}

/// Why a Database is not applied, where that does not pass by itself.
///
/// A failure leaves `observedGeneration` as it was, absent at first: only `applied` tells.
fn refused(database: &Value) -> Option<String> {
    let status = &database["status"];
    if status["applied"] != false {
        return None;
    }
    let parts = ["extensions", "schemas", "fdws", "servers"]
        .iter()
        .filter_map(|list| status[*list].as_array())
        .flatten()
        .filter(|part| part["applied"] != true);
    let messages = parts
        .chain([status])
        .filter_map(|part| part["message"].as_str());
    let wanted = database
        .pointer("/spec/extensions")
        .and_then(Value::as_array);
    let comes = |text: &str| {
        // Extensions are created one after the other, and what failed is tried again.
        let name = text
            .split_once("required extension \"")
            .and_then(|(_, rest)| rest.split_once("\" is not installed"))
            .map(|(name, _)| name);
        let specs = wanted.into_iter().flatten();
        name.is_some_and(|name| specs.into_iter().any(|spec| spec["name"] == name))
    };
    let mut hopeless = messages.filter(|text| {
        let found = find_in_cluster(&[(*text).to_owned()]);
        !comes(text) && found.is_some_and(|found| found.looks() > 0)
    });
    hopeless.next().map(str::to_owned)
}

fn containers(pod: &Value) -> impl Iterator<Item = &Value> {
    ["initContainerStatuses", "containerStatuses"]
        .into_iter()
        .filter_map(|list| pod["status"][list].as_array())
        .flatten()
}

/// What keeps a pod's containers from starting; of an image, for the most part.
fn waits(pod: &Value) -> Option<Said> {
    if !pod["metadata"]["deletionTimestamp"].is_null() || has_ended(pod) {
        return None;
    }
    let waiting = containers(pod).find_map(|container| {
        let waiting = &container["state"]["waiting"];
        let reason = waiting["reason"].as_str()?;
        let counts = reason.contains("Image") || reason.contains("CreateContainer");
        counts.then(|| (reason, waiting["message"].as_str().unwrap_or_default()))
    });
    let (reason, message) = waiting?;
    // Older kubelets say why only once, and then that they wait.
    let bare = reason == "ImagePullBackOff" && !message.contains("failed to");
    Some(if bare {
        Said::Trying
    } else {
        Said::Text(format!("{reason}: {message}"))
    })
}

fn has_ended(pod: &Value) -> bool {
    matches!(
        pod["status"]["phase"].as_str(),
        Some("Succeeded" | "Failed")
    )
}

fn is_ready(cluster: &Value) -> bool {
    cluster["status"]["readyInstances"].as_u64() > Some(0)
}

/// The pods that are to bring a cluster up: when all that tried have failed and none tries, their newest
/// says why.
fn bootstrap(
    cluster: &Value,
    objects: &[Value],
    log: &dyn Fn(&str) -> Option<String>,
) -> Option<(String, Said)> {
    let pods: Vec<&Value> = objects
        .iter()
        .filter(|object| object["kind"] == "Pod")
        .filter(|pod| {
            pod["metadata"]["labels"]["cnpg.io/cluster"] == cluster["metadata"]["name"]
                && pod["metadata"]["deletionTimestamp"].is_null()
                && pod["status"]["phase"] != "Succeeded"
        })
        .collect();
    let failed = |pod: &&Value| {
        let crashes =
            |container: &Value| container["state"]["waiting"]["reason"] == "CrashLoopBackOff";
        pod["status"]["phase"] == "Failed" || containers(pod).any(crashes)
    };
    let newest = pods
        .iter()
        .filter(|pod| failed(pod))
        .max_by_key(|pod| pod["metadata"]["creationTimestamp"].as_str())?;
    let said = if pods.iter().all(failed) {
        Said::Text(log(newest["metadata"]["name"].as_str()?)?)
    } else {
        Said::Trying
    };
    Some((named(cluster), said))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::symptom::SOON;

    const GONE: &str = "Back-off pulling image \"r:5000/x:1\": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image \"r:5000/x:1\": failed to resolve reference \"r:5000/x:1\": r:5000/x:1: not found";

    fn database(applied: bool, message: &str) -> Value {
        json!({"kind": "Database", "metadata": {"name": "app", "generation": 1},
            "spec": {"extensions": [{"name": "pgrouting"}, {"name": "postgis"}]},
            "status": {"applied": applied, "message": "database object reconciliation failed",
                "extensions": [{"applied": false, "name": "x", "message": message}]}})
    }

    fn waiting(reason: &str, message: &str) -> Value {
        json!({"kind": "Pod", "metadata": {"name": "x-1"}, "status": {"phase": "Pending",
            "initContainerStatuses": [{"state": {"waiting": {"reason": reason, "message": message}}}]}})
    }

    fn cluster(ready: u32) -> Value {
        json!({"kind": "Cluster", "metadata": {"name": "x"}, "status": {"readyInstances": ready}})
    }

    fn initdb(name: &str, phase: &str) -> Value {
        json!({"kind": "Pod", "metadata": {"name": name, "creationTimestamp": name,
            "labels": {"cnpg.io/cluster": "x", "cnpg.io/jobRole": "initdb"}}, "status": {"phase": phase}})
    }

    /// In how many looks at each of `worlds`, one after the other, it was given up; None: never.
    fn given_up(worlds: &[Vec<Value>]) -> Option<usize> {
        let mut watcher = Watcher::default();
        let log = |_: &str| {
            Some("FATAL:  could not access file \"nolib\": No such file or directory".to_owned())
        };
        worlds.iter().position(|objects| {
            let text = json!({ "items": objects }).to_string();
            watcher.look(Some(&text), &log).is_some()
        })
    }

    fn always(objects: &[Value]) -> Option<usize> {
        given_up(&vec![objects.to_vec(); 30])
    }

    #[test]
    fn what_stays_hopeless_is_given_up_after_several_looks() {
        let missing = database(
            false,
            "ERROR: extension \"x\" is not available (SQLSTATE 0A000)",
        );
        let soon = Some(SOON as usize - 1);
        assert!(soon >= Some(2));
        assert_eq!(always(&[missing]), soon);
        assert_eq!(always(&[waiting("ImagePullBackOff", GONE)]), soon);
        let name = "Failed to apply default image tag \"A:b\": couldn't parse image name \"A:b\": invalid reference format";
        assert_eq!(always(&[waiting("InvalidImageName", name)]), soon);
        let failed = [cluster(0), initdb("a", "Failed"), initdb("b", "Failed")];
        assert_eq!(always(&failed), soon);
        let late = waiting("CreateContainerConfigError", "secret \"x\" not found");
        assert!(always(&[late]) > soon);
    }

    #[test]
    fn what_has_succeeded_or_still_tries_is_not_given_up() {
        let comes = "ERROR: required extension \"postgis\" is not installed (SQLSTATE 42704)";
        for objects in [
            vec![database(false, comes)],
            // Once applied, an old message is history.
            vec![database(true, "ERROR: extension \"x\" is not available")],
            vec![cluster(1), initdb("a", "Failed")],
            vec![cluster(0), initdb("a", "Failed"), initdb("b", "Running")],
            vec![cluster(0), initdb("a", "Failed"), initdb("b", "Pending")],
            vec![cluster(0), initdb("a", "Running")],
            vec![waiting("PodInitializing", "")],
            vec![waiting("ErrImagePull", "pull QPS exceeded")],
            // Events are not judged, whatever they say.
            vec![json!({"kind": "Event", "message": format!("Failed to pull image: {GONE}")})],
        ] {
            assert_eq!(always(&objects), None, "{objects:?}");
        }
        let other = "ERROR: required extension \"cube\" is not installed (SQLSTATE 42704)";
        assert!(always(&[database(false, other)]).is_some());
    }

    #[test]
    fn only_the_same_symptom_of_the_same_object_in_a_row_counts() {
        let bad = vec![waiting("ErrImagePull", GONE)];
        let good = vec![waiting("PodInitializing", "")];
        let bare = vec![waiting(
            "ImagePullBackOff",
            "Back-off pulling image \"r:5000/x:1\"",
        )];
        let soon = SOON as usize;
        let recovered = [vec![bad.clone(); soon - 1], vec![good; 9]].concat();
        assert_eq!(given_up(&recovered), None);
        // What older kubelets say in between neither counts nor forgives.
        let turns: Vec<_> = (0..9).flat_map(|_| [bad.clone(), bare.clone()]).collect();
        assert_eq!(given_up(&turns), Some(2 * (soon - 1)));
        let two: Vec<_> = (0..9)
            .map(|look| {
                vec![database(
                    false,
                    &format!("extension \"x{look}\" is not available"),
                )]
            })
            .collect();
        assert_eq!(given_up(&two), None);
    }

    #[test]
    fn what_cannot_be_asked_shows_nothing() {
        let mut watcher = Watcher::default();
        let bad = json!({"items": [waiting("ErrImagePull", GONE)]}).to_string();
        for _ in 0..20 {
            for objects in [Some(bad.as_str()), None, Some("no json")] {
                assert!(watcher.look(objects, &|_| None).is_none());
            }
        }
    }
}
