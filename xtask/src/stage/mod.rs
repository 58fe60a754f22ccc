// SPDX-License-Identifier: Apache-2.0
//! What commands have in common: each file adds the steps of one stage to a plan, or is the work of one.

pub(crate) mod values;
