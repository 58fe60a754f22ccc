// SPDX-License-Identifier: Apache-2.0
//! What several lanes share; none uses all of it.

pub(crate) mod ended;
pub(crate) mod forward;
pub(crate) mod hangup;
pub(crate) mod locks;
pub(crate) mod referrers;
pub(crate) mod repository;
