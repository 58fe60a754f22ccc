// SPDX-License-Identifier: Apache-2.0
//! What is wrong with an image, or looks so.

use std::collections::BTreeMap;

use crate::{
    finding::{Finding, Severity},
    image::{Elf, Entry, How, Inventory, Libraries, Said, Source, SqlExtension},
    stage::subject::Subject,
};

/// `FMGR_ABI_EXTRA` of the community's server, in `src/include/pg_config_manual.h`.
const ABI: &str = "PostgreSQL";
/// What that server has for `FUNC_MAX_ARGS`, `INDEX_MAX_KEYS` and `NAMEDATALEN`.
const LIMITS: [u32; 3] = [100, 32, 64];
/// Versions that a message names.
const NAMED: usize = 5;

/// The findings, errors first.
pub(crate) fn all(subject: &Subject, image: &Inventory, libraries: &Libraries) -> Vec<Finding> {
    let mut found = Collected::default();
    found.unread(image);
    found.objects(subject, image);
    found.libraries(libraries);
    for extension in &image.extensions {
        found.extension(extension, image);
    }
    found.links(&image.contents.files);
    found.permissions(&image.contents.files);
    found.0.sort_by_key(|one| std::cmp::Reverse(one.severity));
    found.0
}

#[derive(Default)]
struct Collected(Vec<Finding>);

impl Collected {
    fn error(&mut self, file: &str, message: String) {
        self.push(file, Severity::Error, message);
    }

    fn warning(&mut self, file: &str, message: String) {
        self.push(file, Severity::Warning, message);
    }

    fn push(&mut self, file: &str, severity: Severity, message: String) {
        self.0.push(Finding {
            file: file.into(),
            line: None,
            severity,
            message,
        });
    }

    /// What may be wrong and was not seen.
    fn unread(&mut self, image: &Inventory) {
        for path in &image.unread {
            self.warning(
                path,
                "it is too large to be looked into: what is wrong with it would not be said".into(),
            );
        }
    }

    fn objects(&mut self, subject: &Subject, image: &Inventory) {
        let platform = subject.said.platform.split('/').nth(1);
        for object in &image.objects {
            match &object.says {
                Said::Broken { broken } => {
                    self.error(&object.path, format!("it cannot be read: {broken}"));
                }
                Said::Read(elf) => {
                    if let Some(platform) = platform.filter(|one| *one != elf.architecture) {
                        let is = &elf.architecture;
                        let message = format!("it is for {is}, and the image for {platform}");
                        self.error(&object.path, message);
                    }
                    self.module(&object.path, elf, subject.major());
                }
            }
        }
    }

    fn module(&mut self, path: &str, elf: &Elf, major: Option<&str>) {
        let Some(magic) = &elf.module else { return };
        let built_for = magic.major.to_string();
        if let Some(major) = major.filter(|major| *major != built_for) {
            self.error(
                path,
                format!("it was built for PostgreSQL {built_for}, and the image is for {major}: that server refuses it"),
            );
        }
        if magic.abi != ABI || magic.limits != LIMITS {
            self.warning(
                path,
                format!("it was built for servers of `{}` with other limits or values than the community's have: these refuse it", magic.abi),
            );
        }
    }

    fn libraries(&mut self, libraries: &Libraries) {
        for need in &libraries.needs {
            let library = &need.library;
            match &need.source {
                Source::Missing => self.error(
                    &need.object,
                    format!("it needs `{library}`, which neither the image nor the base image has"),
                ),
                Source::Unsearched { path } => self.error(
                    &need.object,
                    format!(
                        "it needs `{library}`, and `{path}` is in no folder of `ld_library_path`"
                    ),
                ),
                Source::Image { .. } | Source::Unplaced { .. } | Source::Base | Source::Unknown => {
                }
            }
        }
        for shared in &libraries.shared {
            let (library, base) = (&shared.library, &shared.base);
            match shared.how {
                How::Same => self.warning(
                    &shared.image,
                    format!("the base image has the same build of `{library}`: it need not be in the image"),
                ),
                How::Other => self.warning(
                    &shared.image,
                    format!("the base image has another build of `{library}` (`{base}`), and the server may use this one in its place"),
                ),
                How::Beside => {}
            }
        }
    }

