// SPDX-License-Identifier: Apache-2.0
//! Looks for the newest published image of an extension, and whether it is another one than a catalog has.

use std::{
    fmt,
    path::Path,
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::{
    exec::{Exec, Supervision},
    failure::Failure,
    image::{Annotations, ImageRef, Pair, Stamped, annotations},
    own::{file, source},
    plan::{Console, Location, Performed, Work, shell},
    tool::{
        buildx,
        imagetools::{Described, described_if_there},
        oras,
    },
};

/// How long listing the tags of a repository may take: a registry gives them in pages.
const PATIENCE: Duration = Duration::from_secs(120);
const ARCHIVE: &str = "pair.tar";

/// What an image says of itself that is of weight to a server; when and of which commit it was built is not.
const WEIGHTY: &[&str] = &[
    annotations::BASE_NAME,
    annotations::BASE_OS,
    annotations::BASE_MAJOR,
    annotations::VERSION,
    annotations::SQL_VERSION,
    annotations::LICENSES,
];

/// What was found in place of what a catalog has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// An image that the catalog does not have.
    Other(ImageRef),
    /// The one that the catalog has.
    Same,
    /// An image that holds the same as the one that the catalog has.
    Alike(ImageRef),
    /// One that was baked before the one that the catalog has.
    Older(ImageRef),
    /// None, and why.
    Missing(String),
}

/// Where a step leaves what it has found.
#[derive(Clone, Debug, Default)]
pub(super) struct Answer(Arc<OnceLock<Found>>);

impl Answer {
    pub(super) fn get(&self) -> Option<&Found> {
        self.0.get()
    }
}

#[derive(Debug)]
pub(super) struct Find {
    pub stamped: Stamped,
    /// What the catalog has.
    pub current: Option<ImageRef>,
    pub builder: Option<String>,
    /// For the files of two images.
    pub folder: Location,
    /// Fail where there is none.
    pub strict: bool,
    pub answer: Answer,
}

/// Prints as a pipe that prints the newest tag.
impl fmt::Display for Find {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} | LC_ALL=C sort -u | (newest=; while IFS= read -r tag; do case $tag in {}{}{}) newest=$tag ;; esac; done; \
             printf '%s\\n' {}:\"$newest\")",
            oras::tags_cmd(&self.stamped.repository),
            shell::word(&self.stamped.prefix),
            "[0-9]".repeat(self.stamped.digits),
            shell::word(&self.stamped.suffix),
            shell::word(&self.stamped.repository)
        )
    }
}

impl Work for Find {
    fn programs(&self) -> &'static [&'static str] {
        &["docker", "oras"]
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let found = self.find(exec, console)?;
        let done = match &found {
            Found::Other(image) => Performed::Done(image.tag.clone()),
            Found::Same => Performed::Done(Some("the catalog has it".into())),
            Found::Alike(image) => {
                let tag = image.tag.as_deref().unwrap_or_default();
                Performed::Done(Some(format!(
                    "{tag} holds the same as what the catalog has"
                )))
            }
            Found::Older(image) => {
                let tag = image.tag.as_deref().unwrap_or_default();
                let current = self.current.as_ref().map(ToString::to_string);
                let current = current.unwrap_or_default();
                (console.warning)(format!(
                    "`{current}`, which the catalog has, is newer than `{tag}`, the newest that is there: it stays"
                ));
                Performed::Done(Some(format!("{tag} is older than what the catalog has")))
            }
            Found::Missing(why) if self.strict => {
                return Err(Failure::failed(why.clone())
                    .hint("push and publish it; without `--strict` it is left out"));
            }
            // Its row says so.
            Found::Missing(why) => Performed::Skipped(why.clone()),
        };
        self.answer.0.get_or_init(|| found);
        Ok(done)
    }
}

