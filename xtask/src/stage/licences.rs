// SPDX-License-Identifier: Apache-2.0
//! The packages of an image with their licences, and the repository's rule for these.

use std::fmt;

use serde::Serialize;

use crate::{
    image::{
        Inventory,
        annotations::{LICENSES, VERSION},
    },
    stage::subject::Subject,
    value::{AllowList, Licence},
};

/// What is refused of a package of which nobody has said it.
const UNKNOWN: &str = "unknown licence";

/// Where a licence is said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "kind", content = "place")]
pub(crate) enum Where {
    /// The copyright file of a package, by its path in the image.
    Copyright(String),
    /// The image's own annotation, as its file says it for people alone or there is none.
    Annotation,
    /// The repository's settings.
    Settings,
}

impl fmt::Display for Where {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Copyright(path) => f.write_str(path),
            Self::Annotation => write!(f, "the annotation `{LICENSES}`"),
            Self::Settings => f.write_str("`licences.clarified`"),
        }
    }
}

/// A package of an image.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct Package {
    pub name: String,
    /// None: nothing in the image says it.
    pub version: Option<String>,
    /// None: nothing says it for machines.
    pub licence: Option<Licence>,
    /// Where that is said, or would be.
    pub from: Where,
}

/// What the repository says of licences.
pub(crate) struct Rule {
    allowed: AllowList,
    /// Of packages whose files are for people alone.
    clarified: Vec<(String, Licence)>,
}

impl Rule {
    /// `clarified`: packages with expressions of SPDX.
    pub(crate) fn of(allowed: &[String], clarified: &[(String, String)]) -> Self {
        let clarified = clarified.iter();
        let clarified =
            clarified.filter_map(|(package, text)| Some((package.clone(), text.parse().ok()?)));
        Self {
            allowed: AllowList::of(allowed),
            clarified: clarified.collect(),
        }
    }

    /// Whether there is a rule.
    pub(crate) fn is_one(&self) -> bool {
        !self.allowed.is_empty()
    }

    /// What of a licence is not allowed. None: there is no rule.
    pub(crate) fn refused(&self, licence: Option<&Licence>) -> Option<Vec<String>> {
        self.is_one().then(|| match licence {
            Some(licence) => self.allowed.refused(licence),
            None => vec![UNKNOWN.to_owned()],
        })
    }

    fn clarified(&self, package: &str) -> Option<Licence> {
        let mut all = self.clarified.iter();
        Some(all.find(|(name, _)| name == package)?.1.clone())
    }
}

/// The packages of an image: those whose copyright files it has, bundled libraries among them. One without any is taken as
/// one package, of which its annotations speak.
pub(crate) fn packages(subject: &Subject, image: &Inventory, rule: &Rule) -> Vec<Package> {
    let labels = &subject.said.labels;
    let annotated = || labels.get(LICENSES)?.parse::<Licence>().ok();
    if image.documents.is_empty() && image.packages.is_empty() {
        return vec![Package {
            name: subject.image.name().to_owned(),
            version: labels.get(VERSION).map(str::to_owned),
            licence: annotated(),
            from: Where::Annotation,
        }];
    }
    let documents = image.documents.iter();
    let packages = documents.map(|document| {
        let name = &document.package;
        let copyright = Where::Copyright(document.path.clone());
        let of_file = || Some((document.licence.clone()?, copyright.clone()));
        let of_settings = || Some((rule.clarified(name)?, Where::Settings));
        let of_image = || {
            let licence = subject.is_own(name).then(annotated).flatten()?;
            Some((licence, Where::Annotation))
        };
        let said = of_settings().or_else(of_file).or_else(of_image);
        let (licence, from) = match said {
            Some((licence, from)) => (Some(licence), from),
            None => (None, copyright.clone()),
        };
        Package {
            name: name.clone(),
            version: image.version(name).map(ToString::to_string),
            licence,
            from,
        }
    });
    let undocumented = image.packages.iter().filter(|package| {
        let mut documents = image.documents.iter();
        !documents.any(|document| document.package == *package.package)
    });
    let undocumented = undocumented.map(|package| Package {
        name: package.package.to_string(),
        version: Some(package.version.to_string()),
        licence: rule.clarified(&package.package),
        from: Where::Settings,
    });
    packages.chain(undocumented).collect()
}
