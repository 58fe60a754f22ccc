// SPDX-License-Identifier: Apache-2.0
//! `e2e cleanup`: removes what the other commands of `e2e` have made.

use crate::{
    cli::e2e::Cleanup,
    context::{Context, choice},
    environment::{Place, in_use::InUse},
    sandbox::State,
    stage::environment::{cleanup, remove},
};

pub(super) fn run(args: &Cleanup, context: &mut Context) -> anyhow::Result<()> {
    let place = choice::named_place(context, &args.cluster)?;
    if context.global.sandbox && !matches!(context.sandbox()?.state(), State::Running(_)) {
        context
            .ui
            .note("the sandbox does not run; it is started to see what is in it");
    }
    let environment = choice::environment(context, place, choice::release(context, None)?)?;
    let access = environment.engine_access().or_look(args.dry_run);
    let in_use = InUse::open(context, &environment, access)?;
    if in_use.engine.is_looked_at() {
        let plan = cleanup(&in_use.engine, &environment)?;
        context.print(&in_use.engine, &plan);
        return Ok(());
    }
    if let Place::Kind { .. } = environment.place {
        in_use.engine.info()?;
    }
    remove(context, &in_use.engine, &environment)
}
