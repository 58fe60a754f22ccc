// SPDX-License-Identifier: Apache-2.0

use super::*;

const THEIRS: &str = r#"# Made by others.
apiVersion: postgresql.cnpg.io/v1
kind: ClusterImageCatalog
metadata:
  name: postgresql-minimal-trixie
  labels:
    images.cnpg.io/os: "trixie"
    images.cnpg.io/type: minimal
    images.cnpg.io/date: "20261101"
spec:
  # One of each major.
  images:
    - major: 17
      image: ghcr.io/x/postgresql:17.6@sha256:aa # keep
    - major: 18
      image: ghcr.io/x/postgresql:18.1@sha256:bb
      extensions:
        # Not of this repository.
        - name: theirs
          image:
            reference: ghcr.io/x/theirs:1
        - name: alpha # ours
          image:
            reference: ghcr.io/x/alpha:1 # pinned
            pullPolicy: Always
          bin_path: [bin]
      # The end of 18.
  componentImages:
    - key: pgbouncer
      image: ghcr.io/x/pgbouncer:1
"#;

fn read(text: &str) -> Catalog {
    match Catalog::read(text) {
        Read::Catalog(catalog) => catalog,
        Read::Other(why) => panic!("{why}: {text}"),
    }
}

fn ours(name: &str, reference: &str, more: &Value) -> Value {
    let mut entry = json!({"name": name, "image": {"reference": reference}});
    let more = more.as_object().cloned().unwrap_or_default();
    entry.as_object_mut().unwrap().extend(more);
    entry
}

/// What the catalog has, and these in the place of what it has of them.
fn with(catalog: &Catalog, ours: &[Value]) -> Written {
    let mut entries = catalog.entries(18);
    for entry in ours {
        let name = entry["name"].as_str().unwrap().to_owned();
        let merged = merged(entries.get(&name), entry);
        entries.insert(name, merged);
    }
    catalog.with(&BTreeMap::from([(18, entries)])).unwrap()
}

#[test]
fn an_image_is_replaced_where_it_stands_and_entries_are_sorted() {
    let catalog = read(THEIRS);
    assert_eq!(
        (&*catalog.distro, catalog.majors().sum()),
        ("trixie", 35_u64)
    );
    let entries = [
        ours("alpha", "ghcr.io/x/alpha:2", &json!({"bin_path": ["bin"]})),
        ours(
            "beta",
            "ghcr.io/x/beta:1",
            &json!({"env": [{"name": "A", "value": "on"}]}),
        ),
    ];
    let written = with(&catalog, &entries);
    assert!(!written.reformatted);
    let wanted = r#"      extensions:
        - name: alpha # ours
          image:
            reference: ghcr.io/x/alpha:2 # pinned
            pullPolicy: Always
          bin_path: [bin]
        - name: beta
          image:
            reference: ghcr.io/x/beta:1
          env:
          - name: A
            value: "on"
        # Not of this repository.
        - name: theirs
          image:
            reference: ghcr.io/x/theirs:1
      # The end of 18.
"#;
    let at = THEIRS.find("      extensions:").unwrap();
    let end = THEIRS.find("  componentImages").unwrap();
    let whole = format!("{}{wanted}{}", &THEIRS[..at], &THEIRS[end..]);
    assert_eq!(written.text, whole);
    // Once more, nothing changes.
    assert_eq!(with(&read(&written.text), &entries).text, written.text);
}

#[test]
fn what_the_metadata_do_not_say_any_more_is_gone_and_what_others_say_stays() {
    let entry = ours("alpha", "ghcr.io/x/alpha:1", &json!({}));
    let written = with(&read(THEIRS), &[entry]);
    let entry = &read(&written.text).entries(18)["alpha"];
    let wanted = json!({"name": "alpha", "image": {"reference": "ghcr.io/x/alpha:1", "pullPolicy": "Always"}});
    assert_eq!(*entry, wanted);
    assert!(!written.reformatted && written.text.contains("# Not of this repository."));
}

