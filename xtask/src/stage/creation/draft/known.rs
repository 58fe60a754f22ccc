// SPDX-License-Identifier: Apache-2.0
//! Takes into a draft what the archive says of one package.

use super::{Draft, needs::Needs};
use crate::{
    extension::Extension,
    failure::Failure,
    image::copyright,
    stage::creation::Request,
    stage::package::Package,
    value::{Licence, Major, Name, PackageName, PackagePattern, SqlName},
};

impl Draft {
    /// The draft, as a package says it that was asked for one major; pinned to nothing. `extensions` are those that it may need.
    pub(super) fn of_package(
        request: &Request,
        major: &Major,
        package: &Package,
        extensions: &[std::sync::Arc<Extension>],
    ) -> Result<Self, Failure> {
        let mut draft = Self::of(request);
        let names = package.packages.iter();
        let patterns = names.map(|(name, _)| pattern(name, major));
        draft.packages = patterns.collect::<Option<_>>().unwrap_or(draft.packages);
        draft.homepage.clone_from(&package.homepage);
        draft.summary.clone_from(&package.summary);
        draft.files = package.files.iter().cloned().collect();
        draft.licences = match draft.source {
            Some(_) => of_source(&package.licences),
            None => licences(&package.copyright),
        };
        draft.has_libraries = !package.lacks.is_empty();
        draft.has_programs = package.files.iter().any(|file| file.starts_with("bin/"));
        draft.name_in_sql(request, package)?;
        draft.server_options(package);
        draft.need(request, package, extensions)?;
        draft.doubts(package);
        Ok(draft)
    }

    /// What is created, or loaded where there is nothing to create.
    fn name_in_sql(&mut self, request: &Request, package: &Package) -> Result<(), Failure> {
        let creatable = creatable(package);
        if creatable.is_empty() && package.modules.is_empty() {
            return Err(holds_nothing(package));
        }
        self.is_created = !creatable.is_empty() && !request.no_create;
        let spelled = |name: &&str| name.replace('-', "_") == request.name.replace('-', "_");
        if !self.is_created {
            let modules: Vec<&str> = package.modules.iter().map(|one| &**one).collect();
            let own = modules.iter().copied().find(|name| spelled(name));
            let own = own.or_else(|| modules.first().copied());
            if let Some(own) = own {
                own.clone_into(&mut self.sql_name);
            }
            self.is_decoder = package.decoders.iter().any(|one| **one == *self.sql_name);
            return Ok(());
        }
        // What the others need comes first where none has the directory's name.
        let needed = |name: &&str| {
            let mut others = creatable.iter().filter(|other| other != &name);
            others.any(|other| {
                package
                    .controls
                    .requires(other, None)
                    .iter()
                    .any(|one| one == name)
            })
        };
        let own = creatable.iter().copied();
        let own = own
            .clone()
            .find(|name| spelled(name))
            .or_else(|| own.clone().find(needed))
            .or_else(|| own.clone().find(|name| is_created(package, name)))
            .or_else(|| creatable.first().copied());
        if let Some(own) = own {
            own.clone_into(&mut self.sql_name);
        }
        Ok(())
    }

    /// What the server is to be told.
    fn server_options(&mut self, package: &Package) {
        self.preload.clone_from(&package.preloaded);
        self.parameters.clone_from(&package.settings);
        for (name, value) in &package.parameters {
            let names = package.decoders.iter().map(|one| format!(", {one}"));
            if !package.decoders.is_empty() {
                let names: String = names.collect();
                self.parameters
                    .insert(name.clone(), format!("{value}{names}"));
            }
        }
    }

    /// What it needs of others, and what else is created where that is there.
    fn need(
        &mut self,
        request: &Request,
        package: &Package,
        extensions: &[std::sync::Arc<Extension>],
    ) -> Result<(), Failure> {
        let needs = Needs {
            request,
            package,
            extensions,
        };
        self.required = needs.of_packages();
        let recommended = needs.recommended();
        if !self.is_created {
            self.leave_open(recommended);
            return Ok(());
        }
        needs.add(&self.sql_name, &mut self.required)?;
        for name in creatable(package) {
            if name == self.sql_name {
                continue;
            }
            if let Some((_, words)) = package.beside.iter().find(|(one, _)| **one == *name) {
                self.undecided.push(format!(
                    "`{name}` is not created: beside the others the server says: {words}"
                ));
                continue;
            }
            let mut required = self.required.clone();
            match needs.add(name, &mut required) {
                Err(failure) => self
                    .undecided
                    .push(format!("`{name}` is not created: {}", failure.message)),
                Ok(()) if is_created(package, name) => {
                    self.required = required;
                    self.others.extend(name.parse::<SqlName>().ok());
                }
                Ok(()) => {}
            }
        }
        self.leave_open(recommended);
        Ok(())
    }

