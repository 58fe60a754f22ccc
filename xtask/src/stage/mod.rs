// SPDX-License-Identifier: Apache-2.0
//! What commands have in common: each file adds the steps of one stage to a plan, or is the work of one.

pub(crate) mod archive;
pub(crate) mod bake;
pub(crate) mod begin;
pub(crate) mod catalog;
pub(crate) mod creation;
pub(crate) mod described;
pub(crate) mod environment;
pub(crate) mod licences;
pub(crate) mod look;
pub(crate) mod newest;
pub(crate) mod offered;
pub(crate) mod package;
pub(crate) mod promotion;
pub(crate) mod proofs;
pub(crate) mod pushed;
pub(crate) mod resources;
pub(crate) mod results;
pub(crate) mod scan;
pub(crate) mod signature;
pub(crate) mod signed_file;
pub(crate) mod smoke;
pub(crate) mod subject;
pub(crate) mod suites;
pub(crate) mod tested;
pub(crate) mod values;
