// SPDX-License-Identifier: Apache-2.0
//! Writes the newest versions into an extension's metadata.

use std::{fmt, path::PathBuf, sync::Arc};

use crate::{
    exec::Exec,
    extension::{Extension, NewPin, repinned},
    failure::Failure,
    own::{file, source},
    plan::{Console, Location, Performed, Work},
    stage::newest::Answer,
    value::Server,
};

/// One file.
#[derive(Debug)]
pub(super) struct Update {
    /// The repository's.
    pub root: PathBuf,
    pub extension: Arc<Extension>,
    /// The servers whose pins were asked for.
    pub pins: Vec<(Server, Answer)>,
}

impl fmt::Display for Update {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let file = self.extension.metadata_file.display();
        write!(f, "# write what is newest into `versions` of {file}")
    }
}

impl Work for Update {
    fn programs(&self) -> &'static [&'static str] {
        &[]
    }

    fn perform(&self, _: &dyn Exec, _: &mut Console<'_>) -> Result<Performed, Failure> {
        let pins = self.new_pins()?;
        if pins.is_empty() {
            return Ok(Performed::Skipped("each pin is the newest".to_owned()));
        }
        let file = Location::Repository(self.extension.metadata_file.clone());
        let text = source::read(&self.root, &file)?.unwrap_or_default();
        let new = repinned(&text, &pins)
            .map_err(|failure| failure.detail(format!("`{}` is as it was", file.display())))?;
        file::write_atomically(&file, &new)?;
        let pins = pins.iter().map(|pin| {
            let NewPin {
                server, package, ..
            } = pin;
            format!("{package} for {server}")
        });
        Ok(Performed::Done(Some(pins.collect::<Vec<_>>().join(", "))))
    }
}

impl Update {
    fn new_pins(&self) -> Result<Vec<NewPin>, Failure> {
        let mut new = Vec::new();
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
                return Err(Failure::failed(format!(
                    "no control file of `{}` says which SQL version package {} makes",
                    self.extension.sql_name, newest.package
                ))
                .hint("change `package` and `sql` by hand: what is not known is not written"));
            }
            new.push(NewPin {
                server: server.clone(),
                package: newest.package.clone(),
                sql: newest.sql.clone().filter(|_| pin.sql.is_some()),
            });
        }
        Ok(new)
    }
}
