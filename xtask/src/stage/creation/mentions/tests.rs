// SPDX-License-Identifier: Apache-2.0
use super::*;
use crate::stage::creation::{MadeOf, Request};

fn draft(name: &str) -> Draft {
    let request = Request {
        name: name.parse().unwrap(),
        made_of: MadeOf::Package {
            name: "postgresql-{pg}-maps".parse().unwrap(),
            is_named: false,
        },
        servers: Vec::new(),
        no_create: false,
    };
    Draft {
        homepage: Some("https://maps.example".to_owned()),
        summary: Some("maps".to_owned()),
        ..Draft::of(&request)
    }
}

const HERE: Place<'_> = Place {
    folder: "maps",
    extensions: &["a", "z"],
};

fn text(mention: Option<Mention>) -> String {
    match mention {
        Some(Mention::Written { text, .. }) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn owners_of_all_own_the_new_directory() {
    let draft = draft("maps");
    let owned = owners("* @all\n/a/ @all @me\n", &draft, &HERE);
    assert_eq!(text(owned), "* @all\n/a/ @all @me\n/maps/ @all\n");
    assert_eq!(owners("# x\n* @all\n", &draft, &HERE), None);
    for left in ["/a/ @me\n", "# do not hand-edit\n* @all\n/a/ @me\n"] {
        let mention = owners(left, &draft, &HERE);
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
    assert_eq!(text(distribution(before, &draft("maps"), &HERE)), after);
    assert_eq!(distribution(&after, &draft("maps"), &HERE), None);
    assert_eq!(distribution("release: none\n", &draft("maps"), &HERE), None);
}

#[test]
fn a_row_stands_where_the_alphabet_puts_it_and_has_a_cell_for_each_heading() {
    let before = "# X\n\n| Extension | Description | Project URL | Maintained by |\n| :--- | :--- | :--- | :--- |\n| **[A](a)** | first | u | m |\n| **[Z](z)** | last | u | m |\n\n[z](z)\n";
    let after = before.replace(
        "| **[Z]",
        "| **[maps](maps)** | maps | <https://maps.example> | TODO |\n| **[Z]",
    );
    assert_eq!(text(table(before, &draft("maps"), &HERE)), after);
    assert_eq!(table(&after, &draft("maps"), &HERE), None);
    assert_eq!(table("no table\n", &draft("maps"), &HERE), None);
}

#[test]
fn every_other_byte_stays_as_it_is() {
    let draft = draft("maps");
    let dos = owners("# x\r\n* @all\r\n/a/ @me\r\n\r\n", &draft, &HERE);
    let owned = "# x\r\n* @all\r\n/a/ @me\r\n/maps/ @all\r\n\r\n";
    assert_eq!(text(dos), owned);
    // A line of another kind is its author's.
    let mixed = "\n| X |\r\n|---|\r\n| [a](a) |\r\n| [z](z) |\nend";
    let expected = "\n| X |\r\n|---|\r\n| [a](a) |\r\n| [maps](maps) |\r\n| [z](z) |\nend";
    assert_eq!(text(table(mixed, &draft, &HERE)), expected);
    let points = "distribution-points:\r\n  - uri: https://x.example/a";
    let added = format!("{points}\r\n  - uri: https://x.example/maps\r\n");
    assert_eq!(text(distribution(points, &draft, &HERE)), added);
}

#[test]
fn points_of_distribution_of_another_form_are_left_to_a_person() {
    for value in [
        "\"https://x.example/a\"",
        "'https://x.example/a'",
        "https://x.example/a # ours",
        "&a https://x.example/a",
        "x.example/a",
        "https://x.example/a\n    comment: c\n    more: d",
    ] {
        let before = format!("distribution-points:\n  - uri: {value}\n");
        let mention = distribution(&before, &draft("maps"), &HERE);
        assert!(
            matches!(mention, Some(Mention::Left(_))),
            "{value}: {mention:?}"
        );
    }
    let there = "distribution-points:\n  - uri: \"https://x.example/maps\" # ours\n  - uri: https://x.example/a\n";
    assert_eq!(distribution(there, &draft("maps"), &HERE), None);
}

#[test]
fn only_the_table_of_the_extensions_gets_a_row() {
    let here = Place {
        folder: "extensions/maps",
        extensions: &["ext", "zeta"],
    };
    let foreign = "| doc | x |\n|---|---|\n| [how](extensions/README.md) | [ext](extensions/ext) |\n\n```\n| X |\n|---|\n| [ext](extensions/ext) |\n```\n";
    assert_eq!(table(foreign, &draft("maps"), &here), None);
    let own = "\n| X |\n|---|\n| [`ext`](./extensions/ext/README.md#use) |\n| [zeta](extensions/zeta) |\n";
    let before = format!("{foreign}{own}\n| Y |\n|---|\n| [zeta](extensions/zeta) |\n");
    let row = "| [`maps`](./extensions/maps/README.md#use) |\n";
    let after = before.replace(
        "| [zeta](extensions/zeta) |\n\n| Y",
        &format!("{row}| [zeta](extensions/zeta) |\n\n| Y"),
    );
    assert_eq!(text(table(&before, &draft("maps"), &here)), after);
}
