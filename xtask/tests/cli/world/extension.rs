// SPDX-License-Identifier: Apache-2.0
//! The text of a small extension's files.

/// A Dockerfile that `checks` finds nothing in.
pub(super) const DOCKERFILE: &str = "ARG BASE\nFROM $BASE AS builder\nRUN apt-get download \"postgresql-18-x=${EXT_VERSION}\"\nFROM scratch\nCOPY --from=builder /licenses /licenses/\nUSER 65532:65532\n";

/// The images of `gamma` in [`super::World::e2e_with_images`].
pub(crate) const GAMMA: [(&str, &str); 4] = [
    ("bookworm", "18"),
    ("bookworm", "19"),
    ("trixie", "18"),
    ("trixie", "19"),
];

/// metadata.hcl of an extension; `more` replaces fields of the same name, and adds others.
pub(crate) fn metadata(name: &str, more: &[(&str, &str)]) -> String {
    let quoted = format!("\"{name}\"");
    let mut fields = vec![
        ("name", quoted.as_str()),
        ("sql_name", quoted.as_str()),
        ("image_name", quoted.as_str()),
        ("licenses", "[\"MIT\"]"),
        ("shared_preload_libraries", "[]"),
        ("postgresql_parameters", "{}"),
        ("extension_control_path", "[]"),
        ("dynamic_library_path", "[]"),
        ("ld_library_path", "[]"),
        ("bin_path", "[]"),
        ("env", "{}"),
        ("auto_update_os_libs", "false"),
        ("required_extensions", "[]"),
        ("create_extension", "true"),
        (
            "versions",
            "{\n    trixie = { \"18\" = { package = \"1.2-1.pgdg13+1\", sql = \"1.2\" } }\n    bookworm = { \"18\" = { package = \"1.2-1.pgdg12+1\", sql = \"1.2\" } }\n  }",
        ),
    ];
    for (name, value) in more {
        match fields.iter_mut().find(|(field, _)| field == name) {
            Some(field) => field.1 = value,
            None => fields.push((name, value)),
        }
    }
    let lines: Vec<String> = fields
        .iter()
        .map(|(name, value)| format!("  {name} = {value}\n"))
        .collect();
    format!("metadata = {{\n{}}}\n", lines.concat())
}

/// The field `versions` of version 1.2 for pairs of distro and major, those of one distro one after the other.
pub(super) fn versions(pairs: &[(&str, &str)]) -> String {
    let mut distros: Vec<&str> = pairs.iter().map(|(distro, _)| *distro).collect();
    distros.dedup();
    let of = |distro: &str| {
        let release = if distro == "trixie" { 13 } else { 12 };
        let majors = pairs.iter().filter(|pair| pair.0 == distro);
        let majors: Vec<String> = majors
            .map(|(_, major)| {
                format!("\"{major}\" = {{ package = \"1.2-1.pgdg{release}+1\", sql = \"1.2\" }}")
            })
            .collect();
        format!("{distro} = {{\n{}\n}}\n", majors.join("\n"))
    };
    let all: Vec<String> = distros.into_iter().map(of).collect();
    format!("{{\n{}}}", all.concat())
}
