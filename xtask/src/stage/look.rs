// SPDX-License-Identifier: Apache-2.0
//! Looks into images, as steps: each is opened, its files go into an archive of this run, the archive is read, and nothing of
//! that stays. No file of an image is unpacked or run.

mod findings;
mod inspection;

pub(crate) use inspection::Inspection;

use std::{
    collections::BTreeMap,
    fmt, io,
    path::Path,
    sync::{Arc, OnceLock},
};

use crate::{
    exec::Exec,
    failure::Failure,
    image::{Image, ImageRef, Inventory, Opened, Provider},
    own::{RunId, file, source},
    plan::{Action, Cmd, Console, Location, Performed, Plan, Step, StepId, Undo, Work, shell},
    stage::subject::Subject,
    tool::docker::RUN_LABEL,
};

/// In a folder of its own.
const ARCHIVE: &str = "files.tar";

/// Where a step leaves what is in an image.
#[derive(Clone, Debug, Default)]
pub(crate) struct Found(Arc<OnceLock<Inventory>>);

impl Found {
    /// None: it was not read.
    pub(crate) fn get(&self) -> Option<&Inventory> {
        self.0.get()
    }
}

/// Where a step leaves what a base image provides.
#[derive(Clone, Debug, Default)]
pub(crate) struct FoundBase(Arc<OnceLock<Provider>>);

impl FoundBase {
    /// None: it was not read.
    pub(crate) fn get(&self) -> Option<&Provider> {
        self.0.get()
    }
}

/// What will be known of an image.
#[derive(Debug)]
pub(crate) struct Looked {
    pub found: Found,
    /// None: it is not known which one is the base image.
    pub base: Option<FoundBase>,
}

/// Adds the steps that look into images.
pub(crate) struct Looking<'a> {
    pub plan: &'a mut Plan,
    pub run: &'a RunId,
    opened: usize,
}

impl<'a> Looking<'a> {
    pub(crate) fn new(plan: &'a mut Plan, run: &'a RunId) -> Self {
        Self {
            plan,
            run,
            opened: 0,
        }
    }

    /// The same, where others of this run are numbered below.
    pub(crate) fn numbered(plan: &'a mut Plan, run: &'a RunId, opened: usize) -> Self {
        Self { plan, run, opened }
    }

    /// Writes which packages an image says that it is made of, as dpkg keeps them.
    pub(crate) fn packages(&mut self, subject: &Subject, into: Location, after: StepId) -> StepId {
        let reading = Reading::Packages(into);
        self.add(
            &Image::Given(subject.image.clone()),
            "image",
            &subject.title,
            reading,
            vec![after],
        )
    }

    /// Of each image what is in it.
    pub(crate) fn images(&mut self, subjects: &[Subject]) -> Vec<Found> {
        let all = subjects.iter().map(|subject| self.image(subject).0);
        all.collect()
    }

    /// The same, and what their base images provide for them: each base image is read once.
    pub(crate) fn images_with_bases(&mut self, subjects: &[Subject]) -> Vec<Looked> {
        let mut bases: BTreeMap<String, (ImageRef, Vec<Found>, Vec<StepId>)> = BTreeMap::new();
        let mut all = Vec::new();
        for subject in subjects {
            let (found, step) = self.image(subject);
            let base = subject.base();
            if let Some(base) = &base {
                let entry = bases.entry(base.to_string());
                let entry = entry.or_insert_with(|| (base.clone(), Vec::new(), Vec::new()));
                entry.1.push(found.clone());
                entry.2.push(step);
            }
            all.push((found, base));
        }
        let read = bases.into_iter().map(|(name, (base, of, after))| {
            let found = FoundBase::default();
            let reading = Reading::Base {
                of,
                found: found.clone(),
            };
            let title = base.to_string();
            self.add(&Image::Given(base), "base image", &title, reading, after);
            (name, found)
        });
        let read: BTreeMap<String, FoundBase> = read.collect();
        let looked = all.into_iter().map(|(found, base)| Looked {
            base: base.and_then(|base| read.get(&base.to_string()).cloned()),
            found,
        });
        looked.collect()
    }

    fn image(&mut self, subject: &Subject) -> (Found, StepId) {
        let image = Image::Given(subject.image.clone());
        self.files(&image, &subject.title, Vec::new())
    }

