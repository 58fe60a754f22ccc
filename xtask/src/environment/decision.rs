// SPDX-License-Identifier: Apache-2.0
//! What is to be done about the cluster that is there, by what a survey says of it.

use super::{
    Environment, Place,
    api::Api,
    survey::{Presence, Survey},
};
use crate::tool::kind::nodes;

/// What is to be done about the cluster that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    Keep,
    /// Its nodes have stopped.
    Start,
    /// What is wrong with it, which may pass: it is waited for.
    Wait(String),
    /// Why it is deleted and created again.
    Replace(String),
    Make,
}

const HALF_MADE: &str = "it was not fully created";

impl Environment {
    /// What the cluster says, when it is one that stays.
    pub(crate) fn kept<'a>(&self, survey: &'a Survey) -> Option<&'a Api> {
        let stays = match self.place {
            Place::Kind { .. } => matches!(self.decide(survey), Decision::Keep),
            Place::Existing(_) => true,
        };
        survey.api.as_ref().filter(|_| stays)
    }

    /// What a survey says is to be done; an existing cluster is kept.
    pub(super) fn decide(&self, survey: &Survey) -> Decision {
        let Place::Kind {
            kubernetes,
            nodes: count,
            ..
        } = &self.place
        else {
            return Decision::Keep;
        };
        let name = self.cluster().unwrap_or_default();
        let Some(found) = survey.cluster(&name) else {
            return Decision::Make;
        };
        let expected = nodes(&name, *count);
        let same = found.nodes.len() == expected.len()
            && found.nodes.iter().all(|node| expected.contains(&node.name));
        if !same {
            return Decision::Replace(format!(
                "it has {} of {} nodes",
                found.nodes.len(),
                expected.len()
            ));
        }
        if survey.network == Presence::Absent {
            return Decision::Replace("its network is gone".into());
        }
        if found.nodes.iter().any(|node| !node.running) {
            // One that was never started has been left half-made.
            return match found.nodes.iter().find(|node| node.state == "created") {
                Some(node) => Decision::Replace(format!("`{}` was never started", node.name)),
                None => Decision::Start,
            };
        }
        if survey.unfinished {
            return Decision::Replace(HALF_MADE.into());
        }
        let Some(api) = &survey.api else {
            return Decision::Wait("it does not answer".into());
        };
        if let Some(node) = api.nodes.iter().find(|node| node.kubelet != *kubernetes) {
            return Decision::Replace(format!("`{}` runs Kubernetes {}", node.name, node.kubelet));
        }
        if api.nodes.len() != expected.len() || !api.storage_class {
            return Decision::Replace(HALF_MADE.into());
        }
        match api.nodes.iter().find(|node| !node.ready) {
            Some(node) => Decision::Wait(format!("`{}` is not ready", node.name)),
            None => Decision::Keep,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::Config,
        environment::{
            api::{Api, Node},
            survey::KindCluster,
        },
        own::RunId,
        tool::docker::Container,
    };

    fn environment() -> Environment {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::load(folder.path(), &|_| None).unwrap();
        let place = Place::kind(&config, None).unwrap();
        let run = RunId::draw().unwrap();
        Environment::new(&config, place, "1.30".parse().unwrap(), None, &run).unwrap()
    }

    /// A cluster of one node that is as it is wanted.
    fn survey(environment: &Environment) -> Survey {
        let name = environment.cluster().unwrap();
        let Place::Kind { kubernetes, .. } = &environment.place else {
            panic!("the default is a kind cluster");
        };
        let node = format!("{name}-control-plane");
        Survey {
            network: Presence::Ours,
            clusters: vec![KindCluster {
                name,
                nodes: vec![Container {
                    name: node.clone(),
                    state: "running".into(),
                    running: true,
                    ..Container::default()
                }],
            }],
            api: Some(Api {
                nodes: vec![Node {
                    name: node,
                    ready: true,
                    kubelet: kubernetes.clone(),
                    platform: "linux/amd64".into(),
                }],
                storage_class: true,
                ..Api::default()
            }),
            ..Survey::default()
        }
    }

    fn decided(change: impl Fn(&mut Survey)) -> Decision {
        let environment = environment();
        let mut survey = survey(&environment);
        change(&mut survey);
        environment.decide(&survey)
    }

    fn api(survey: &mut Survey) -> &mut Api {
        survey.api.as_mut().unwrap()
    }

    #[test]
    fn a_cluster_as_it_is_wanted_is_kept_and_none_is_made() {
        assert_eq!(decided(|_| {}), Decision::Keep);
        assert_eq!(decided(|survey| survey.clusters.clear()), Decision::Make);
    }

    #[test]
    fn what_may_pass_is_started_or_waited_for() {
        let stopped = decided(|survey| survey.clusters[0].nodes[0].running = false);
        assert_eq!(stopped, Decision::Start);
        let silent = decided(|survey| survey.api = None);
        assert!(matches!(silent, Decision::Wait(_)), "{silent:?}");
        let unready = decided(|survey| api(survey).nodes[0].ready = false);
        assert!(matches!(unready, Decision::Wait(_)), "{unready:?}");
    }

    #[test]
    fn what_does_not_pass_means_another_cluster() {
        let changes: [fn(&mut Survey); 6] = [
            |survey| survey.network = Presence::Absent,
            |survey| survey.unfinished = true,
            |survey| survey.clusters[0].nodes[0].name += "2",
            |survey| {
                let node = &mut survey.clusters[0].nodes[0];
                (node.running, node.state) = (false, "created".into());
            },
            |survey| api(survey).nodes[0].kubelet = "v1.0.0".into(),
            |survey| api(survey).storage_class = false,
        ];
        for change in changes {
            let decision = decided(change);
            assert!(matches!(decision, Decision::Replace(_)), "{decision:?}");
        }
    }
}
