// SPDX-License-Identifier: Apache-2.0
//! The magic block by which PostgreSQL knows a module that was built for it. `Pg_magic_func` gives its address, and only a
//! server calls that; here it is found by its form: `Pg_magic_struct` of `src/include/fmgr.h` (15 to 17, and since 18 with a
//! name and a version of the module).

use object::{
    Endianness,
    elf::{self},
    read::elf::{FileHeader, Rela as _},
};
use serde::Serialize;

use super::{Dynamic, File};

/// What every module has and nothing else.
pub(super) const FUNCTION: &[u8] = b"Pg_magic_func";

/// Bytes of the block that all versions have: a length, five numbers, and a text for who builds PostgreSQL differently.
const COMMON: usize = 56;
/// Where in it that text is.
const ABI: std::ops::Range<usize> = 24..COMMON;
/// No name and no version of a module is as long, in bytes.
const LONGEST: usize = 256;

/// What a module was built for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Magic {
    /// The server's major.
    pub major: u32,
    /// Whose server: `PostgreSQL`, or what a vendor calls its own that is not compatible.
    pub abi: String,
    /// `FUNC_MAX_ARGS`, `INDEX_MAX_KEYS`, `NAMEDATALEN`: a server with others refuses the module.
    pub limits: [u32; 3],
    /// Whether 8-byte values are passed as they are.
    pub float8_by_value: bool,
    /// What the module calls itself, and its own version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

impl Magic {
    /// Looks for it in what is loaded of a module.
    pub(super) fn find<Header: FileHeader<Endian = Endianness>>(
        file: &File<'_, Header>,
        dynamic: &Dynamic<'_>,
    ) -> Result<Self, String> {
        let pointer = if file.header.is_type_64() { 8 } else { 4 };
        let extended = COMMON + 2 * pointer;
        // Segments may overlap, but no linker makes them do so.
        let mut left = file.bytes.len().saturating_mul(2);
        for (begin, bytes) in file.loaded() {
            let Some(rest) = left.checked_sub(bytes.len()) else {
                return Err("its segments are larger than the file".into());
            };
            left = rest;
            for (offset, block) in (0u64..).step_by(4).zip(bytes.windows(COMMON).step_by(4)) {
                let length = number(file.endian, block, 0) as usize;
                if ![COMMON, extended].contains(&length) {
                    continue;
                }
                let Some(mut magic) = Self::parse(file.endian, block) else {
                    continue;
                };
                if length == extended {
                    let texts = Texts { file, dynamic };
                    let behind = |place: usize| {
                        let address = begin.checked_add(offset)?.checked_add(place as u64)?;
                        texts.behind(address, pointer)
                    };
                    magic.name = behind(COMMON);
                    magic.version = behind(COMMON + pointer);
                }
                return Ok(magic);
            }
        }
        Err("it has `Pg_magic_func`, and no magic block of PostgreSQL 15 or newer".into())
    }

    /// What all versions have. None: it is something else that looks like it.
    fn parse(endian: Endianness, block: &[u8]) -> Option<Self> {
        let [version, arguments, keys, name, by_value] =
            [4, 8, 12, 16, 20].map(|at| number(endian, block, at));
        let is_likely = (1_000..10_000).contains(&version)
            && [arguments, keys, name]
                .iter()
                .all(|limit| (1..=65_536).contains(limit))
            && by_value <= 1;
        let abi = block.get(ABI)?;
        let end = abi.iter().position(|byte| *byte == 0)?;
        let (text, rest) = abi.split_at(end);
        let is_text = text.iter().all(|byte| (b' '..=b'~').contains(byte));
        if !is_likely || !is_text || rest.iter().any(|byte| *byte != 0) {
            return None;
        }
        Some(Self {
            major: version / 100,
            abi: String::from_utf8_lossy(text).into_owned(),
            limits: [arguments, keys, name],
            float8_by_value: by_value == 1,
            name: None,
            version: None,
        })
    }
}

/// An `int` of C.
fn number(endian: Endianness, block: &[u8], at: usize) -> u32 {
    let bytes = block
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    let bytes = bytes.unwrap_or_default();
    match endian {
        Endianness::Little => u32::from_le_bytes(bytes),
        Endianness::Big => u32::from_be_bytes(bytes),
    }
}

/// Follows the pointers of the block.
struct Texts<'a, 'data, Header: FileHeader> {
    file: &'a File<'data, Header>,
    dynamic: &'a Dynamic<'data>,
}

impl<Header: FileHeader<Endian = Endianness>> Texts<'_, '_, Header> {
    /// The text that a pointer leads to. None: it leads nowhere, as where nothing was said.
    fn behind(&self, address: u64, width: usize) -> Option<String> {
        let place = self
            .relocated(address)
            .or_else(|| self.stored(address, width))?;
        let bytes = self.file.at(place)?;
        let bytes = &bytes[..bytes.len().min(LONGEST + 1)];
        let end = bytes.iter().position(|byte| *byte == 0)?;
        let text = &bytes[..end];
        (!text.is_empty()).then(|| String::from_utf8_lossy(text).into_owned())
    }

    /// What the linker will write there, as its table of such places says.
    fn relocated(&self, address: u64) -> Option<u64> {
        let (file, dynamic) = (self.file, self.dynamic);
        let table = file.at(dynamic.value(elf::DT_RELA)?)?;
        let size = usize::try_from(dynamic.value(elf::DT_RELASZ)?).ok()?;
        let table = table.get(..size)?;
        let all: &[Header::Rela] = object::pod::slice_from_all_bytes(table).ok()?;
        let one = all
            .iter()
            .find(|one| one.r_offset(file.endian).into() == address)?;
        u64::try_from(one.r_addend(file.endian).into()).ok()
    }

    /// What stands there already: other tables of that kind change it by where the module is loaded alone.
    fn stored(&self, address: u64, width: usize) -> Option<u64> {
        let bytes = self.file.at(address)?;
        let low = u64::from(number(self.file.endian, bytes, 0));
        let place = match (width, self.file.endian) {
            (4, _) => low,
            (_, Endianness::Little) => low | u64::from(number(self.file.endian, bytes, 4)) << 32,
            (_, Endianness::Big) => low << 32 | u64::from(number(self.file.endian, bytes, 4)),
        };
        (place != 0).then_some(place)
    }
}
