// SPDX-License-Identifier: Apache-2.0
//! Scans of images, as steps: the image is saved by its digest, or its packages are read; scanners look at that, each leaves a
//! report, and what was only for them is removed.

use std::{
    fmt,
    io::Read as _,
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use crate::{
    config::Scanner,
    exec::{Exec, Reason, Supervision},
    failure::Failure,
    image::ImageRef,
    own::{RunId, file, source},
    plan::{
        Action, Cmd, Console, Location, Performed, Plan, Step, StepId, Undo, Work, shell::operand,
    },
    stage::{look::Looking, subject::Subject},
    tool::{scan_report::Counts, scanner::Given},
    value::Digest,
};

/// Where reports go when nothing else is said, and what is only for scanners.
pub(crate) const FOLDER: &str = "target/xtask/scan";

/// Bytes of a report that are read.
const LARGEST: u64 = 256 << 20;

/// How long a scanner may take, which may first download what it knows.
const LIMIT: Duration = Duration::from_secs(3600);

/// What is to be scanned, and with what.
pub(crate) struct Scan<'a> {
    pub subject: &'a Subject,
    pub scanners: &'a [Scanner],
    /// Where debsecan's data are. None: at Debian's.
    pub tracker: Option<&'a str>,
    /// Where reports go.
    pub output: &'a Location,
}

/// A scanner's step, and what it will have found.
pub(crate) struct Scanned {
    pub scanner: Scanner,
    pub step: StepId,
    pub report: PathBuf,
    found: Arc<OnceLock<Counts>>,
}

impl Scanned {
    /// None: it could not look.
    pub(crate) fn counts(&self) -> Option<Counts> {
        self.found.get().copied()
    }
}

impl Scan<'_> {
    /// Adds its steps; `number` tells its folder from others of the run.
    pub(crate) fn add(&self, plan: &mut Plan, run: &RunId, number: usize) -> Vec<Scanned> {
        let title = &self.subject.title;
        let name = format!("xtask-scan-{}-{number}", run.short());
        let folder = Location::output(format!("{FOLDER}/{name}"));
        let place = Step::new(
            format!("folder for {title}"),
            Action::Folder(folder.clone()),
        );
        let place = plan.add(place.quiet().undo(Undo::RemoveFolder(folder.clone())));
        let reports = Step::new(
            format!("folder for reports on {title}"),
            Action::Folder(self.output.clone()),
        );
        let reports = plan.add(reports.quiet());
        let (archive, status) = (folder.join("image.tar"), folder.join("status"));
        let mut after = vec![place, reports];
        if self.scanners.iter().any(|one| one.reads_archive()) {
            let save = Step::run(format!("save {title}"), self.save(&archive));
            after.push(plan.add(save.after([place])));
        }
        if self.scanners.iter().any(|one| !one.reads_archive()) {
            let into = Location::output(&status);
            let mut looking = Looking::numbered(plan, run, number);
            after.push(looking.packages(self.subject, into, place));
        }
        let suite = self.subject.suite();
        let scanned = self.scanners.iter().map(|&scanner| {
            let report = self.report(scanner);
            let written = folder.join(report.file_name().unwrap_or_default());
            let given = Given {
                title,
                archive: &archive,
                status: &status,
                suite: suite.as_ref(),
                tracker: self.tracker,
                report: &written,
            };
            let found = Arc::new(OnceLock::new());
            let looks = Looks {
                scanner,
                cmd: scanner.cmd(&given),
                folder: folder.clone(),
                place: match self.output {
                    Location::Named(_) => Location::Named(report.clone()),
                    _ => Location::output(&report),
                },
                found: Arc::clone(&found),
            };
            let step = Step::work(format!("{} {title}", scanner.program()), looks);
            let step = plan.add(step.after(after.iter().copied()));
            Scanned {
                scanner,
                step,
                report,
                found,
            }
        });
        let scanned: Vec<Scanned> = scanned.collect();
        let clear = Step::new(format!("clear {title}"), Action::RemoveFolder(folder));
        let ended = scanned.iter().map(|one| one.step);
        plan.add(clear.quiet().after([place]).after_end_of(ended));
        scanned
    }

    /// By its digest, where it is known: a tag may move.
    fn save(&self, archive: &Path) -> Cmd {
        let Subject { image, said, .. } = self.subject;
        let image = ImageRef {
            tag: image.tag.clone().filter(|_| said.digest.is_none()),
            digest: said.digest.clone().or(image.digest.clone()),
            repository: image.repository.clone(),
        };
        Cmd::new("docker", format!("save the image `{image}`"))
            .args(["save", "--output"])
            .arg(archive)
            .arg("--")
            .arg(image.to_string())
    }

    fn report(&self, scanner: Scanner) -> PathBuf {
        let safe = |c: char| {
            if c.is_ascii_alphanumeric() || c == '.' {
                c
            } else {
                '-'
            }
        };
        let title = &self.subject.title;
        let mut name: String = title.chars().map(safe).collect();
        // `a/b:1` and `a-b-1` are two images.
        if title.contains(['/', ':', '@']) {
            let digest = Digest::of(title.as_bytes());
            name += &format!("-{}", digest.short().trim_start_matches("sha256:"));
        }
        let (program, end) = (scanner.program(), scanner.extension());
        self.output.join(format!("{name}.{program}.{end}"))
    }
}

