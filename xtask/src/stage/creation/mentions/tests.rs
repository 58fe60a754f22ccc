// SPDX-License-Identifier: Apache-2.0
use super::*;
use crate::stage::creation::Request;

fn draft(name: &str) -> Draft {
    let request = Request {
        name: name.parse().unwrap(),
        package: "postgresql-{pg}-maps".parse().unwrap(),
        is_named: false,
        servers: Vec::new(),
        no_create: false,
    };
    Draft {
        homepage: Some("https://maps.example".to_owned()),
        summary: Some("maps".to_owned()),
        ..Draft::of(&request)
    }
}

fn text(mention: Option<Mention>) -> String {
    match mention {
        Some(Mention::Written { text, .. }) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn owners_of_all_own_the_new_directory() {
    let draft = draft("maps");
    let owned = owners("* @all\n/a/ @all @me\n", &draft, "maps");
    assert_eq!(text(owned), "* @all\n/a/ @all @me\n/maps/ @all\n");
    assert_eq!(owners("# x\n* @all\n", &draft, "maps"), None);
    for left in ["/a/ @me\n", "# do not hand-edit\n* @all\n/a/ @me\n"] {
        let mention = owners(left, &draft, "maps");
        assert!(matches!(mention, Some(Mention::Left(_))), "{mention:?}");
    }
}

#[test]
fn a_point_of_distribution_is_like_the_last_one() {
    let before = "release:\n  distribution-points:\n    - uri: https://x.example/pkgs/container/a\n      comment: GitHub packages for the a extension image\n\n  changelog: y\n";
    let after = before.replace(
        "image\n",
        "image\n    - uri: https://x.example/pkgs/container/maps\n      comment: GitHub packages for the maps extension image\n",
    );
    assert_eq!(text(distribution(before, &draft("maps"), "maps")), after);
    assert_eq!(distribution(&after, &draft("maps"), "maps"), None);
    assert_eq!(
        distribution("release: none\n", &draft("maps"), "maps"),
        None
    );
}

#[test]
fn a_row_stands_where_the_alphabet_puts_it_and_has_a_cell_for_each_heading() {
    let before = "# X\n\n| Extension | Description | Project URL | Maintained by |\n| :--- | :--- | :--- | :--- |\n| **[A](a)** | first | u | m |\n| **[Z](z)** | last | u | m |\n\n[z](z)\n";
    let after = before.replace(
        "| **[Z]",
        "| **[maps](maps)** | maps | <https://maps.example> | TODO |\n| **[Z]",
    );
    assert_eq!(text(table(before, &draft("maps"), "maps")), after);
    assert_eq!(table(&after, &draft("maps"), "maps"), None);
    assert_eq!(table("no table\n", &draft("maps"), "maps"), None);
}
