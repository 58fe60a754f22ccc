// SPDX-License-Identifier: Apache-2.0
//! A `Cluster` in a README: whether it mounts the extension and what that needs as their images want it.

use std::sync::Arc;

use serde_json::Value;

use super::{Example, Readme, list};
use crate::{
    extension::{Extension, version_of},
    finding::Findings,
    image::ImageRef,
    mount::{Folders, Mounted, Mounts},
    stage::resources,
    value::{Server, Suite},
};

/// What a plain word of YAML 1.1 is, which kubectl reads.
const TRUTHS: &[&str] = &["on", "off", "yes", "no", "y", "n", "true", "false"];

pub(super) fn check(readme: &Readme<'_>, clusters: &[&Example<'_>], findings: &mut Findings) {
    let name = &readme.extension.name;
    let mut mounting = 0;
    for cluster in clusters {
        let entries: Vec<&Value> =
            list(&cluster.value["spec"]["postgresql"]["extensions"]).collect();
        let Some(own) = find(readme.extension, &entries) else {
            continue;
        };
        mounting += 1;
        let of_cluster = OfCluster { readme, cluster };
        of_cluster.entry(readme.extension, own, findings);
        for needed in readme.needed {
            match find(needed, &entries) {
                Some(entry) => of_cluster.entry(needed, entry, findings),
                None => findings.error(
                    cluster.line_of(&["extensions:"]),
                    format!(
                        "`{}` is not mounted, and `{name}` needs it: add its entry",
                        needed.name
                    ),
                ),
            }
        }
        of_cluster.preload(findings);
        of_cluster.parameters(findings);
    }
    if let (0, Some(first)) = (mounting, clusters.first()) {
        findings.error(
            first.line,
            format!("no `Cluster` here mounts `{name}`: name it in `spec.postgresql.extensions`"),
        );
    }
}

/// The entry of an extension: by its name, or by that of its image, as a user may call it otherwise.
fn find<'a>(extension: &Extension, entries: &[&'a Value]) -> Option<&'a Value> {
    let plain = |name: &str| name.replace('_', "-");
    let is_named = |entry: &&&Value| {
        let name = entry["name"].as_str().unwrap_or_default();
        plain(name) == plain(&extension.name)
    };
    let has_image =
        |entry: &&&Value| image(entry).is_some_and(|image| is_image_of(extension, &image));
    let by_image = || entries.iter().find(has_image);
    entries.iter().find(is_named).or_else(by_image).copied()
}

fn image(entry: &Value) -> Option<ImageRef> {
    entry["image"]["reference"].as_str()?.parse().ok()
}

fn is_image_of(extension: &Extension, image: &ImageRef) -> bool {
    let name = image.name();
    name.strip_suffix("-testing").unwrap_or(name) == extension.image_name
}

struct OfCluster<'a> {
    readme: &'a Readme<'a>,
    cluster: &'a Example<'a>,
}

