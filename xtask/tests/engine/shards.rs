// SPDX-License-Identifier: Apache-2.0
//! Shares for several machines: each a checkout that has built nothing yet.

use std::collections::BTreeSet;

use crate::support::repository::Repository;

/// The image of each row, all of which have passed.
fn images(repository: &Repository, args: &[&str]) -> Vec<String> {
    let answer = repository.xtask(args).success().json();
    let rows = answer.as_array().unwrap().iter();
    rows.map(|row| {
        assert_eq!(row["result"], "passed", "{row:#}");
        // Smoke names what it has tested by digest too.
        let image = row["image"].as_str().unwrap();
        image.split('@').next().unwrap().to_owned()
    })
    .collect()
}

#[test]
fn three_machines_have_tested_all_together_and_nothing_twice() {
    let mut together = Vec::new();
    for share in ["1/3", "2/3", "3/3"] {
        let machine = Repository::new();
        together.extend(images(
            &machine,
            &["smoke", "--all", "--json", "--shard", share],
        ));
        machine.has_no_containers();
    }
    let whole = images(&Repository::new(), &["bake", "--all", "--json"]);
    assert_eq!(together.len(), whole.len());
    let set = |images: Vec<String>| images.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(together), set(whole));
}
