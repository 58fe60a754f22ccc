// SPDX-License-Identifier: Apache-2.0
//! BuildKit's progress as `--progress rawjson` prints it, one JSON object a line, told apart by target.
//!
//! Facts: `SolveStatus` of moby/buildkit's client, and docker/buildx, which puts the target's name before that of each
//! vertex when it builds several: `[alpha builder 2/3] RUN …`, `[alpha] exporting to image`.

mod status;
pub(crate) mod step;

use std::{collections::BTreeMap, time::SystemTime};

use self::status::{Doing, Log, Status, Vertex};
use crate::{exec::Tail, value::Digest};
use base64::{Engine, prelude::BASE64_STANDARD};

/// What is told of a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A line for people, as plain progress would print it.
    Line(String),
    /// Its image is where it is to go.
    Exported(Exported),
    /// A vertex of it has failed.
    Failed {
        vertex: String,
        /// What it has said itself before that.
        said: Option<String>,
    },
}

/// What an exporter says of an image.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Exported {
    /// None: it tells none.
    pub digest: Option<Digest>,
    /// The configurations of its platforms, sorted.
    pub configurations: Vec<Digest>,
}

/// How the error of a vertex ends that was ended because of another one's.
const CANCELED: &str = "context canceled";

/// The progress of one call of bake.
#[derive(Debug)]
pub(crate) struct Progress {
    targets: Vec<Progressing>,
    /// The log of each group of targets: its vertices by their digests.
    logs: Vec<BTreeMap<String, Logged>>,
}

/// A vertex in a log.
#[derive(Debug)]
struct Logged {
    number: usize,
    /// The place of the target by which it is told, once, however many of the log's are built from it.
    teller: usize,
}

/// One target.
#[derive(Debug)]
struct Progressing {
    name: String,
    /// Which log its lines are for.
    log: usize,
    /// There are no others in it.
    is_alone: bool,
    /// By their digests. Those of several targets may be one.
    vertices: BTreeMap<String, Seen>,
}

/// A vertex of a target.
#[derive(Debug)]
struct Seen {
    number: usize,
    /// Without the target's.
    name: String,
    /// The name in the log.
    title: String,
    started: Option<SystemTime>,
    ended: bool,
    /// Its output, as far as no line is complete.
    begun: String,
    exported: Exported,
    /// What it has said that it did.
    done: Vec<String>,
    /// Its own output.
    said: Tail,
}

impl Progress {
    /// `groups`: all that the call builds, by bake's names; the lines of a group are for one log.
    pub(crate) fn of(groups: impl IntoIterator<Item = Vec<String>>) -> Self {
        let (mut targets, mut logs) = (Vec::new(), Vec::new());
        for group in groups {
            let (log, is_alone) = (logs.len(), group.len() == 1);
            logs.push(BTreeMap::new());
            targets.extend(group.into_iter().map(|name| Progressing {
                name,
                log,
                is_alone,
                vertices: BTreeMap::new(),
            }));
        }
        Self { targets, logs }
    }

    /// Takes a line, and tells what it says of the targets, which are told by their places, one group after the other.
    /// False: it is not of the progress.
    pub(crate) fn read(&mut self, line: &str, tell: &mut dyn FnMut(usize, Told)) -> bool {
        if !line.starts_with('{') {
            return false;
        }
        let Ok(status) = serde_json::from_str::<Status>(line) else {
            return false;
        };
        let alone = self.targets.len() == 1;
        for (place, target) in self.targets.iter_mut().enumerate() {
            let logged = &mut self.logs[target.log];
            let mut of_it: Vec<(&Vertex, String)> = Vec::new();
            for vertex in &status.vertexes {
                if let Some(name) = target.of_it(&vertex.name, alone) {
                    let number = logged.len() + 1;
                    let teller = place;
                    let new = Logged { number, teller };
                    logged.entry(vertex.digest.clone()).or_insert(new);
                    of_it.push((vertex, name));
                }
            }
            let mut told = |digest: &str, one: Told| {
                let is_told = logged
                    .get(digest)
                    .is_some_and(|known| known.teller != place);
                if !(is_told && matches!(one, Told::Line(_))) {
                    tell(place, one);
                }
            };
            for (vertex, name) in of_it {
                let digest = &vertex.digest;
                let number = logged.get(digest).map_or(0, |known| known.number);
                target.vertex(vertex, &name, number, &mut |one| told(digest, one));
            }
            for doing in &status.statuses {
                target.doing(doing, &mut |one| told(&doing.vertex, one));
            }
            for log in &status.logs {
                target.log(log, &mut |one| told(&log.vertex, one));
            }
            // What was exported is said with the vertices, or after them.
            target.exported(&status, &mut |one| tell(place, one));
        }
        true
    }
}

