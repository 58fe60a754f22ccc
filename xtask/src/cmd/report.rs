// SPDX-License-Identifier: Apache-2.0
//! `report`: a run on one page, made again from its record, and shown where that is wanted.

use std::{path::Path, time::Duration};

use crate::{cli, context::Context, exec::Exec, failure::Failure, run::kept, tool::opener};

/// How long a desktop may take to find its browser: it hands the page over and ends.
const PATIENCE: Duration = Duration::from_secs(20);

pub(super) fn run(args: &cli::Report, context: &mut Context) -> anyhow::Result<()> {
    let kept = kept::find(&context.root, &args.run)?;
    let page = context.write_report(kept)?;
    // A path that works where the user stands.
    let shown = if context.here == context.root {
        page.clone()
    } else {
        context.root.join(&page)
    };
    context.ui.data(&format!("{}\n", shown.display()));
    if args.open {
        open(&page, context)?;
    }
    Ok(())
}

fn open(page: &Path, context: &Context) -> Result<(), Failure> {
    // From the root of the file system on, it is no option.
    let page = context.root.join(page);
    let open = opener::open_cmd(&page);
    if context.exec.finds(&open.program).is_none() {
        let program = open.program.display();
        let missing =
            format!("`{program}`, which opens files on a desktop, is not installed or not on PATH");
        return Err(Failure::unavailable(missing).hint("open the file by hand: its path is above"));
    }
    context.exec.read(&open, Some(PATIENCE))?;
    Ok(())
}
