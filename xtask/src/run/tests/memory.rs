// SPDX-License-Identifier: Apache-2.0
//! Steps that are remembered: run once, shown again, and never when they have failed.

use std::sync::Arc;

use super::*;
use crate::{
    own::RunId,
    plan::{Memory, Shown},
};

/// Remembers in memory; what it depends on is the same all the time.
#[derive(Clone, Debug, Default)]
struct Book(Arc<Mutex<Option<Shown>>>);

impl Memory for Book {
    fn recall(&self) -> Option<Shown> {
        self.0.lock().unwrap().clone()
    }

    fn keep(&self, last_line: Option<&str>, found: Option<&str>) -> anyhow::Result<()> {
        let shown = Shown::now(last_line, found, &RunId::draw()?);
        *self.0.lock().unwrap() = Some(shown);
        Ok(())
    }
}

#[test]
fn what_has_ended_well_is_shown_again_and_what_comes_after_it_runs() {
    let book = Book::default();
    let mut plan = Plan::default();
    let tested = plan.add(step("a").remembered_by(book.clone()));
    plan.add(step("b").after([tested]));
    let fake = Fake::default();
    assert!(matches!(
        walk(&plan, &fake).step(tested).outcome,
        Outcome::Done(_)
    ));
    book.0.lock().unwrap().as_mut().unwrap().last_line = Some("seen".into());
    let again = walk(&plan, &fake);
    let again = again.step(tested);
    assert!(
        matches!(&again.outcome, Outcome::Unchanged(Some(why)) if why.contains("it has passed in run "))
    );
    assert_eq!(again.last_line.as_deref(), Some("seen"));
    assert_eq!(fake.asked(), ["a", "b", "b"]);
}

#[test]
fn what_has_failed_is_not_remembered() {
    let book = Book::default();
    let mut plan = Plan::default();
    plan.add(step("a").remembered_by(book.clone()));
    let fake = Fake {
        failing: vec!["a"],
        ..Fake::default()
    };
    walk(&plan, &fake);
    assert_eq!(book.recall(), None);
}
