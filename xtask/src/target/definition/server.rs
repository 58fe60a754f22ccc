// SPDX-License-Identifier: Apache-2.0
//! For which PostgreSQL a target is: what its annotations, its arguments and its name say of that, and what is wrong with it.

use super::{BASE, Definition, MAJOR};
use crate::{
    failure::Failure,
    value::{ImageRef, Major, Server, Suite, annotations},
};

/// What one place says of a server.
#[derive(Default)]
struct Said {
    major: Option<Word>,
    distro: Option<Word>,
}

/// A text, and how a sentence begins that ends with it.
struct Word {
    place: String,
    text: String,
}

impl Word {
    fn new(place: impl Into<String>, text: &str) -> Self {
        Self {
            place: place.into(),
            text: text.to_owned(),
        }
    }

    /// A sentence: what is there, and what it should be where it is something else.
    fn sentence(&self, is_right: bool, wanted: &str) -> String {
        let wrong = (!is_right).then(|| format!(", which is not {wanted}"));
        let wrong = wrong.unwrap_or_default();
        format!("{} `{}`{wrong}", self.place, self.text)
    }
}

impl Said {
    fn server(&self) -> Option<Server> {
        Server::parse(&self.distro.as_ref()?.text, &self.major.as_ref()?.text)
    }

    fn sentences(&self) -> impl Iterator<Item = String> {
        let major = self.major.iter();
        let major = major.map(|word| word.sentence(Major::is(&word.text), Major::WANTED));
        let distro = self.distro.iter();
        major.chain(distro.map(|word| word.sentence(Suite::is(&word.text), Suite::WANTED)))
    }
}

impl Definition<'_> {
    /// The PostgreSQL that it is for: as its annotations say, or else its arguments, or else its name.
    pub(crate) fn server(self) -> Result<Server, Failure> {
        let places = [self.in_annotations(), self.in_arguments(), self.in_name()];
        let server = places.iter().find_map(Said::server);
        server.ok_or_else(|| self.unknown_server(&places))
    }

    fn in_annotations(self) -> Said {
        let annotations = self.annotations();
        let word = |key: &str| {
            let text = annotations.get(key)?;
            Some(Word::new(format!("its `{key}` is"), text))
        };
        Said {
            major: word(annotations::BASE_MAJOR),
            distro: word(annotations::BASE_OS),
        }
    }

    fn in_arguments(self) -> Said {
        let major = self.argument(MAJOR);
        let distro = self.argument(BASE).map(|base| {
            let image: Option<ImageRef> = base.parse().ok();
            let tag = image.and_then(|image| image.tag);
            match tag.as_deref().and_then(|tag| tag.rsplit('-').next()) {
                Some(end) => Word::new(format!("the tag of its argument `{BASE}` ends in"), end),
                None => Word::new(format!("its argument `{BASE}` has no tag:"), base),
            }
        });
        Said {
            major: major.map(|text| Word::new(format!("its argument `{MAJOR}` is"), text)),
            distro,
        }
    }

    /// The last two words. Without a major among them they mean something else.
    fn in_name(self) -> Said {
        let mut words = self.name.rsplit('-');
        let (distro, major) = (words.next(), words.next());
        let Some(major) = major.filter(|text| Major::is(text)) else {
            return Said::default();
        };
        Said {
            major: Some(Word::new("the last word but one of its name is", major)),
            distro: distro.map(|text| Word::new("the last word of its name is", text)),
        }
    }

    fn unknown_server(self, places: &[Said]) -> Failure {
        let found: Vec<String> = places.iter().flat_map(Said::sentences).collect();
        let has_major = places.iter().any(|said| said.major.is_some());
        let has_distro = places.iter().any(|said| said.distro.is_some());
        let lacking = match (has_major, has_distro) {
            (false, false) => Some("nothing says"),
            (true, false) => Some("nothing says the Debian suite"),
            (false, true) => Some("nothing says the major"),
            (true, true) => None,
        };
        let found = found.into_iter().chain(lacking.map(str::to_owned));
        let why = found.collect::<Vec<_>>().join("; ");
        let failure = self.wrong(&format!("for which PostgreSQL it is, is not known: {why}"));
        failure.hint(format!(
            "annotate it with `{}` and `{}`, or let its name end in `-18-trixie`",
            annotations::BASE_MAJOR,
            annotations::BASE_OS
        ))
    }
}
