// SPDX-License-Identifier: Apache-2.0
//! Shares for several machines: each a checkout that has built nothing yet.

use std::collections::BTreeSet;

use crate::support::repository::Repository;

/// Image and result of each row.
fn rows(repository: &Repository, args: &[&str]) -> Vec<(String, String)> {
    let answer = repository.xtask(args).success().json();
    let rows = answer.as_array().unwrap().iter();
    let text = |row: &serde_json::Value, key: &str| row[key].as_str().unwrap().to_owned();
    rows.map(|row| (text(row, "image"), text(row, "result")))
        .collect()
}

#[test]
fn three_machines_have_tested_all_together_and_nothing_twice() {
    let whole = rows(&Repository::new(), &["bake", "--all", "--json"]);
    let mut together: Vec<(String, String)> = Vec::new();
    for share in ["1/3", "2/3", "3/3"] {
        let machine = Repository::new();
        let baked = rows(&machine, &["bake", "--all", "--json", "--shard", share]);
        let tested = machine
            .xtask(&["smoke", "--all", "--json", "--shard", share])
            .success()
            .json();
        assert_eq!(tested.as_array().unwrap().len(), baked.len(), "{share}");
        together.extend(baked);
        machine.has_no_containers();
    }
    assert_eq!(together.len(), whole.len());
    let set = |rows: Vec<(String, String)>| rows.into_iter().collect::<BTreeSet<_>>();
    assert_eq!(set(together), set(whole));
}