impl Progressing {
    /// The vertex's own name, if it is of this target. `alone`: there is no other target, and names have no prefix.
    fn of_it(&self, name: &str, alone: bool) -> Option<String> {
        let own = || {
            let rest = name.strip_prefix('[')?.strip_prefix(self.name.as_str())?;
            match rest.strip_prefix(' ') {
                Some(rest) => Some(format!("[{rest}")),
                None => Some(rest.strip_prefix("] ")?.to_owned()),
            }
        };
        own().or_else(|| alone.then(|| name.to_owned()))
    }

    fn vertex(&mut self, vertex: &Vertex, name: &str, number: usize, tell: &mut dyn FnMut(Told)) {
        let title = if self.is_alone { name } else { &vertex.name };
        let in_one_line = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let seen = self.vertices.entry(vertex.digest.clone()).or_insert(Seen {
            number,
            name: in_one_line(name),
            title: in_one_line(title),
            started: None,
            ended: false,
            begun: String::new(),
            exported: Exported::default(),
            done: Vec::new(),
            said: Tail::default(),
        });
        if let (None, Some(started)) = (seen.started, &vertex.started) {
            seen.started = time(started);
            tell(Told::Line(format!("#{number} {}", seen.title)));
        }
        let Some(completed) = vertex.completed.as_deref().filter(|_| !seen.ended) else {
            return;
        };
        seen.ended = true;
        if !seen.begun.is_empty() {
            let line = std::mem::take(&mut seen.begun);
            seen.said.push(&line);
            tell(Told::Line(format!("#{number} {line}")));
        }
        let took = time(completed).zip(seen.started);
        let took = took.and_then(|(end, start)| end.duration_since(start).ok());
        tell(Told::Line(match (vertex.error.as_str(), vertex.cached) {
            ("", true) => format!("#{number} CACHED"),
            ("", false) => format!(
                "#{number} DONE {:.1}s",
                took.unwrap_or_default().as_secs_f64()
            ),
            (error, _) => format!("#{number} ERROR: {error}"),
        }));
        if !vertex.error.is_empty() && !vertex.error.ends_with(CANCELED) {
            tell(Told::Failed {
                vertex: seen.title.clone(),
                said: seen.said.cause().map(str::to_owned),
            });
        }
    }

    fn doing(&mut self, doing: &Doing, tell: &mut dyn FnMut(Told)) {
        let Some(seen) = self.vertices.get_mut(&doing.vertex) else {
            return;
        };
        if doing.completed.is_none() || seen.done.contains(&doing.id) {
            return;
        }
        let digest = |what: &str| doing.id.strip_prefix(what)?.parse().ok();
        // An index is told after the manifests in it.
        if let Some(digest) =
            digest("exporting manifest list ").or_else(|| digest("exporting manifest "))
        {
            seen.exported.digest = Some(digest);
        }
        if let Some(digest) = digest("exporting config ") {
            let all = &mut seen.exported.configurations;
            let at = all.partition_point(|known| *known < digest);
            all.insert(at, digest);
        }
        tell(Told::Line(format!("#{} {} done", seen.number, doing.id)));
        seen.done.push(doing.id.clone());
    }

