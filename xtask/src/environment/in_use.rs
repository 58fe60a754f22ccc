// SPDX-License-Identifier: Apache-2.0
//! An environment in use: its engine, then its cluster, and nobody else works in either meanwhile.

use super::{Environment, Place, api::Api, survey::Survey};
use crate::engine::{
    Access, Engine, Opener,
    lock::{self, Lock},
};

/// The engine of an environment and the lock on its cluster, released together.
pub(crate) struct InUse {
    pub engine: Engine,
    _cluster: Option<Lock>,
}

impl InUse {
    /// Waits for the engine, where the environment is one of its containers, and for the cluster; not when they are
    /// only looked at.
    pub(crate) fn open(
        opener: &mut dyn Opener,
        environment: &Environment,
        access: Access,
    ) -> anyhow::Result<Self> {
        let engine = Engine::open(opener, access)?;
        let cluster = environment.lock(opener, &engine)?;
        Ok(Self {
            engine,
            _cluster: cluster,
        })
    }
}

impl Environment {
    /// What the engine is wanted for: to hold the environment, or only for programs that use an existing cluster.
    pub(crate) fn engine_access(&self) -> Access {
        match self.place {
            Place::Kind { .. } => Access::Work,
            Place::Existing(_) => Access::Programs,
        }
    }

    /// The lock on the cluster, after that on the engine. A kind cluster has one too: others may reach it by a
    /// kubeconfig alone. None: it is not there yet, or answers nobody, or it is only looked at.
    pub(crate) fn lock(
        &self,
        opener: &dyn Opener,
        engine: &Engine,
    ) -> anyhow::Result<Option<Lock>> {
        if engine.is_looked_at() {
            return Ok(None);
        }
        self.note_owner(opener.root())?;
        let access = self.access();
        let identity = match (&self.place, Api::identity(&access, &engine.exec)) {
            (Place::Existing(_), identity) => identity?,
            (Place::Kind { .. }, Ok(identity)) => identity,
            (Place::Kind { .. }, Err(_)) => return Ok(None),
        };
        lock::cluster(opener, &engine.exec, &access, &identity).map(Some)
    }

    /// The environment as it is: with the cluster that is there, whatever its version, and its access.
    pub(crate) fn existing(
        &self,
        opener: &dyn Opener,
        engine: &Engine,
    ) -> anyhow::Result<(Self, Survey)> {
        // Another run may have noted meanwhile whose it is.
        let mut environment = self.clone().of_checkout(opener.root())?;
        if let Place::Kind { .. } = environment.place {
            engine.info()?;
        }
        let mut survey = Survey::refreshed(&environment, &engine.exec)?;
        let wanted = environment.cluster();
        if let (Some(wanted), Place::Kind { kubernetes, .. }, [only]) =
            (wanted, &mut environment.place, survey.clusters.as_slice())
            && only.name != wanted
        {
            let version = environment.names.version_of(&only.name);
            version.unwrap_or_default().clone_into(kubernetes);
            survey = Survey::refreshed(&environment, &engine.exec)?;
        }
        Ok((environment, survey))
    }
}
