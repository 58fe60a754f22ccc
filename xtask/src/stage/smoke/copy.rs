// SPDX-License-Identifier: Apache-2.0
//! The same test with an engine that cannot mount images: their files are copied, by way of a folder of the run, as
//! `docker cp` does not copy from one container to another.

use super::{
    Runner, SmokeTest,
    container::{Container, input, purpose},
    step_name,
};
use crate::{
    image::{Image, Opened},
    plan::{Action, Cmd, Location, Plan, Step, StepId, Undo},
};

/// Adds the steps of a test; gives the one that decides.
pub(super) fn add(plan: &mut Plan, test: &SmokeTest, runner: &Runner) -> StepId {
    let container = Container::of(test, runner);
    let create = container.cmd("create", test, |cmd| cmd);
    let title = format!("create {}", container.name);
    let mut create = Step::run(&title, create)
        .after(test.after.iter().copied())
        .undo(container.remove())
        .quiet();
    if let Some(kept) = &test.kept {
        let alone = container.cmd("create", &test.without_kept(), |cmd| cmd);
        create = create.again(kept.again(Step::run(format!("{title} again"), alone)));
    }
    let mut last = plan.add(create);
    for one in test.mounts.iter() {
        last = copy(
            plan,
            &one.extension.name,
            &one.source.image,
            &container,
            last,
        );
    }
    let start = Cmd::new("docker", purpose(test))
        .args(["start", "--attach", "--interactive", "--", &container.name])
        .stdin(input(test));
    let step = Step::run(step_name(&test.name), start)
        .after([last])
        .timeout(runner.limit);
    plan.add(step.speaks().proof("smoke"))
}

/// Copies an image's files to where they are mounted otherwise, in a container that is not started yet.
fn copy(
    plan: &mut Plan,
    name: &str,
    image: &Image,
    container: &Container,
    after: StepId,
) -> StepId {
    let source = format!("{}-{name}", container.name);
    let folder = format!("target/xtask/smoke/{source}");
    let opened = Opened {
        name: &source,
        label: &container.label,
        of: &format!("image of `{name}`"),
    };
    let place = Location::output(format!("{folder}/extensions"));
    let place = Step::new(format!("folder {source}"), Action::Folder(place))
        .undo(Undo::RemoveFolder(Location::output(&folder)));
    let cp = |from: String, to: String| {
        Cmd::new("docker", format!("copy the files of `{name}`"))
            .args(["cp", "--quiet", "--", &from, &to])
    };
    let take = cp(format!("{source}:/"), format!("{folder}/extensions/{name}"));
    let put = cp(
        format!("{folder}/extensions"),
        format!("{}:/", container.name),
    );
    let steps = [
        opened.open(format!("open {source}"), image),
        place,
        Step::run(format!("take {source}"), take),
        Step::run(format!("put {source}"), put),
        opened.close(format!("close {source}")),
        Step::new(
            format!("clear {source}"),
            Action::RemoveFolder(Location::output(folder)),
        ),
    ];
    let mut last = after;
    for step in steps {
        last = plan.add(step.after([last]).quiet());
    }
    last
}
