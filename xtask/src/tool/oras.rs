// SPDX-License-Identifier: Apache-2.0
//! `oras`: images, and what refers to them, between registries.

use super::version::Least;

/// The one whose copies and answers are known here.
pub(crate) const LEAST: Least = Least::of(&[1, 3]);
