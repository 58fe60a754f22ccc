// SPDX-License-Identifier: Apache-2.0
//! Dependencies come first, over random graphs of them, circles included.

use proptest::{collection::vec, prelude::*, sample::Index};

use super::*;
use crate::fuzzing::tests::{extension, runner};

/// For each extension the others that it needs, itself not excluded.
pub(crate) fn graphs() -> impl Strategy<Value = Vec<Vec<Index>>> {
    vec(vec(any::<Index>(), 0..4), 1..9)
}

/// One extension for each list, which needs those that the list names; circles are possible.
pub(crate) fn workspace(graph: &[Vec<Index>]) -> Workspace {
    let name = |at: usize| format!("x{at}");
    let extensions: Vec<Arc<Extension>> = graph
        .iter()
        .enumerate()
        .map(|(at, needs)| {
            let mut needs: Vec<String> = needs
                .iter()
                .map(|index| name(index.index(graph.len())))
                .collect();
            needs.sort();
            needs.dedup();
            Arc::new(extension(&name(at), &needs, &[("trixie", "18")]))
        })
        .collect();
    let mut workspace = Workspace {
        root: PathBuf::from("/repository"),
        bake_file: PathBuf::from("docker/bake.hcl"),
        extensions_folder: PathBuf::new(),
        names: extensions
            .iter()
            .map(|extension| extension.name.clone())
            .collect(),
        extensions,
        external: BTreeMap::new(),
        misnamed: std::collections::BTreeSet::new(),
        open: Vec::new(),
        findings: Vec::new(),
        between: Vec::new(),
        refused: Vec::new(),
    };
    workspace.put_together();
    workspace
}

/// All that can be reached from `start`, by way of one edge at least.
fn reached<'a>(workspace: &'a Workspace, start: &'a Extension) -> BTreeSet<&'a str> {
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    let mut pending = vec![start];
    while let Some(extension) = pending.pop() {
        for name in &extension.required_extensions {
            if reached.insert(name) {
                pending.extend(workspace.get(name).map(|found| &**found));
            }
        }
    }
    reached
}

fn check(graph: &[Vec<Index>]) {
    let workspace = workspace(graph);
    assert_eq!(workspace.extensions().len(), graph.len());
    let circular: BTreeSet<&str> = workspace
        .extensions()
        .iter()
        .filter(|extension| reached(&workspace, extension).contains(&*extension.name))
        .map(|extension| &*extension.name)
        .collect();
    let said: BTreeSet<String> = workspace
        .findings()
        .filter(|finding| finding.message.contains("form a cycle"))
        .map(|finding| finding.message.clone())
        .collect();
    assert_eq!(said.is_empty(), circular.is_empty(), "{said:?}");
    for extension in workspace.extensions() {
        let needed = reached(&workspace, extension);
        let dependencies = workspace.dependencies(extension);
        let found: BTreeSet<&str> = dependencies.iter().map(|other| &*other.name).collect();
        assert_eq!(found.len(), dependencies.len(), "one is there twice");
        let others = needed
            .iter()
            .copied()
            .filter(|name| *name != &*extension.name);
        assert_eq!(found, others.collect());
        // Where nothing that it needs is in a cycle, all of that stands before it.
        if circular.is_empty() {
            for name in needed {
                let before = workspace
                    .get(name)
                    .and_then(|other| workspace.position(other));
                assert!(before < workspace.position(extension), "{name}");
            }
        }
    }
    // An image is built without what it needs in a server.
    assert!(workspace.select(&Selection::All, Aim::Images).is_ok());
    let all = workspace.select(&Selection::All, Aim::Servers);
    assert_eq!(all.is_ok(), circular.is_empty());
}

#[test]
fn dependencies_come_first_in_any_graph_and_circles_are_said() {
    let ended = runner(400).run(&graphs(), |graph| {
        check(&graph);
        Ok(())
    });
    assert!(ended.is_ok(), "{}", ended.unwrap_err());
}