    fn log(&mut self, log: &Log, tell: &mut dyn FnMut(Told)) {
        let Some(seen) = self.vertices.get_mut(&log.vertex) else {
            return;
        };
        let bytes = BASE64_STANDARD.decode(&log.data).unwrap_or_default();
        let at = log.timestamp.as_deref().and_then(time);
        let at = at.zip(seen.started);
        let at = at.and_then(|(at, start)| at.duration_since(start).ok());
        let at = at.unwrap_or_default().as_secs_f64();
        let text = std::mem::take(&mut seen.begun) + &String::from_utf8_lossy(&bytes);
        for line in text.split_inclusive('\n') {
            match line.strip_suffix('\n') {
                Some(line) => {
                    seen.said.push(line);
                    tell(Told::Line(format!("#{} {at:.1} {line}", seen.number)));
                }
                None => line.clone_into(&mut seen.begun),
            }
        }
    }

    /// Tells of an image that is where it is to go: pushing is a part of exporting.
    fn exported(&self, status: &Status, tell: &mut dyn FnMut(Told)) {
        for vertex in &status.vertexes {
            let seen = self.vertices.get(&vertex.digest);
            let Some(seen) = seen.filter(|seen| seen.name.starts_with("exporting to image")) else {
                continue;
            };
            if vertex.completed.is_some() && vertex.error.is_empty() {
                tell(Told::Exported(seen.exported.clone()));
            }
        }
    }
}

/// A time of BuildKit's: RFC 3339.
fn time(text: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(text).ok()
}

