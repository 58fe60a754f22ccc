// SPDX-License-Identifier: Apache-2.0
//! Writes the newest versions into an extension's metadata.

use std::{
    collections::BTreeSet,
    fmt,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use crate::{
    exec::Exec,
    extension::{Extension, NewPin, repinned},
    failure::Failure,
    own::{file, source},
    plan::{Console, Location, Performed, Work, shell},
    stage::newest::{Answer, Newest},
    value::Server,
};

/// The servers whose pins were written.
#[derive(Clone, Debug, Default)]
pub(super) struct Written(Arc<OnceLock<Vec<Server>>>);

impl Written {
    pub(super) fn has(&self, server: &Server) -> bool {
        self.0.get().is_some_and(|servers| servers.contains(server))
    }
}

/// One file.
#[derive(Debug)]
pub(super) struct Update {
    /// The repository's.
    pub root: PathBuf,
    pub extension: Arc<Extension>,
    /// The servers whose pins were asked for.
    pub pins: Vec<(Server, Answer)>,
    pub written: Written,
}

/// Prints as the command that does the same.
impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = shell::word(&self.extension.name);
        write!(f, "cargo xtask versions {name} --update")?;
        for (option, values) in [
            ("--distro", self.all(|server| &server.distro)),
            ("--pg", self.all(|server| &server.major)),
        ] {
            write!(f, " {option} {}", shell::word(values))?;
        }
        Ok(())
    }
}

impl Work for Update {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let (pins, unknown) = self.new_pins();
        if !pins.is_empty() {
            self.write(&pins)?;
        }
        let known = pins.iter().map(|pin| {
            let NewPin {
                server, package, ..
            } = pin;
            format!("{package} for {server}")
        });
        let known = known.collect::<Vec<_>>().join(", ");
        let mut unknown = unknown.into_iter();
        let first = unknown.next();
        let failure =
            first.map(|first| unknown.fold(first, |failure, other| failure.detail(other.message)));
        match (failure, pins.is_empty()) {
            (Some(failure), true) => Err(failure),
            (Some(failure), false) => Err(failure.detail(format!("written: {known}"))),
            (None, true) => Ok(Performed::Skipped("there is nothing newer".to_owned())),
            (None, false) => Ok(Performed::Done(Some(known))),
        }
    }
}

impl Update {
    /// Each value of the servers once, as one argument.
    fn all<'a, T: Ord + ToString + 'a>(&'a self, of: impl Fn(&'a Server) -> &'a T) -> String {
        let values: BTreeSet<&T> = self.pins.iter().map(|(server, _)| of(server)).collect();
        let values: Vec<String> = values.into_iter().map(ToString::to_string).collect();
        values.join(",")
    }

    fn write(&self, pins: &[NewPin]) -> anyhow::Result<()> {
        let file = Location::Repository(self.extension.metadata_file.clone());
        let text = source::read(&self.root, &file)?.unwrap_or_default();
        let new = repinned(&text, pins)
            .map_err(|failure| failure.detail(format!("`{}` is as it was", file.display())))?;
        file::write_atomically(&file, &new)?;
        let servers = pins.iter().map(|pin| pin.server.clone());
        self.written.0.get_or_init(|| servers.collect());
        Ok(())
    }

    /// What is to be written, and why the rest of what is newer is not.
    fn new_pins(&self) -> (Vec<NewPin>, Vec<Failure>) {
        let (mut new, mut unknown) = (Vec::new(), Vec::new());
        for (server, answer) in &self.pins {
            let pin = self.extension.pin(server);
            let found = pin.and_then(|pin| Some((pin, answer.compared(&self.extension, pin)?)));
            let Some((pin, compared)) = found else {
                continue;
            };
            let Some(newest) = compared.replacement() else {
                continue;
            };
            if pin.sql.is_some() && newest.sql.is_none() {
                unknown.push(self.without_sql_version(server, newest));
                continue;
            }
            new.push(NewPin {
                server: server.clone(),
                package: newest.package.clone(),
                sql: newest.sql.clone().filter(|_| pin.sql.is_some()),
            });
        }
        (new, unknown)
    }

    fn without_sql_version(&self, server: &Server, newest: &Newest) -> Failure {
        Failure::failed(format!(
            "no control file of `{}` says which SQL version package {} for {server} makes",
            self.extension.sql_name, newest.package
        ))
        .hint("change `package` and `sql` by hand: what is not known is not written")
    }
}
