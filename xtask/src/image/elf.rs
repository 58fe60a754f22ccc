// SPDX-License-Identifier: Apache-2.0
//! A shared object or a program, as its file says: what it is for, what it needs, and what PostgreSQL finds in it. It is read,
//! never loaded, and by its segments alone, as the dynamic linker does: section headers may be missing or lie.

use object::{
    Endianness,
    elf::{self, FileHeader32, FileHeader64},
    read::elf::{Dyn as _, FileHeader, ProgramHeader as _},
};
use serde::Serialize;

mod magic;

pub(crate) use magic::Magic;

use crate::value::hex;

/// No object needs as many others, or has as many folders to look for them.
const MOST: usize = 1_000;
/// No name of a library is as long, in bytes.
const LONGEST: usize = 4_096;
/// No linker makes more segments than that, tells more to the dynamic linker, or keeps more notes.
const MOST_SEGMENTS: usize = 512;
const MOST_ENTRIES: usize = 10_000;
const MOST_NOTES: usize = 1_000;
/// What begins a file of this format.
const BEGINNING: &[u8] = b"\x7fELF";

/// What such a file says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Elf {
    /// As OCI and Go call it: `amd64`.
    pub architecture: String,
    /// What others need it as.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub soname: Option<String>,
    /// The files that the dynamic linker looks for, in its order.
    pub needed: Vec<String>,
    /// Where it looks for them first; `$ORIGIN` is the object's own folder.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub run_path: Vec<String>,
    /// Two files with the same one are of the same build.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub build_id: Option<String>,
    /// None: no module of PostgreSQL.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub module: Option<Magic>,
}

/// Whether a file is of this format, as far as its first bytes say.
pub(crate) fn is_elf(bytes: &[u8]) -> bool {
    bytes.starts_with(BEGINNING)
}

impl Elf {
    /// Reads a file. The error says what is wrong with it.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, String> {
        // `EI_CLASS`.
        match bytes.get(4) {
            _ if !is_elf(bytes) => Err("it is no ELF file".into()),
            Some(1) => Self::read::<FileHeader32<Endianness>>(bytes),
            Some(2) => Self::read::<FileHeader64<Endianness>>(bytes),
            _ => Err("it is neither for 32 nor for 64 bits".into()),
        }
    }

    fn read<Header: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Result<Self, String> {
        let file = File::<Header>::open(bytes)?;
        let mut found = Self {
            architecture: architecture(file.header.e_machine(file.endian), file.endian),
            build_id: file.build_id(),
            ..Self::default()
        };
        let Some(dynamic) = file.dynamic()? else {
            // Linked statically, or no more than debug symbols.
            return Ok(found);
        };
        for (tag, value) in &dynamic.entries {
            match *tag {
                elf::DT_NEEDED => found.needed.push(dynamic.text(*value)?),
                elf::DT_SONAME => found.soname = Some(dynamic.text(*value)?),
                elf::DT_RPATH | elf::DT_RUNPATH => {
                    let folders = dynamic.text(*value)?;
                    let folders = folders.split(':').filter(|folder| !folder.is_empty());
                    found.run_path.extend(folders.map(str::to_owned));
                }
                _ => {}
            }
            if found.needed.len().max(found.run_path.len()) > MOST {
                return Err(format!("it needs more than {MOST} others"));
            }
        }
        if dynamic.has_name(magic::FUNCTION) {
            found.module = Some(Magic::find(&file, &dynamic)?);
        }
        Ok(found)
    }
}

/// A file whose headers can be read.
struct File<'data, Header: FileHeader> {
    bytes: &'data [u8],
    header: &'data Header,
    endian: Header::Endian,
    segments: &'data [Header::ProgramHeader],
}

/// What its dynamic linker is told.
struct Dynamic<'data> {
    /// Tags with their values, up to the one that ends them.
    entries: Vec<(elf::DynamicTag, u64)>,
    names: &'data [u8],
}

impl<'data, Header: FileHeader<Endian = Endianness>> File<'data, Header> {
    fn open(bytes: &'data [u8]) -> Result<Self, String> {
        let wrong = |error: object::read::Error| error.to_string();
        let header = Header::parse(bytes).map_err(wrong)?;
        let endian = header.endian().map_err(wrong)?;
        let segments = header.program_headers(endian, bytes).map_err(wrong)?;
        if segments.len() > MOST_SEGMENTS {
            return Err(format!("it has more than {MOST_SEGMENTS} segments"));
        }
        Ok(Self {
            bytes,
            header,
            endian,
            segments,
        })
    }