impl Find {
    fn find(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Found, Failure> {
        let tags = match self.tags(exec)? {
            Ok(tags) => tags,
            Err(why) => return Ok(Found::Missing(why)),
        };
        let Some(newest) = self.stamped.of(tags.iter().map(String::as_str)).pop() else {
            return Ok(Found::Missing(self.nothing_in(&tags)));
        };
        let image = ImageRef {
            repository: self.stamped.repository.clone(),
            tag: Some(newest.to_owned()),
            digest: None,
        };
        let new = Described::read(&image, exec)?;
        let Some(current) = &self.current else {
            return Ok(Found::Other(new.reference));
        };
        let is_comparable = current.repository == image.repository && current.digest.is_some();
        if !is_comparable {
            return Ok(Found::Other(new.reference));
        }
        if current.digest == new.reference.digest {
            return Ok(Found::Same);
        }
        let Some(old) = described_if_there(current, exec)? else {
            (console.warning)(format!(
                "`{current}`, which the catalog has, is not in its registry any more"
            ));
            return Ok(Found::Other(new.reference));
        };
        if self.is_newer(current, newest) {
            return Ok(Found::Older(new.reference));
        }
        if self.is_alike(&old, &new, exec)? {
            return Ok(Found::Alike(new.reference));
        }
        Ok(Found::Other(new.reference))
    }

    /// Whether what the catalog has was baked after the image with this tag, by its own tag.
    fn is_newer(&self, current: &ImageRef, newest: &str) -> bool {
        let tag = current.tag.as_deref();
        let tag = tag.filter(|tag| self.stamped.covers(tag));
        tag.is_some_and(|tag| tag > newest)
    }

    /// The tags of the repository, or why there are none.
    fn tags(&self, exec: &dyn Exec) -> Result<Result<Vec<String>, String>, Failure> {
        let repository = &self.stamped.repository;
        match exec.read(&oras::tags_cmd(repository), Some(PATIENCE)) {
            Ok(text) => Ok(Ok(oras::parse_tags(&text))),
            Err(failed) if oras::is_no_repository(&failed) && !exec.interrupted() => {
                let said = failed.cause().unwrap_or("it did not say why");
                let said = said.trim_start_matches("Error response from registry: ");
                // Go's form of what registries say beside it.
                let said = said.split_once(": map[").map_or(said, |(said, _)| said);
                Ok(Err(format!("the registry has no `{repository}`: {said}")))
            }
            Err(failed) => Err(Failure::from(failed).or_unavailable()),
        }
    }

    fn nothing_in(&self, tags: &[String]) -> String {
        let mut others: Vec<&String> = tags
            .iter()
            .filter(|tag| tag.ends_with(&self.stamped.suffix))
            .collect();
        others.sort();
        let others = match others.last() {
            Some(last) => format!("; of others for that server there is `{last}`"),
            None => String::new(),
        };
        format!("`{}` is not there{others}", self.stamped.pattern())
    }

    fn is_alike(&self, old: &Described, new: &Described, exec: &dyn Exec) -> Result<bool, Failure> {
        let said = |annotations: &Annotations| -> Vec<Option<String>> {
            let all = WEIGHTY.iter();
            all.map(|name| annotations.get(name).map(str::to_owned))
                .collect()
        };
        if said(&old.annotations) != said(&new.annotations) || old.platforms != new.platforms {
            return Ok(false);
        }
        let pair = self.read_pair(old, new, exec);
        file::remove_folder(&self.folder)?;
        Ok(pair?.is_alike())
    }

    fn read_pair(
        &self,
        old: &Described,
        new: &Described,
        exec: &dyn Exec,
    ) -> Result<Pair, Failure> {
        file::make_folder(&self.folder)?;
        let by_digest = |described: &Described| ImageRef {
            tag: None,
            ..described.reference.clone()
        };
        let mut platforms = old.platforms.clone();
        if platforms.is_empty() {
            platforms.push(old.platform(exec)?);
        }
        let cmd = buildx::pair_cmd(
            [&by_digest(old), &by_digest(new)],
            Pair::FOLDERS,
            &platforms,
            self.builder.as_deref(),
            &self.folder.join(ARCHIVE),
        );
        exec.run(&cmd, Supervision::default(), &mut |_| {})?;
        let archive = source::open_own(&self.folder, Path::new(ARCHIVE))?;
        Pair::read(archive).map_err(|error| {
            Failure::failed(format!("what buildx has copied cannot be read: {error}"))
        })
    }
}
