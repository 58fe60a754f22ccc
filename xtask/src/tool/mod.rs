// SPDX-License-Identifier: Apache-2.0
//! The tools that we drive, one file each: arguments out, output parsed. Nothing here starts a process,
//! and nothing here knows of extensions.

pub(crate) mod apt;
pub(crate) mod assertion;
pub(crate) mod builder;
pub(crate) mod buildkit;
pub(crate) mod buildx;
pub(crate) mod chainsaw;
pub(crate) mod cosign;
pub(crate) mod curl;
pub(crate) mod docker;
pub(crate) mod git;
pub(crate) mod hyperfine;
pub(crate) mod imagetools;
pub(crate) mod kind;
pub(crate) mod kubeconfig;
pub(crate) mod kubectl;
pub(crate) mod opener;
pub(crate) mod oras;
pub(crate) mod proxy;
pub(crate) mod reading;
pub(crate) mod scan_report;
pub(crate) mod scanner;
pub(crate) mod table;
pub(crate) mod version;

pub use table::NeededFor;
pub(crate) use table::{missing, require};