impl OfCluster<'_> {
    /// An entry of the list of extensions.
    fn entry(&self, extension: &Extension, entry: &Value, findings: &mut Findings) {
        let name = entry["name"].as_str().unwrap_or_default();
        let line = self.cluster.line_of(&["name:", name]);
        let known = resources::mounted_fields();
        for field in entry.as_object().into_iter().flat_map(|map| map.keys()) {
            if !known.contains(&field.as_str()) {
                let line = self.cluster.line_of(&[field]);
                findings.error(
                    line,
                    format!(
                        "`{field}` is no field of an extension: {}",
                        known.join(", ")
                    ),
                );
            }
        }
        if entry["image"]["reference"].is_null() {
            self.of_catalog(extension, name, line, findings);
            return;
        }
        self.fields(extension, entry, line, findings);
        self.image(extension, entry, findings);
    }

    /// Without an image, a catalog must have it, by its name.
    fn of_catalog(&self, extension: &Extension, name: &str, line: usize, findings: &mut Findings) {
        if self.cluster.value["spec"]["imageCatalogRef"].is_null() {
            findings.error(
                line,
                format!("`{name}` has no `image.reference`, and the cluster no `imageCatalogRef`"),
            );
        } else if name != extension.name {
            findings.error(
                line,
                format!("a catalog has it as `{}`, not as `{name}`", extension.name),
            );
        }
    }

    fn fields(&self, extension: &Extension, entry: &Value, line: usize, findings: &mut Findings) {
        let name = &extension.name;
        for folders in Folders::ALL {
            let field = folders.field();
            let said: Vec<String> = list(&entry[field])
                .filter_map(|folder| Some(folder.as_str()?.to_owned()))
                .collect();
            let wanted = folders.of(extension);
            if said != wanted && !(said.is_empty() && folders.named(extension).is_empty()) {
                findings.error(
                    line,
                    format!(
                        "`{field}` of `{name}` is {}; metadata.hcl has {}",
                        shown(&said),
                        shown(&wanted)
                    ),
                );
            }
        }
        for (variable, wanted) in &extension.env {
            let mut said = list(&entry["env"]).filter(|one| one["name"] == variable.as_str());
            let said = said
                .next()
                .map(|one| one["value"].as_str().unwrap_or_default());
            match said {
                None => findings.error(
                    line,
                    format!("`env` of `{name}` lacks `{variable}`; metadata.hcl has `{wanted}`"),
                ),
                Some(said) if said != wanted => findings.error(
                    self.cluster.line_of(&["value:", said]),
                    format!("`{variable}` of `{name}` is `{said}`; metadata.hcl has `{wanted}`"),
                ),
                Some(_) => {}
            }
        }
    }

    fn image(&self, extension: &Extension, entry: &Value, findings: &mut Findings) {
        // What stands for an image, like `<your registry>/…`, is none.
        let Some(image) = image(entry) else { return };
        let line = self.cluster.line_of(&["reference:", &image.to_string()]);
        if !is_image_of(extension, &image) {
            findings.error(
                line,
                format!(
                    "`{}` is not the image of `{}`, which is called `{}`",
                    image.name(),
                    extension.name,
                    extension.image_name
                ),
            );
            return;
        }
        let tag = image.tag.as_deref().unwrap_or_default();
        let of_tag = extension.versions.iter().find_map(|(server, pin)| {
            let version = tag.strip_suffix(&format!("-{server}"))?;
            Some((server, version, version_of(&pin.package)?))
        });
        match of_tag {
            // It may be pinned by its digest alone, or be of another repository.
            None if tag.is_empty() || extension.versions.is_empty() => {}
            None => findings.warning(
                line,
                format!(
                    "no image of `{}` is tagged `{tag}`: it is built for {}",
                    extension.name,
                    servers(extension)
                ),
            ),
            Some((server, version, pinned)) => {
                let is_stamped = version
                    .strip_prefix(&*pinned)
                    .is_some_and(|rest| rest.starts_with('-'));
                if version != pinned && !is_stamped {
                    findings.warning(
                        line,
                        format!("`{tag}` is not the version in metadata.hcl, `{pinned}-{server}`"),
                    );
                }
                self.server(server, extension, findings);
            }
        }
    }

    /// The server must be the one that the image is for.
    fn server(&self, server: &Server, extension: &Extension, findings: &mut Findings) {
        let image = self.cluster.value["spec"]["imageName"]
            .as_str()
            .unwrap_or_default();
        let tag = image
            .parse()
            .ok()
            .and_then(|image: ImageRef| image.tag)
            .unwrap_or_default();
        let major = tag.split(['.', '-']).next().unwrap_or_default();
        let distro = tag.rsplit('-').next().unwrap_or_default();
        let is_known = |distro: &str| {
            let mut servers = extension.versions.keys();
            Suite::is(distro) && servers.any(|server| *server.distro == *distro)
        };
        let is_other = (major.parse::<u16>().is_ok() && *major != *server.major)
            || (is_known(distro) && *distro != *server.distro);
        if is_other {
            findings.error(
                self.cluster.line_of(&["imageName:"]),
                format!(
                    "the server is `{tag}`, and the image of `{}` is for {server}",
                    extension.name
                ),
            );
        }
    }

    /// The libraries to preload, in their order.
    fn preload(&self, findings: &mut Findings) {
        let postgresql = &self.cluster.value["spec"]["postgresql"];
        let mounted = |extension: &Arc<Extension>| Mounted {
            extension: Arc::clone(extension),
            source: (),
        };
        let mut all = self.readme.all().map(mounted);
        let Some(own) = all.next() else { return };
        let mounts = Mounts::new(own, all);
        let wanted = mounts.preload();
        let said: Vec<&str> = list(&postgresql["shared_preload_libraries"])
            .filter_map(Value::as_str)
            .collect();
        let lacking: Vec<&str> = wanted
            .iter()
            .copied()
            .filter(|one| !said.contains(one))
            .collect();
        let line = self.cluster.line_of(&["shared_preload_libraries:"]);
        if !lacking.is_empty() {
            findings.error(
                line,
                format!(
                    "`shared_preload_libraries` lacks {}: the extension does not work without",
                    shown(&lacking)
                ),
            );
            return;
        }
        let ours: Vec<&str> = said
            .into_iter()
            .filter(|one| wanted.contains(one))
            .collect();
        if ours != wanted {
            findings.error(
                line,
                format!(
                    "`shared_preload_libraries` is {}; in this order they can be loaded: {}",
                    shown(&ours),
                    shown(&wanted)
                ),
            );
        }
    }

    /// Parameters are texts; which values a user wants is not for us to say.
    fn parameters(&self, findings: &mut Findings) {
        let parameters = self.cluster.value["spec"]["postgresql"]["parameters"].as_object();
        for (parameter, value) in parameters.into_iter().flatten() {
            let line = self.cluster.line_of(&[&format!("{parameter}:")]);
            let at = self.cluster.text.lines().nth(line - self.cluster.line);
            let said = at
                .and_then(|text| text.split_once(": "))
                .map(|(_, said)| said);
            let said = said
                .and_then(|said| said.split(" #").next())
                .unwrap_or_default()
                .trim();
            let is_truth = TRUTHS.contains(&said.to_lowercase().as_str());
            if !value.is_string() || is_truth {
                findings.error(
                    line,
                    format!("`{parameter}` must be a text: quote it, `\"{said}\"`"),
                );
            }
        }
    }
}

fn shown<T: AsRef<str>>(texts: &[T]) -> String {
    if texts.is_empty() {
        return "not there".to_owned();
    }
    let texts: Vec<String> = texts
        .iter()
        .map(|text| format!("`{}`", text.as_ref()))
        .collect();
    texts.join(", ")
}

fn servers(extension: &Extension) -> String {
    let servers: Vec<String> = extension.versions.keys().map(ToString::to_string).collect();
    servers.join(", ")
}