    fn extension(&mut self, extension: &SqlExtension, image: &Inventory) {
        let file = format!("{}/{}.control", extension.folder, extension.name);
        match &extension.default_version {
            None => self.error(&file, "it has no `default_version`".into()),
            Some(version) if !extension.default_is_made => self.error(
                &file,
                format!("no script makes its default version {version}, alone or with those that update to it"),
            ),
            Some(version) if !extension.stranded.is_empty() => {
                let stranded = &extension.stranded;
                let named = stranded[..stranded.len().min(NAMED)].join(", ");
                let more = stranded.len().saturating_sub(NAMED);
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                self.warning(
                    &file,
                    format!("no scripts update from {named}{more} to {version}"),
                );
            }
            Some(_) => {}
        }
        let modules = Modules(image);
        match &extension.module_pathname {
            None if extension.uses_module_pathname => self.error(
                &file,
                "its scripts have `MODULE_PATHNAME` in them, and it has no `module_pathname`"
                    .into(),
            ),
            Some(path) if extension.uses_module_pathname && !modules.have(path) => {
                self.warning(&file, format!("its module `{path}` is not in the image"));
            }
            _ => {}
        }
        for named in &extension.named {
            let (name, script) = (&named.name, &named.script);
            if (named.loaded || name.contains('/')) && modules.have(name) {
                let module = name.rsplit('/').next().unwrap_or_default();
                self.warning(
                    &format!("{}/{script}", extension.folder),
                    format!("line {} names `$libdir/{name}`, which here is the server's own folder; `{module}` alone is found in the image", named.line),
                );
            }
        }
    }

    /// The server is a user of its own, who has no use for another one's rights.
    fn permissions(&mut self, files: &[Entry]) {
        let modes = files.iter().filter_map(|file| Some((file, file.mode?)));
        for (file, mode) in modes {
            if mode.is_set_id() {
                self.warning(
                    &file.path,
                    format!("its mode is {mode}: whoever starts it gets the rights of its owner or group"),
                );
            }
            if !mode.is_for_all() {
                self.error(
                    &file.path,
                    format!("its mode is {mode}: a server, which is another user than its owner, cannot read it"),
                );
            }
        }
    }

    /// An image is mounted into a server, whose files an absolute link leads to.
    fn links(&mut self, files: &[Entry]) {
        let targets = files
            .iter()
            .filter_map(|file| Some((file.path.as_str(), file.link.as_deref()?)))
            .collect();
        for file in files {
            let Some(link) = &file.link else { continue };
            if leads_out(file.folder(), link, &targets) {
                self.error(
                    &file.path,
                    format!("it is a link to `{link}`, out of the image"),
                );
            }
        }
    }
}

/// The modules of an image, by their names in SQL.
struct Modules<'a>(&'a Inventory);

impl Modules<'_> {
    fn have(&self, name: &str) -> bool {
        let name = name.rsplit('/').next().unwrap_or_default();
        let name = name.strip_suffix(".so").unwrap_or(name);
        let mut files = self.0.contents.files.iter();
        files.any(|file| file.name().strip_suffix(".so") == Some(name))
    }
}

/// Links that are followed one after the other. Fact: Linux, `path_resolution(7)`.
const HOPS: usize = 40;

/// Whether a symbolic link in a folder leads above the image's root, be it by way of other links of the image, which are given by
/// their paths. A hard link is named from the root on.
fn leads_out(folder: &str, link: &str, links: &BTreeMap<&str, &str>) -> bool {
    let mut at: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    let mut left: Vec<&str> = link.rsplit('/').collect();
    let mut hops = 0;
    if link.starts_with('/') {
        return true;
    }
    while let Some(part) = left.pop() {
        match part {
            ".." if at.pop().is_none() => return true,
            "" | "." | ".." => {}
            name => at.push(name),
        }
        let Some(next) = links.get(format!("/{}", at.join("/")).as_str()) else {
            continue;
        };
        hops += 1;
        if next.starts_with('/') {
            return true;
        }
        if hops > HOPS {
            return false;
        }
        at.pop();
        left.extend(next.rsplit('/'));
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_followed_by_way_of_others() {
        let links = BTreeMap::from([
            ("/lib/deep", "../share/a/b"),
            ("/lib/here", "."),
            ("/lib/root", "/etc"),
            ("/lib/loop", "pool"),
            ("/lib/pool", "loop"),
            ("/up", ".."),
        ]);
        for link in [
            "/etc/passwd",
            "../../etc/passwd",
            // By its words it would stay in the image.
            "here/../../etc/passwd",
            "here/here/../../etc",
            "deep/../../../../etc",
            "root/passwd",
            "../up/etc",
        ] {
            assert!(leads_out("/lib", link, &links), "{link}");
        }
        for link in [
            "x.so.1",
            "../share/x",
            "here/x",
            "deep/../../../lib/x",
            "loop/../../../../etc",
        ] {
            assert!(!leads_out("/lib", link, &links), "{link}");
        }
    }
}