    /// What is in an image, which is there `after` these steps; with the step that reads it.
    pub(crate) fn files(
        &mut self,
        image: &Image,
        title: &str,
        after: Vec<StepId>,
    ) -> (Found, StepId) {
        let found = Found::default();
        let reading = Reading::Image(found.clone());
        let step = self.add(image, "image", title, reading, after);
        (found, step)
    }

    /// Gives the step that reads the archive.
    fn add(
        &mut self,
        image: &Image,
        kind: &str,
        title: &str,
        reading: Reading,
        after: Vec<StepId>,
    ) -> StepId {
        self.opened += 1;
        let name = format!("xtask-inspect-{}-{}", self.run.short(), self.opened);
        let opened = Opened {
            name: &name,
            label: &format!("{RUN_LABEL}={}", self.run),
            of: &format!("{kind} `{image}`"),
        };
        let folder = Location::output(format!("target/xtask/inspect/{name}"));
        let export = Cmd::new("docker", format!("read the files of `{image}`"))
            .args(["export", "--output"])
            .arg(folder.join(ARCHIVE))
            .args(["--", &name]);
        let read = Read {
            folder: folder.clone(),
            reading,
        };
        let what = format!("{kind} {title}");
        let open = opened.open(format!("open {what}"), image);
        let place = Step::new(format!("folder for {what}"), Action::Folder(folder.clone()));
        let place = place.quiet().undo(Undo::RemoveFolder(folder.clone()));
        let mut last = self.plan.add(open.quiet().after(after));
        last = self.plan.add(place.after([last]));
        last = self
            .plan
            .add(Step::run(format!("read {what}"), export).after([last]));
        let read = Step::work(format!("list {what}"), read).quiet();
        let read = self.plan.add(read.after([last]));
        let close = opened.close(format!("close {what}"));
        last = self.plan.add(close.quiet().after([read]));
        let clear = Step::new(format!("clear {what}"), Action::RemoveFolder(folder));
        self.plan.add(clear.quiet().after([last]));
        read
    }
}

/// What an archive is read for.
#[derive(Debug)]
enum Reading {
    Image(Found),
    /// The packages that it says it is made of, and where these are written.
    Packages(Location),
    /// Of a base image, what it provides for others.
    Base {
        of: Vec<Found>,
        found: FoundBase,
    },
}

/// Reads the archive in a folder.
#[derive(Debug)]
struct Read {
    folder: Location,
    reading: Reading,
}

impl fmt::Display for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let archive = self.folder.join(ARCHIVE);
        let archive = shell::operand(&archive);
        match &self.reading {
            Reading::Packages(into) => write!(
                f,
                "tar --extract --file {archive} --to-command {} var/lib/dpkg/status.d > {}",
                shell::word("cat; printf 'Status: install ok installed\\n\\n'"),
                shell::operand(into)
            ),
            _ => write!(f, "tar --list --verbose --file {archive}"),
        }
    }
}

impl Work for Read {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let refused = |error: io::Error| {
            Failure::failed(format!(
                "the files that `docker export` gives cannot be read: {error}"
            ))
        };
        let archive = source::open_own(&self.folder, Path::new(ARCHIVE))?;
        let archive = io::BufReader::with_capacity(1 << 20, archive);
        match &self.reading {
            Reading::Image(found) => {
                let inventory = Inventory::read(archive).map_err(refused)?;
                found.0.get_or_init(|| inventory);
            }
            Reading::Packages(into) => {
                let inventory = Inventory::read(archive).map_err(refused)?;
                write_packages(&inventory, into)?;
            }
            Reading::Base { of, found } => {
                let of: Vec<&Inventory> = of.iter().filter_map(Found::get).collect();
                let provider = Provider::read(archive, &of).map_err(refused)?;
                found.0.get_or_init(|| provider);
            }
        }
        Ok(Performed::Done(None))
    }
}

/// An image that says nothing of its packages is no image without faults.
fn write_packages(image: &Inventory, into: &Location) -> Result<(), Failure> {
    if image.packages.is_empty() {
        return Err(Failure::failed(
            "the image does not say which packages it is made of: it has no `/var/lib/dpkg/status.d`",
        )
        .hint("images that are baked here have it; for others choose a scanner that reads the image's files"));
    }
    let texts: Vec<String> = image.packages.iter().map(ToString::to_string).collect();
    Ok(file::write_atomically(into, &texts.join("\n"))?)
}