    /// What is loaded to an address, from there to the end of what the file has for it.
    fn at(&self, address: u64) -> Option<&'data [u8]> {
        self.loaded().find_map(|(begin, bytes)| {
            let offset = usize::try_from(address.checked_sub(begin)?).ok()?;
            bytes.get(offset..).filter(|bytes| !bytes.is_empty())
        })
    }

    /// What is loaded from the file, with the address where it goes.
    fn loaded(&self) -> impl Iterator<Item = (u64, &'data [u8])> {
        let (endian, bytes) = (self.endian, self.bytes);
        let segments = self.segments.iter();
        let segments = segments.filter(move |one| one.p_type(endian) == elf::PT_LOAD);
        segments.filter_map(move |one| {
            Some((one.p_vaddr(endian).into(), one.data(endian, bytes).ok()?))
        })
    }

    fn dynamic(&self) -> Result<Option<Dynamic<'data>>, String> {
        let wrong = |error: object::read::Error| error.to_string();
        let mut segments = self.segments.iter();
        // A linker reads one.
        let segment = segments.find(|one| one.p_type(self.endian) == elf::PT_DYNAMIC);
        let Some(segment) = segment else {
            return Ok(None);
        };
        let all = segment.dynamic(self.endian, self.bytes).map_err(wrong)?;
        let all = all.unwrap_or_default().iter();
        let all = all.map(|one| (one.tag(self.endian), one.val(self.endian)));
        let all = all.take_while(|(tag, _)| *tag != elf::DT_NULL);
        let entries: Vec<(elf::DynamicTag, u64)> = all.take(MOST_ENTRIES + 1).collect();
        if entries.len() > MOST_ENTRIES {
            return Err(format!(
                "it tells its linker more than {MOST_ENTRIES} things"
            ));
        }
        if entries.is_empty() {
            return Ok(None);
        }
        let mut dynamic = Dynamic {
            entries,
            names: &[],
        };
        if let Some(address) = dynamic.value(elf::DT_STRTAB) {
            let names = self.at(address).ok_or("its names are not in the file")?;
            let size = dynamic.value(elf::DT_STRSZ);
            let size = size.map_or(names.len(), |size| {
                usize::try_from(size).unwrap_or(names.len())
            });
            dynamic.names = names.get(..size).ok_or("its names are cut off")?;
        }
        Ok(Some(dynamic))
    }

    fn build_id(&self) -> Option<String> {
        let mut left = MOST_NOTES;
        for segment in self.segments {
            let notes = segment.notes(self.endian, self.bytes);
            let mut notes = notes.ok().flatten();
            while let Some(note) = notes.as_mut().and_then(|notes| notes.next().ok()?) {
                left = left.checked_sub(1)?;
                let is_one = note.n_type(self.endian) == elf::NT_GNU_BUILD_ID;
                if is_one && note.name() == elf::ELF_NOTE_GNU && note.desc().len() <= 64 {
                    return Some(hex(note.desc()));
                }
            }
        }
        None
    }
}

impl Dynamic<'_> {
    fn value(&self, tag: elf::DynamicTag) -> Option<u64> {
        let mut entries = self.entries.iter();
        Some(entries.find(|(of, _)| *of == tag)?.1)
    }

    /// The text at a place of the names.
    fn text(&self, place: u64) -> Result<String, String> {
        let place = usize::try_from(place).ok();
        let text = place.and_then(|place| self.names.get(place..));
        let text = text.ok_or("a name in it is not in the file")?;
        match text.iter().take(LONGEST).position(|byte| *byte == 0) {
            Some(end) => Ok(String::from_utf8_lossy(&text[..end]).into_owned()),
            None => Err("a name in it is cut off or too long".into()),
        }
    }

    /// Whether a symbol may be called so.
    fn has_name(&self, name: &[u8]) -> bool {
        self.names.split(|byte| *byte == 0).any(|one| one == name)
    }
}

/// `docker image inspect` says it with the same words.
fn architecture(machine: elf::Machine, endian: Endianness) -> String {
    let little = endian == Endianness::Little;
    match machine {
        elf::EM_X86_64 => "amd64".into(),
        elf::EM_AARCH64 => "arm64".into(),
        elf::EM_386 => "386".into(),
        elf::EM_ARM => "arm".into(),
        elf::EM_PPC64 if little => "ppc64le".into(),
        elf::EM_PPC64 => "ppc64".into(),
        elf::EM_S390 => "s390x".into(),
        elf::EM_RISCV => "riscv64".into(),
        elf::EM_LOONGARCH => "loong64".into(),
        elf::EM_MIPS if little => "mips64le".into(),
        other => format!("machine {}", other.0),
    }
}

#[cfg(test)]
mod tests;
