// SPDX-License-Identifier: Apache-2.0
//! Objects that are put together byte by byte, and what is read of them.

use std::path::Path;

use super::*;

/// Where the file is loaded to.
const LOADED: u64 = 0x1000;

/// What a sample is made of.
struct Sample {
    machine: u16,
    needed: Vec<&'static str>,
    soname: &'static str,
    version: u32,
    abi: &'static str,
    /// Its own name and version, which stand behind relocated pointers. None: it is of a server before 18.
    own: Option<(&'static str, &'static str)>,
}

impl Sample {
    fn module() -> Self {
        Self {
            machine: 62,
            needed: vec!["libx.so.1", "libc.so.6"],
            soname: "sample.so",
            version: 1800,
            abi: "PostgreSQL",
            own: Some(("sample", "1.2")),
        }
    }

    /// Little-endian, for 64 bits: header, two segments, dynamic entries, relocations, magic block, names.
    fn bytes(&self) -> Vec<u8> {
        let mut names = vec![0];
        let mut place = |text: &str| {
            let at = names.len() as u64;
            names.extend(text.bytes().chain([0]));
            at
        };
        let needed: Vec<u64> = self.needed.iter().map(|name| place(name)).collect();
        let soname = place(self.soname);
        place("Pg_magic_func");
        let own = self
            .own
            .map(|(name, version)| [place(name), place(version)]);
        let entries = needed.len() + 6;
        let dynamic_at = 64 + 2 * 56;
        let relocations_at = dynamic_at + 16 * entries as u64;
        let magic_at = relocations_at + 2 * 24;
        let names_at = magic_at + 72;

        let mut dynamic: Vec<(u64, u64)> = needed.iter().map(|at| (1, *at)).collect();
        dynamic.extend([
            (14, soname),
            (5, LOADED + names_at),
            (10, names.len() as u64),
        ]);
        dynamic.extend([(7, LOADED + relocations_at), (8, 48), (0, 0)]);
        let mut relocations = Vec::new();
        for (at, text) in own.into_iter().flatten().enumerate() {
            let field = LOADED + magic_at + 56 + 8 * at as u64;
            relocations.extend([field, 8, LOADED + names_at + text]);
        }
        relocations.resize(6, 0);
        let length = if own.is_some() { 72 } else { 56 };
        let mut magic: Vec<u8> = [length, self.version, 100, 32, 64, 1]
            .iter()
            .flat_map(|number: &u32| number.to_le_bytes())
            .collect();
        magic.extend(self.abi.bytes());
        magic.resize(72, 0);

        let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x03\0".to_vec();
        bytes.extend(self.machine.to_le_bytes());
        bytes.extend(1_u32.to_le_bytes());
        bytes.extend([0, 64, 0].iter().flat_map(|one: &u64| one.to_le_bytes()));
        bytes.extend(0_u32.to_le_bytes());
        let sizes = [64, 56, 2, 64, 0, 0];
        bytes.extend(sizes.iter().flat_map(|one: &u16| one.to_le_bytes()));
        let size = names_at + names.len() as u64;
        let of_dynamic = 16 * entries as u64;
        for (kind, at, size) in [(1_u32, 0, size), (2, dynamic_at, of_dynamic)] {
            bytes.extend(kind.to_le_bytes());
            bytes.extend(4_u32.to_le_bytes());
            let fields = [at, LOADED + at, LOADED + at, size, size, 8];
            bytes.extend(fields.iter().flat_map(|one| one.to_le_bytes()));
        }
        let pairs = dynamic.iter().flat_map(|(tag, value)| [*tag, *value]);
        bytes.extend(pairs.chain(relocations).flat_map(u64::to_le_bytes));
        bytes.extend(magic);
        bytes.extend(names);
        bytes
    }
}

#[test]
fn what_an_object_needs_and_for_which_server_a_module_is_are_read() {
    let read = Elf::parse(&Sample::module().bytes()).unwrap();
    assert_eq!(read.architecture, "amd64");
    assert_eq!(read.needed, ["libx.so.1", "libc.so.6"]);
    assert_eq!(read.soname.as_deref(), Some("sample.so"));
    let magic = Magic {
        major: 18,
        abi: "PostgreSQL".into(),
        limits: [100, 32, 64],
        float8_by_value: true,
        name: Some("sample".into()),
        version: Some("1.2".into()),
    };
    assert_eq!(read.module, Some(magic));
}

#[test]
fn a_module_of_an_older_server_or_of_a_vendors_has_another_block() {
    let sample = Sample {
        version: 1700,
        abi: "Vendor Server",
        own: None,
        machine: 183,
        ..Sample::module()
    };
    let read = Elf::parse(&sample.bytes()).unwrap();
    assert_eq!(read.architecture, "arm64");
    let magic = read.module.unwrap();
    assert_eq!((magic.major, magic.abi.as_str()), (17, "Vendor Server"));
    assert_eq!((magic.name, magic.version), (None, None));
}

/// It has the function by which a server knows it, and nothing that a server would take.
#[test]
fn a_module_without_a_block_is_broken() {
    let sample = Sample {
        version: 7,
        ..Sample::module()
    };
    let said = Elf::parse(&sample.bytes()).unwrap_err();
    assert!(said.contains("no magic block"), "{said}");
}

#[test]
fn whatever_is_cut_off_or_turned_round_is_read_or_refused() {
    let whole = Sample::module().bytes();
    for end in 0..whole.len() {
        assert!(Elf::parse(&whole[..end]).is_err(), "{end}");
    }
    for at in 0..whole.len() {
        for with in [0, 1, 0x7f, 0xff] {
            let mut bytes = whole.clone();
            bytes[at] = with;
            let _ended = Elf::parse(&bytes);
        }
    }
    assert!(Elf::parse(b"\x7fELF").is_err());
    assert!(Elf::parse(b"#!/bin/sh").is_err());
}

/// A table of millions of names, each of them as long as the file, must not fill the memory.
#[test]
fn there_is_a_limit_to_what_an_object_may_need() {
    let sample = Sample {
        needed: vec!["libx.so.1"; MOST + 1],
        ..Sample::module()
    };
    let said = Elf::parse(&sample.bytes()).unwrap_err();
    assert!(said.contains("more than 1000"), "{said}");
    let long: &str = Box::leak("x".repeat(LONGEST).into_boxed_str());
    let sample = Sample {
        needed: vec![long],
        ..Sample::module()
    };
    let said = Elf::parse(&sample.bytes()).unwrap_err();
    assert!(said.contains("too long"), "{said}");
}

/// `tests/cli/inspect.rs` reads it too.
#[test]
fn the_seed_of_the_fuzzer_is_the_sample() {
    let path = "../fuzz/seeds/shared_object/module";
    let seed = fs_err::read(Path::new(path)).unwrap();
    let wanted = Sample::module().bytes();
    assert!(seed == wanted, "{path} is to hold {wanted:?}");
}