    /// Of what is only recommended nobody but a person knows whether it is needed.
    fn leave_open(&mut self, recommended: Vec<Name>) {
        let open = recommended.into_iter();
        for name in open.filter(|name| !self.required.contains(name)) {
            self.undecided.push(format!(
                "the package recommends that of `{name}`, or can do with it: where it is needed, `required_extensions` is to have it"
            ));
        }
    }

    /// What the archive does not say, or says in words for people.
    fn doubts(&mut self, package: &Package) {
        for trial in &package.trial {
            self.undecided
                .push(format!("it was not tried as it will be used: {trial}"));
        }
        self.undecided.extend(package.doubts.iter().cloned());
        for (name, words) in &package.hints {
            self.undecided.push(format!(
                "`{name}` is preloaded for what stands in its file alone, the server loads it without: {words}"
            ));
        }
        for (name, words) in &package.refused {
            self.undecided
                .push(format!("`{name}` could not be used in a trial: {words}"));
        }
        for (script, path) in &package.absolute {
            self.undecided.push(format!(
                "`{script}` reads `{path}`, which in an image volume is below `/extensions/{}`: it has to be changed in a Dockerfile of its own",
                self.name
            ));
        }
        let is_data = |file: &&String| file.starts_with("/usr/share/") && !is_of_the_system(file);
        let data = package.elsewhere.iter().filter(is_data).count();
        if let (Some(first), true) = (package.elsewhere.iter().find(is_data), data > 0) {
            self.undecided.push(format!(
                "{data} files like `{first}` are outside of the server's folders and not in the image"
            ));
        }
    }
}

/// There is nothing that a server could load.
fn holds_nothing(package: &Package) -> Failure {
    let failure = |what: &str| {
        Failure::invalid(format!(
            "{what} no module and no extension: there is nothing that a server could load"
        ))
    };
    if package.packages.is_empty() {
        return failure("what was built from source installs");
    }
    let names = package.packages.iter().map(|(name, _)| format!("`{name}`"));
    let names: Vec<String> = names.collect();
    failure(&format!("{} holds", names.join(", "))).hint("`--package` names another package")
}

/// The licences of a source and of what is linked into it, which hold together. None: one is not known, or no name of SPDX.
fn of_source(all: &[String]) -> Option<Vec<String>> {
    let mut licences: Vec<String> = Vec::new();
    for text in all {
        let licence: Licence = text.parse().ok()?;
        let licence = licence.to_string();
        if !licences.contains(&licence) {
            licences.push(licence);
        }
    }
    (!licences.is_empty()).then_some(licences)
}

/// The licences of a copyright file, which hold together. None: SPDX has no name for one, or the file is for people alone.
fn licences(text: &str) -> Option<Vec<String>> {
    let all = copyright::licence(text)?.to_string();
    if ["LicenseRef-", "AdditionRef-"]
        .iter()
        .any(|own| all.contains(own))
    {
        return None;
    }
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for word in all.split(' ') {
        depth += word.matches('(').count();
        depth -= word.matches(')').count().min(depth);
        match (word, parts.last_mut()) {
            ("AND", _) if depth == 0 => parts.push(String::new()),
            (_, Some(part)) => {
                let blank = if part.is_empty() { "" } else { " " };
                *part += &format!("{blank}{word}");
            }
            (_, None) => {}
        }
    }
    Some(parts)
}

/// Files that a server in a container has no use for.
fn is_of_the_system(file: &str) -> bool {
    let folders = [
        "bash-completion",
        "bug",
        "doc-base",
        "dbconfig",
        "locale",
        "python",
        "perl5",
        "postgresql-common",
    ];
    folders
        .iter()
        .any(|folder| file.contains(&format!("/{folder}")))
}

/// The extensions whose control file comes with a script.
fn creatable(package: &Package) -> Vec<&str> {
    let has_script = |name: &&str| {
        let begin = format!("{name}--");
        package.files.iter().any(|file| {
            let file = file.rsplit('/').next().unwrap_or_default();
            file.strip_suffix(".sql")
                .is_some_and(|script| script.starts_with(&begin))
        })
    };
    package.controls.names().filter(has_script).collect()
}

fn is_created(package: &Package, name: &str) -> bool {
    package.created.iter().any(|one| **one == *name)
}

/// The name of the package for any major. None: it is none.
fn pattern(name: &PackageName, major: &Major) -> Option<PackagePattern> {
    let parts = name
        .split('-')
        .map(|part| if part == &**major { "{pg}" } else { part });
    parts.collect::<Vec<_>>().join("-").parse().ok()
}
