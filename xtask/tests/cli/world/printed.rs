// SPDX-License-Identifier: Apache-2.0
//! What bake would print of an extension: the fake docker cannot read HCL.

use hcl_edit::{
    expr::{Expression, Object, ObjectKey},
    structure::Body,
};
use serde_json::{Map, Value, json};

/// The bake file of a world, as far as xtask reads it itself: the variables, and how the moment is written.
pub(super) const BAKE_FILE: &str = "variable \"registry\" { default = \"localhost:5000\" }\n\
    variable \"environment\" { default = \"testing\" }\nvariable \"revision\" { default = \"\" }\n\
    variable \"base_image\" { default = \"\" }\nnow = timestamp()\nat = formatdate(\"YYYYMMDDhhmm\", now)\n";

/// The answer to `bake --print` for this metadata, in which `@registry@`, `@testing@` and `@now@` are for the fake to fill
/// in. None: bake would refuse it.
pub(super) fn printed(metadata: &str) -> Option<String> {
    let body: Body = metadata.parse().ok()?;
    let Expression::Object(metadata) = &body.get_attribute("metadata")?.value else {
        return None;
    };
    let name = text(metadata, "name")?;
    let image = text(metadata, "image_name")?.to_lowercase();
    let Expression::Object(distros) = get(metadata, "versions")? else {
        return None;
    };
    let (mut targets, mut names) = (Map::new(), Vec::new());
    for (distro, majors) in entries(distros) {
        let Expression::Object(majors) = majors else {
            return None;
        };
        for (major, pin) in entries(majors) {
            let (package, sql) = match pin {
                Expression::Object(pin) => (text(pin, "package")?, text(pin, "sql")),
                // The older schema.
                other => (other.as_str()?.to_owned(), None),
            };
            let version = version_of(&package);
            let target = format!("{name}-{}-{major}-{distro}", version.replace('.', "_"));
            let tag = format!("@registry@/{image}@testing@:{version}");
            let base = format!("ghcr.io/cloudnative-pg/postgresql:{major}-minimal-{distro}");
            targets.insert(target.clone(), json!({
                "context": format!("extensions/{name}"),
                "dockerfile": "Dockerfile",
                "args": {"PG_MAJOR": major, "EXT_VERSION": package, "BASE": base},
                "platforms": ["linux/amd64", "linux/arm64"],
                "tags": [format!("{tag}-{major}-{distro}"), format!("{tag}-@now@-{major}-{distro}")],
                "annotations": [
                    format!("index,manifest:org.opencontainers.image.version={version}"),
                    format!("index,manifest:io.cloudnativepg.image.base.name={base}"),
                    format!("index,manifest:io.cloudnativepg.image.base.pgmajor={major}"),
                    format!("index,manifest:io.cloudnativepg.image.base.os={distro}"),
                    format!("index,manifest:io.cloudnativepg.image.sql.version={}", sql.unwrap_or_default()),
                ],
            }));
            names.push(Value::from(target));
        }
    }
    let all = json!({"group": {"default": {"targets": names}}, "target": targets});
    Some(all.to_string() + "\n")
}

/// The answer to our question for the metadata that these literals are the values of.
pub(super) fn evaluated(metadata: &str) -> String {
    let body: Body = metadata.parse().unwrap();
    let values = value(&body.get_attribute("metadata").unwrap().value).to_string();
    // Bake prints a bake file, in which this would begin a template.
    let values = values.replace("${", "$${");
    json!({"target": {"xtask-metadata": {"args": {"metadata": values}}}}).to_string() + "\n"
}

fn value(expression: &Expression) -> Value {
    match expression {
        Expression::Bool(flag) => Value::from(*flag.value()),
        Expression::Array(items) => items.iter().map(value).collect(),
        Expression::Object(object) => {
            let entries = entries(object).into_iter();
            Value::Object(entries.map(|(key, held)| (key, value(held))).collect())
        }
        text => Value::from(text.as_str().unwrap()),
    }
}

/// As the bake file of this repository takes it from a package's version.
fn version_of(package: &str) -> String {
    let version = package.split(['-', '+', '~']).next().unwrap_or_default();
    version.replace(':', "-")
}

fn entries(object: &Object) -> Vec<(String, &Expression)> {
    let name = |key: &ObjectKey| match key {
        ObjectKey::Ident(name) => name.as_str().to_owned(),
        ObjectKey::Expression(key) => key.as_str().unwrap_or_default().to_owned(),
    };
    let entries = object.iter();
    let mut all: Vec<(String, &Expression)> = entries
        .map(|(key, value)| (name(key), value.expr()))
        .collect();
    // Bake goes through a map in the order of its keys.
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

fn get<'a>(object: &'a Object, name: &str) -> Option<&'a Expression> {
    let found = entries(object).into_iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value)
}

fn text(object: &Object, name: &str) -> Option<String> {
    get(object, name)?.as_str().map(str::to_owned)
}
