// SPDX-License-Identifier: Apache-2.0
//! Images that were built before, on another machine maybe: those that the metadata files of bakes name, by their digests.

use std::path::PathBuf;

use super::pushed::Pushed;
use crate::{
    failure::Failure,
    image::{ImageRef, Metadata},
    target::{Target, Targets},
};

/// What helps where files have nothing of what is meant.
const HINT: &str = "give the file that `cargo xtask bake --push --metadata-file FILE` has written of the same extensions, with the same bake variables";

/// Metadata files that `bake --metadata-file` has written.
#[derive(Debug)]
pub(crate) struct Written {
    files: Vec<File>,
}

/// One of them.
#[derive(Debug)]
struct File {
    path: PathBuf,
    metadata: Metadata,
}

/// Where something of a target stands: in which of the files, and under which name of bake's.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub file: PathBuf,
    pub target: String,
}

impl Entry {
    /// That nothing here builds it.
    pub(crate) fn unknown(&self) -> String {
        let Self { file, target } = self;
        let file = file.display();
        format!("`{target}` of `{file}` is left out: no extension that can be read here builds it")
    }
}

impl Written {
    /// None: no file was named. Refused where two of them have different images of one target.
    pub(crate) fn read(paths: &[PathBuf]) -> anyhow::Result<Option<Self>> {
        let mut files: Vec<File> = Vec::new();
        for path in paths {
            let metadata = Metadata::read_named(path)?;
            let path = path.clone();
            let file = File { path, metadata };
            for other in &files {
                file.check_beside(other)?;
            }
            files.push(file);
        }
        Ok(Some(Self { files }).filter(|all| !all.files.is_empty()))
    }

    /// The image of a target, by nothing but its digest: under the name that it was given, or else the one that it would
    /// get here. None: no file has it.
    pub(crate) fn image(&self, target: &Target) -> Option<ImageRef> {
        self.find(target).ok().map(|(_, image)| image)
    }

    /// Where a target's image stands.
    pub(crate) fn entry(&self, target: &Target) -> Option<Entry> {
        let (file, _) = self.find(target).ok()?;
        Some(file.entry(&target.name))
    }

    /// All that have a digest.
    pub(crate) fn entries(&self) -> impl Iterator<Item = Entry> {
        let entries = |file: &File| -> Vec<Entry> {
            let targets = file.metadata.targets();
            targets.map(|target| file.entry(target)).collect()
        };
        self.files.iter().flat_map(entries)
    }

    /// All images that the files speak of, where they were pushed; at least one.
    pub(crate) fn all_pushed(&self) -> Result<Vec<Pushed>, Failure> {
        let mut images: Vec<Pushed> = Vec::new();
        for File { path, metadata } in &self.files {
            for target in metadata.targets() {
                let image = Pushed::written(target, metadata, target, path)?;
                images.extend(image.filter(|image| !images.contains(image)));
            }
        }
        if images.is_empty() {
            return Err(self.nothing());
        }
        Ok(images)
    }

    /// That the files speak of no image at all.
    pub(crate) fn nothing(&self) -> Failure {
        Failure::invalid(format!("{} of any image", self.no_digest()))
            .hint("give the file that `cargo xtask bake --push --metadata-file FILE` has written")
    }

    /// The images of targets, where they were pushed, and why others are left out. Refused where that is all of them.
    pub(crate) fn pushed(&self, targets: &Targets) -> Result<(Vec<Pushed>, Vec<String>), Failure> {
        let mut images = Vec::new();
        let mut absent = Vec::new();
        for target in targets.chosen() {
            match self.pushed_of(target)? {
                Some(image) => images.push(image),
                None => absent.push(format!(
                    "`{}` is left out: {} of `{}`",
                    target.title(),
                    self.no_digest(),
                    target.name
                )),
            }
        }
        if images.is_empty() {
            return Err(self.none(absent));
        }
        Ok((images, absent))
    }

    /// Of bake files that call different targets the same, the file with the name of this one's image is the one that is meant.
    fn pushed_of(&self, target: &Target) -> Result<Option<Pushed>, Failure> {
        let has = |file: &&File| file.metadata.digest(&target.name).is_some();
        let own = self.find(target).ok().map(|(file, _)| file);
        let file = own.or_else(|| self.files.iter().find(has));
        let Some(File { path, metadata }) = file else {
            return Ok(None);
        };
        Pushed::of_written_target(target, metadata, path)
    }