#[test]
fn a_new_major_has_its_place_and_all_else_stays() {
    let catalog = read(THEIRS);
    let image = "ghcr.io/x/postgresql:19-minimal-trixie";
    let newer = catalog.with_server(19, image).unwrap();
    let none = BTreeMap::new();
    let written = newer.with(&none).unwrap();
    assert!(!written.reformatted);
    let added = format!("    - major: 19\n      image: {image}\n");
    // Behind what is said of 18; the comment at its end belongs to nobody.
    let at = THEIRS.find("      # The end of 18.").unwrap();
    assert_eq!(
        written.text,
        format!("{}{added}{}", &THEIRS[..at], &THEIRS[at..])
    );
    assert_eq!(newer.majors().collect::<Vec<_>>(), [17, 18, 19]);
    let older = catalog.with_server(16, image).unwrap().with(&none).unwrap();
    assert!(!older.reformatted);
    let at = THEIRS.find("    - major: 17").unwrap();
    let added = added.replace("19\n", "16\n");
    assert_eq!(
        older.text,
        format!("{}{added}{}", &THEIRS[..at], &THEIRS[at..])
    );
    // Its extensions go where the server stands.
    let entries = BTreeMap::from([(
        19,
        Entries::from([("a".into(), ours("a", "x/a:1", &json!({})))]),
    )]);
    let with_entry = newer.with(&entries).unwrap();
    assert_eq!(read(&with_entry.text).entries(19).len(), 1);
    assert!(!with_entry.reformatted);
    // What is not written a line for each value is written anew, and that is said.
    let flow = read(
        "{apiVersion: postgresql.cnpg.io/v1, kind: ClusterImageCatalog, metadata: {labels: {images.cnpg.io/os: trixie, images.cnpg.io/type: minimal}}, spec: {images: [{major: 18, image: x/y:18}]}}\n",
    );
    let written = flow.with_server(19, image).unwrap().with(&none).unwrap();
    assert!(written.reformatted);
    assert_eq!(read(&written.text).majors().collect::<Vec<_>>(), [18, 19]);
}

#[test]
fn what_is_there_twice_is_refused_and_not_lost() {
    for (from, to, twice) in [
        ("major: 17", "major: 18", "PostgreSQL 18"),
        (
            "name: theirs",
            "name: alpha",
            "the extension `alpha` for PostgreSQL 18",
        ),
    ] {
        match Catalog::read(&THEIRS.replace(from, to)) {
            Read::Other(why) => assert_eq!(why, format!("it has {twice} twice")),
            Read::Catalog(catalog) => panic!("{catalog:?}"),
        }
    }
}

#[test]
fn a_list_is_added_where_there_is_none_and_an_empty_one_is_filled() {
    let entry = ours("alpha", "ghcr.io/x/alpha:1", &json!({}));
    for (list, is_kept) in [
        ("", true),
        ("      extensions: []\n", true),
        ("      extensions:\n", true),
        ("      extensions: # none yet\n", true),
        (
            "      extensions: [{name: b, image: {reference: b}}]\n",
            false,
        ),
    ] {
        let start = THEIRS.find("      extensions:").unwrap();
        let end = THEIRS.find("      # The end of 18.").unwrap();
        let text = format!("{}{list}{}", &THEIRS[..start], &THEIRS[end..]);
        let written = with(&read(&text), std::slice::from_ref(&entry));
        assert_eq!(written.reformatted, !is_kept, "{list}");
        let again = read(&written.text);
        assert_eq!(again.entries(18)["alpha"], entry, "{list}");
        assert_eq!(written.text.contains("# The end of 18."), is_kept, "{list}");
        assert_eq!(again.majors().count(), 2);
    }
}

#[test]
fn text_of_any_form_says_what_was_wanted() {
    let json = serde_json::to_string(&read(THEIRS).value).unwrap();
    let anchored = THEIRS.replace("bin_path: [bin]", "bin_path: &bin [bin]");
    let tight = THEIRS.replace("\n        ", "\n      ");
    for text in [json, anchored, tight] {
        let entry = ours("alpha", "ghcr.io/x/alpha:2", &json!({"bin_path": ["bin"]}));
        let written = with(&read(&text), &[entry]);
        let entries = read(&written.text).entries(18);
        assert_eq!(
            reference(&entries["alpha"]).unwrap().to_string(),
            "ghcr.io/x/alpha:2"
        );
        assert_eq!(entries.len(), 2);
    }
}

#[test]
fn a_new_catalog_is_called_as_the_operators_own() {
    let servers = BTreeMap::from([(
        18,
        "ghcr.io/x/postgresql:18-minimal-trixie".parse().unwrap(),
    )]);
    let name = "postgresql-minimal-trixie".parse().unwrap();
    let catalog = Catalog::new(&name, &"trixie".parse().unwrap(), &servers).unwrap();
    assert_eq!(read(&catalog.text), catalog);
    let written = with(&catalog, &[ours("alpha", "ghcr.io/x/alpha:1", &json!({}))]);
    assert!(!written.reformatted, "{}", written.text);
}

#[test]
fn what_is_no_such_catalog_is_said() {
    for (from, to, why) in [
        (
            "kind: ClusterImageCatalog",
            "kind: ImageCatalog",
            "no `ClusterImageCatalog`",
        ),
        ("type: minimal", "type: system", "is not `minimal`"),
        (
            "  images.cnpg.io/os: \"trixie\"",
            "  a: b",
            "no label `images.cnpg.io/os`",
        ),
        ("major: 18", "major: \"18\"", "each with a `major`"),
        ("- name: theirs", "- other: theirs", "each with a `major`"),
        ("spec:", "spec: [", "not one document of YAML"),
        ("spec:", "---\nspec:", "not one document of YAML"),
    ] {
        match Catalog::read(&THEIRS.replace(from, to)) {
            Read::Other(said) => assert!(said.contains(why), "{said}"),
            Read::Catalog(_) => panic!("{to}"),
        }
    }
}
