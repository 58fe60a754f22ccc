// SPDX-License-Identifier: Apache-2.0
//! Which processes are there: those that carry our mark, and those of an engine.

use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

/// In the environment of all that a round starts, with the series and the round as its value.
pub(crate) const MARK: &str = "XTASK_KILL_ROUND";

#[derive(Debug)]
pub(crate) struct Process {
    pub(crate) number: i32,
    pub(crate) name: String,
    /// The PID namespace.
    space: OsString,
    mark: Option<String>,
    program: PathBuf,
    arguments: String,
}

impl Process {
    /// None when it has ended meanwhile, or only its remains are there.
    fn read(number: i32) -> Option<Self> {
        let folder = PathBuf::from(format!("/proc/{number}"));
        let program = fs::read_link(folder.join("exe")).ok()?;
        let environment = fs::read(folder.join("environ")).ok()?;
        let prefix = format!("{MARK}=");
        let mut variables = environment.split(|byte| *byte == 0);
        let mark = variables.find_map(|text| text.strip_prefix(prefix.as_bytes()));
        let arguments = fs::read(folder.join("cmdline")).ok()?;
        Some(Self {
            number,
            name: fs::read_to_string(folder.join("comm"))
                .ok()?
                .trim()
                .to_owned(),
            space: fs::read_link(folder.join("ns/pid")).ok()?.into(),
            mark: mark.map(|text| String::from_utf8_lossy(text).into_owned()),
            program,
            arguments: String::from_utf8_lossy(&arguments).replace('\0', " "),
        })
    }

    /// Whether it is a run of xtask that a round has started; the first process of a sandbox is none.
    pub(crate) fn is_run(&self) -> bool {
        let program = self.program.as_os_str().as_bytes();
        // So it reads when the program was built again meanwhile.
        let program = program.strip_suffix(b" (deleted)").unwrap_or(program);
        program == env!("CARGO_BIN_EXE_xtask").as_bytes()
            && !self.arguments.contains(" sandbox init ")
    }

    fn is_of(&self, series: &str) -> bool {
        let mark = self.mark.as_deref();
        let rest = mark.and_then(|mark| mark.strip_prefix(series));
        rest.is_some_and(|rest| rest.starts_with('-'))
    }

    pub(crate) fn is_marked(&self, mark: &str) -> bool {
        self.mark.as_deref() == Some(mark)
    }
}

/// What the marks of this series begin with: another one may run on the machine.
pub(crate) fn series(seed: u64) -> String {
    format!("{seed}-{}", std::process::id())
}

pub(crate) fn all() -> Vec<Process> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    let numbers = entries.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok());
    numbers.filter_map(Process::read).collect()
}

/// The number of an engine's first process, from the sandbox's folder.
pub(crate) fn engine(folder: &Path) -> Option<i32> {
    let text = fs::read_to_string(folder.join("engine")).ok()?;
    text.split(' ').next()?.parse().ok()
}

/// A line for each process of the engines, and for each one outside that carries a mark of `series`.
pub(crate) fn lines(folders: &[&Path], series: &str) -> Vec<String> {
    let all = all();
    let spaces: Vec<(usize, &OsString)> = folders
        .iter()
        .enumerate()
        .filter_map(|(at, folder)| {
            let first = engine(folder)?;
            let first = all.iter().find(|process| process.number == first)?;
            Some((at, &first.space))
        })
        .collect();
    let own = fs::read_link("/proc/self/ns/pid").unwrap();
    let mut lines = Vec::new();
    for process in &all {
        let engine = spaces.iter().find(|(_, space)| **space == process.space);
        if let Some((at, _)) = engine {
            lines.push(format!("process in sandbox {}: {}", at + 1, process.name));
        } else if process.is_of(series) && process.space == own.as_os_str() {
            lines.push(format!("process: {}", process.name));
        }
    }
    lines
}