    /// The file that has an image, and the image; or why none has it.
    fn find(&self, target: &Target) -> Result<(&File, ImageRef), String> {
        let mut others = None;
        for file in &self.files {
            match file.find(target) {
                Some(Ok(image)) => return Ok((file, image)),
                Some(Err(why)) => others = others.or(Some(why)),
                None => {}
            }
        }
        Err(others.unwrap_or_else(|| format!("{} of it", self.no_digest())))
    }

    /// Leaves out of what was chosen what the files do not have, with all that it needs; gives why, an image a line.
    /// Refused when nothing is left.
    pub(crate) fn narrow(&self, targets: &mut Targets) -> Result<Vec<String>, Failure> {
        let left_out = targets.leave_out(|target, needs| {
            let title = target.title();
            if let Some(why) = self.lacks(target) {
                return Some(format!("`{title}` is left out: {why}"));
            }
            let lacking = |needed: &&Target| Some((needed.title(), self.lacks(needed)?));
            let (needed, why) = needs.iter().find_map(lacking)?;
            Some(format!("`{title}` is left out: it needs `{needed}`: {why}"))
        });
        self.refuse_none(targets, left_out)
    }

    /// The same, where what is needed may come from elsewhere.
    pub(crate) fn narrow_without_needs(
        &self,
        targets: &mut Targets,
    ) -> Result<Vec<String>, Failure> {
        let left_out = targets.leave_out(|target, _| {
            let why = self.lacks(target)?;
            Some(format!("`{}` is left out: {why}", target.title()))
        });
        self.refuse_none(targets, left_out)
    }

    /// Why the files do not have a target that is built here; None: they have.
    pub(crate) fn lacks(&self, target: &Target) -> Option<String> {
        let found = target.is_built().then(|| self.find(target));
        found.and_then(Result::err)
    }

    fn refuse_none(
        &self,
        targets: &Targets,
        left_out: Vec<String>,
    ) -> Result<Vec<String>, Failure> {
        if targets.lack_all() && !left_out.is_empty() {
            return Err(self.none(left_out));
        }
        Ok(left_out)
    }

    /// That nothing of what is meant is there, with what is known of that.
    pub(crate) fn none(&self, why: Vec<String>) -> Failure {
        let has = self.verb("has", "have");
        let failure = Failure::invalid(format!("{has} none of these images"));
        why.into_iter().fold(failure, Failure::detail).hint(HINT)
    }

    fn no_digest(&self) -> String {
        self.verb("has no digest", "have no digest")
    }

    /// What the file does, or the files do.
    fn verb(&self, one: &str, several: &str) -> String {
        let files = self.files.iter();
        let files: Vec<String> = files
            .map(|file| format!("`{}`", file.path.display()))
            .collect();
        let verb = if files.len() == 1 { one } else { several };
        format!("{} {verb}", files.join(", "))
    }
}

impl File {
    fn entry(&self, target: &str) -> Entry {
        Entry {
            file: self.path.clone(),
            target: target.to_owned(),
        }
    }

    /// The image of a target, or what stands under its name. Bake files of several extensions may call different targets the same.
    fn find(&self, target: &Target) -> Option<Result<ImageRef, String>> {
        let key = &target.name;
        let digest = self.metadata.digest(key)?;
        let names = self.metadata.names(key);
        let is_its_own = |given: &ImageRef| given.name() == target.tag.name();
        let mut given = names.iter().filter_map(|name| name.parse().ok());
        let given = match (names.first(), given.find(is_its_own)) {
            (_, Some(given)) => given,
            (None, None) => target.tag.clone(),
            (Some(first), None) => {
                let file = self.path.display();
                return Some(Err(format!(
                    "`{file}` has `{first}` under its name, `{key}`"
                )));
            }
        };
        Some(Ok(given.by_digest(&digest)))
    }

    /// Refuses what would make it a matter of their order which image is meant.
    fn check_beside(&self, other: &Self) -> Result<(), Failure> {
        for target in self.metadata.targets() {
            let is_other = self.metadata.digest(target) != other.metadata.digest(target);
            let is_there = other.metadata.digest(target).is_some();
            if is_there && is_other && self.repository(target) == other.repository(target) {
                let (one, two) = (other.path.display(), self.path.display());
                return Err(Failure::invalid(format!(
                    "`{one}` and `{two}` have different images of `{target}`"
                ))
                .hint("leave the one out that is not meant"));
            }
        }
        Ok(())
    }

    /// Where an image was put, by the first of its names.
    fn repository(&self, target: &str) -> Option<String> {
        let names = self.metadata.names(target);
        let first = names.first()?.parse::<ImageRef>().ok()?;
        Some(first.repository)
    }
}
