// SPDX-License-Identifier: Apache-2.0
//! A Dockerfile of the extension's own, for repositories whose bake file builds each extension by the one beside its metadata.

use super::draft::Draft;

impl Draft {
    /// It installs the package in the base image, and copies the files that it has, or those that packages of that name mostly
    /// have.
    pub(crate) fn dockerfile(&self, base: &str) -> String {
        let packages: Vec<String> = self
            .packages
            .iter()
            .map(|one| one.replace("{pg}", "${PG_MAJOR}"))
            .collect();
        let install: Vec<String> = packages
            .iter()
            .map(|one| format!("      \"{one}=${{EXT_VERSION}}\""))
            .collect();
        let mut text = format!(
            "# SPDX-License-Identifier: Apache-2.0\nARG BASE={base}\nFROM $BASE AS builder\n\nARG PG_MAJOR\nARG EXT_VERSION\nUSER 0\n"
        );
        if self.has_libraries {
            text += "# What the base image has, to tell it from what comes with the package.\nRUN ldconfig -p | sed -n 's/^\\t\\([^ ]*\\) .*/\\1/p' | sort -u > /base-libraries\n";
        }
        text += &format!(
            "RUN apt-get update && \\\n    apt-get install -y --no-install-recommends \\\n{}\n",
            install.join(" \\\n")
        );
        if self.has_libraries {
            text += LIBRARIES;
        }
        text += "\nFROM scratch\nARG PG_MAJOR\n\n";
        for package in &packages {
            text += &format!(
                "COPY --from=builder /usr/share/doc/{package}/copyright /licenses/{package}/\n"
            );
        }
        for (from, to) in self.copies() {
            text += &format!("COPY --from=builder {from} {to}\n");
        }
        if self.has_libraries {
            text += "COPY --from=builder /system/ /system/\nCOPY --from=builder /system-licenses/ /licenses/\n";
        }
        text + "USER 65532:65532\n"
    }

    /// What is copied where: one line for the files of a folder that begin alike.
    fn copies(&self) -> Vec<(String, String)> {
        let folder = |file: &str| match file.split_once('/') {
            Some(("share", rest)) => (
                format!("/usr/share/postgresql/${{PG_MAJOR}}/{rest}"),
                format!("/{file}"),
            ),
            _ => (
                format!("/usr/lib/postgresql/${{PG_MAJOR}}/{file}"),
                format!("/{file}"),
            ),
        };
        if self.files.is_empty() {
            let name = &self.sql_name;
            return [
                format!("lib/{name}*.so"),
                format!("share/extension/{name}*"),
            ]
            .iter()
            .map(|pattern| {
                let (from, to) = folder(pattern);
                (
                    from,
                    to.rsplit_once('/')
                        .map_or(String::new(), |(above, _)| format!("{above}/")),
                )
            })
            .collect();
        }
        let mut copies: Vec<(String, String)> = Vec::new();
        let mut scripts: Vec<&str> = self
            .files
            .iter()
            .filter_map(|file| file.strip_prefix("share/extension/"))
            .collect();
        scripts.retain(|file| !file.contains('/'));
        let mut begins: Vec<&str> = scripts
            .iter()
            .map(|file| file.split("--").next().unwrap_or(file))
            .map(|begin| begin.split('.').next().unwrap_or(begin))
            .collect();
        begins.dedup();
        for file in &self.files {
            let is_script = file
                .strip_prefix("share/extension/")
                .is_some_and(|rest| !rest.contains('/'));
            if !is_script {
                let (from, to) = folder(file);
                copies.push((from, to));
            }
        }
        for begin in begins {
            let (from, _) = folder(&format!("share/extension/{begin}[-.]*"));
            let copy = (from, "/share/extension/".to_owned());
            if !copies.contains(&copy) {
                copies.push(copy);
            }
        }
        copies
    }
}

/// Puts the libraries that the modules need, and that came with the package, into a folder of their own.
const LIBRARIES: &str = "# The libraries that its modules need and the base image lacks, with the copyright files of their packages.\n\
RUN set -eux; \\\n\
    mkdir -p /system /system-licenses; \\\n\
    ldconfig; \\\n\
    find \"/usr/lib/postgresql/${PG_MAJOR}/lib\" -maxdepth 1 -name '*.so' -exec ldd {} + | awk '$2 == \"=>\" && $3 ~ /^\\// {print $1, $3}' | sort -u | \\\n\
    while read -r name path; do \\\n\
      ! grep -qxF -- \"$name\" /base-libraries || continue; \\\n\
      cp -L \"$path\" \"/system/$name\"; \\\n\
      package=$(dpkg-query -S \"$(realpath \"$path\")\" | sed 's/:.*//' | head -n 1); \\\n\
      install -D -m 644 -t \"/system-licenses/$package\" \"/usr/share/doc/$package/copyright\"; \\\n\
    done\n";