/// The target whose failure has ended bake, by the line that it prints last: `ERROR: target alpha: failed to solve: …`.
pub(crate) fn failed_target(line: &str) -> Option<&str> {
    let (target, _) = line.strip_prefix("ERROR: target ")?.split_once(": ")?;
    Some(target)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(targets: &[&str], lines: &[String]) -> Vec<(usize, Told)> {
        in_logs(
            &targets.iter().map(std::slice::from_ref).collect::<Vec<_>>(),
            lines,
        )
    }

    fn in_logs(groups: &[&[&str]], lines: &[String]) -> Vec<(usize, Told)> {
        let names = |group: &&[&str]| group.iter().map(|name| (*name).to_owned()).collect();
        let mut progress = Progress::of(groups.iter().map(names));
        let mut told = Vec::new();
        for line in lines {
            assert!(progress.read(line, &mut |place, one| told.push((place, one))));
        }
        told
    }

    #[test]
    fn a_vertex_is_told_of_every_target_that_it_is_of() {
        let digest = format!("sha256:{}", "ab".repeat(32));
        let data = BASE64_STANDARD.encode("Get:1 x\nhalf");
        let lines = [
            r#"{"vertexes":[{"digest":"v1","name":"[a archive 2/2] RUN  x","started":"2026-11-26T07:54:57Z"},{"digest":"v1","name":"[b archive 2/2] RUN  x","started":"2026-11-26T07:54:57Z"}]}"#.to_owned(),
            format!(r#"{{"logs":[{{"vertex":"v1","stream":1,"data":"{data}","timestamp":"2026-11-26T07:54:57.5Z"}}]}}"#),
            r#"{"vertexes":[{"digest":"v2","name":"[a] exporting to image","started":"2026-11-26T07:54:58Z"}]}"#.to_owned(),
            format!(r#"{{"statuses":[{{"id":"exporting config {digest}","vertex":"v2","completed":"2026-11-26T07:54:58Z"}}]}}"#),
            format!(r#"{{"statuses":[{{"id":"exporting manifest list {digest}","vertex":"v2","completed":"2026-11-26T07:54:58Z"}}]}}"#),
            r#"{"vertexes":[{"digest":"v2","name":"[a] exporting to image","started":"2026-11-26T07:54:58Z","completed":"2026-11-26T07:54:59Z"}]}"#.to_owned(),
        ];
        let line = |text: &str| Told::Line(text.to_owned());
        assert_eq!(
            told(&["a", "b"], &lines),
            [
                (0, line("#1 [archive 2/2] RUN x")),
                (1, line("#1 [archive 2/2] RUN x")),
                (0, line("#1 0.5 Get:1 x")),
                (1, line("#1 0.5 Get:1 x")),
                (0, line("#2 exporting to image")),
                (0, line(&format!("#2 exporting config {digest} done"))),
                (
                    0,
                    line(&format!("#2 exporting manifest list {digest} done"))
                ),
                (0, line("#2 DONE 1.0s")),
                (
                    0,
                    Told::Exported(Exported {
                        digest: Some(digest.parse().unwrap()),
                        configurations: vec![digest.parse().unwrap()],
                    })
                ),
            ]
        );
    }

    #[test]
    fn in_one_log_targets_have_their_names_and_what_they_share_is_told_once() {
        let data = BASE64_STANDARD.encode("twice\ntwice\n");
        let lines = [
            r#"{"vertexes":[{"digest":"v1","name":"[a archive 2/2] RUN x","started":"2026-11-26T07:54:57Z"},{"digest":"v1","name":"[b archive 2/2] RUN x","started":"2026-11-26T07:54:57Z"}]}"#.to_owned(),
            r#"{"vertexes":[{"digest":"v2","name":"[b builder 1/1] RUN y","started":"2026-11-26T07:54:57Z"}]}"#.to_owned(),
            format!(r#"{{"logs":[{{"vertex":"v1","stream":1,"data":"{data}"}},{{"vertex":"v2","stream":1,"data":"{data}"}}]}}"#),
            r#"{"vertexes":[{"digest":"v1","name":"[a archive 2/2] RUN x","started":"2026-11-26T07:54:57Z","completed":"2026-11-26T07:54:58Z","error":"no"},{"digest":"v1","name":"[b archive 2/2] RUN x","started":"2026-11-26T07:54:57Z","completed":"2026-11-26T07:54:58Z","error":"no"}]}"#.to_owned(),
        ];
        let line = |text: &str| Told::Line(text.to_owned());
        let failed = |of: &str| Told::Failed {
            vertex: format!("[{of} archive 2/2] RUN x"),
            said: Some("twice".to_owned()),
        };
        assert_eq!(
            in_logs(&[&["a", "b"]], &lines),
            [
                (0, line("#1 [a archive 2/2] RUN x")),
                (1, line("#2 [b builder 1/1] RUN y")),
                (0, line("#1 0.0 twice")),
                (0, line("#1 0.0 twice")),
                (1, line("#2 0.0 twice")),
                (1, line("#2 0.0 twice")),
                (0, line("#1 ERROR: no")),
                (0, failed("a")),
                (1, failed("b")),
            ]
        );
    }

    #[test]
    fn alone_a_target_has_no_prefix_and_a_name_is_no_prefix_of_another() {
        let one = [r#"{"vertexes":[{"digest":"v","name":"[builder 1/2] FROM x","started":"2026-11-26T07:54:57Z"}]}"#.to_owned()];
        assert_eq!(told(&["a"], &one).len(), 1);
        assert!(told(&["a", "b"], &one).is_empty());
        let other = [r#"{"vertexes":[{"digest":"v","name":"[a-b builder 1/2] FROM x","started":"2026-11-26T07:54:57Z"}]}"#.to_owned()];
        assert!(told(&["a", "c"], &other).is_empty());
    }

    #[test]
    fn what_is_no_progress_is_said_so_and_the_failed_target_is_named() {
        let mut progress = Progress::of([vec!["a".to_owned()]]);
        for line in ["Dockerfile:35", "ERROR: x", "{ half", "{\"vertexes\": 1}"] {
            assert!(!progress.read(line, &mut |_, _| {}), "{line}");
        }
        let line = "ERROR: target a-1_2-18-trixie: failed to solve: process";
        assert_eq!(failed_target(line), Some("a-1_2-18-trixie"));
        assert_eq!(failed_target("ERROR: failed to solve: x"), None);
    }
}
