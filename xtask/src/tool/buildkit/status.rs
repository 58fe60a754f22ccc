// SPDX-License-Identifier: Apache-2.0
//! A line of BuildKit's progress, as `--progress rawjson` prints it. Fact: `SolveStatus` of moby/buildkit's client.

use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Status {
    #[serde(default)]
    pub vertexes: Vec<Vertex>,
    #[serde(default)]
    pub statuses: Vec<Doing>,
    #[serde(default)]
    pub logs: Vec<Log>,
}

#[derive(Deserialize)]
pub(super) struct Vertex {
    pub digest: String,
    #[serde(default)]
    pub name: String,
    pub started: Option<String>,
    pub completed: Option<String>,
    #[serde(default)]
    pub cached: bool,
    #[serde(default)]
    pub error: String,
}

/// Something that a vertex does.
#[derive(Deserialize)]
pub(super) struct Doing {
    pub id: String,
    pub vertex: String,
    pub completed: Option<String>,
}

#[derive(Deserialize)]
pub(super) struct Log {
    pub vertex: String,
    /// Base64.
    pub data: String,
    pub timestamp: Option<String>,
}
