// SPDX-License-Identifier: Apache-2.0
//! What is ours: what this program may write over, remove or end.
//!
//! Ours is what carries our mark, and nothing else: a folder its marker, a process the variable of its
//! run, a container or a namespace the label of its run or environment. A name, a number or an open file
//! is no mark: somebody else may have the same.

#![expect(
    clippy::disallowed_methods,
    reason = "the one place that opens files: without links, and only ordinary ones"
)]

mod beneath;
pub(crate) mod checkout;
pub(crate) mod file;
pub(crate) mod folder;
mod location;
pub(crate) mod lock;
pub(crate) mod mounts;
pub(crate) mod output;
pub(crate) mod process;
mod removal;
mod run_folder;
mod run_id;
pub(crate) mod source;
mod walk;

pub(crate) use beneath::resolved;
pub(crate) use location::Location;
pub(crate) use lock::LockFile;
pub(crate) use run_folder::{
    Doing, FoundRun, KEPT, Keep, RUNS, Removed, RunFolder, found, is_name as is_run_name,
    names as run_names, prune_below,
};
pub(crate) use run_id::RunId;