/// Lets a scanner look, and reads its report.
#[derive(Debug)]
struct Looks {
    scanner: Scanner,
    cmd: Cmd,
    /// Where it writes its report: what an earlier run has left elsewhere must not be taken for it.
    folder: Location,
    /// Where the report stays.
    place: Location,
    found: Arc<OnceLock<Counts>>,
}

impl fmt::Display for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (written, place) = (operand(&self.written()), operand(&self.place));
        if self.scanner.reads_archive() {
            write!(f, "{} && cp -- {written} {place}", self.cmd)
        } else {
            write!(f, "{} > {place}", self.cmd)
        }
    }
}

impl Work for Looks {
    fn programs(&self) -> &'static [&'static str] {
        match self.scanner {
            Scanner::Trivy => &["trivy"],
            Scanner::Grype => &["grype"],
            Scanner::Dockle => &["dockle"],
            Scanner::Debsecan => &["debsecan"],
        }
    }

    fn perform(&self, exec: &dyn Exec, console: &mut Console<'_>) -> Result<Performed, Failure> {
        let how = Supervision {
            timeout: Some(LIMIT),
            ..Supervision::default()
        };
        let (text, counts) = if self.scanner.reads_archive() {
            match exec.run(&self.cmd, how, console.line) {
                Err(failed) if !self.has_only_found(&failed.reason) => return Err(failed.into()),
                Err(_) | Ok(()) => self.read()?,
            }
        } else {
            let printed = exec.read(&self.cmd, Some(LIMIT))?;
            let counts = Counts::of_debsecan(&printed);
            (printed, counts)
        };
        file::write_atomically(&self.place, &text)?;
        self.found.get_or_init(|| counts);
        Ok(Performed::Done(Some(counts.to_string())))
    }
}

impl Looks {
    /// Whether the scanner ended so because its own settings say so of what it has found.
    fn has_only_found(&self, reason: &Reason) -> bool {
        matches!(reason, Reason::Status(status) if Some(*status) == self.scanner.has_found())
    }

    fn written(&self) -> PathBuf {
        self.folder.join(self.place.file_name().unwrap_or_default())
    }

    /// The report that the scanner has written, which is passed on as it is.
    fn read(&self) -> Result<(String, Counts), Failure> {
        let program = self.scanner.program();
        let wrong = |what: String| {
            Failure::failed(format!("`{program}` has left no report in SARIF: {what}"))
        };
        let name = self.place.file_name().unwrap_or_default();
        let file = source::open_own(&self.folder, Path::new(name));
        let file = file.map_err(|failure| wrong(failure.message))?;
        let mut text = String::new();
        file.take(LARGEST)
            .read_to_string(&mut text)
            .map_err(|error| wrong(error.to_string()))?;
        let counts = Counts::of_sarif(text.as_bytes()).map_err(wrong)?;
        Ok((text, counts))
    }
}
