//! Looks into a binary before it is sent to AWS: one that couldn't start there
//! never leaves this machine.

use object::elf;
use object::read::elf::{ElfFile64, FileHeader, SectionHeader};
use object::{Endianness, Object, ObjectSection};
use std::fmt;

/// The newest glibc symbols Amazon Linux 2023 provides.
pub const AL2023_GLIBC: (u32, u32) = (2, 34);

/// A processor that Lambda has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    /// `x86_64`.
    X86_64,
    /// `arm64`.
    Arm64,
}

impl Machine {
    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    /// This machine's, if Lambda has it.
    pub fn of_host() -> Option<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Some(Self::X86_64),
            "aarch64" => Some(Self::Arm64),
            _ => None,
        }
    }

    /// rustc's name of the target.
    pub fn rust_target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// The same with the glibc version that cargo-zigbuild is to link against.
    pub(crate) fn zig_target(self) -> String {
        format!(
            "{}.{}.{}",
            self.rust_target(),
            AL2023_GLIBC.0,
            AL2023_GLIBC.1
        )
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a binary couldn't start on Lambda.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// Lambda runs 64-bit little-endian ELF executables.
    #[error("it is not a 64-bit Linux executable")]
    NotElf,
    /// Built for another processor.
    #[error("it is built for another processor than {0}")]
    WrongMachine(Machine),
    /// Linked against a newer glibc.
    #[error(
        "it needs glibc {}.{}, Amazon Linux 2023 has {}.{}",
        .0.0, .0.1, AL2023_GLIBC.0, AL2023_GLIBC.1
    )]
    GlibcTooNew((u32, u32)),
}

impl InspectError {
    /// What to do.
    pub fn next_step(&self) -> String {
        "install cargo-zigbuild, which links against the right glibc: cargo install --locked cargo-zigbuild && pip install ziglang".to_owned()
    }
}

/// Checks that `binary` can start on Amazon Linux 2023 on `machine`.
///
/// # Errors
/// The first reason why it can't.
pub fn inspect(binary: &[u8], machine: Machine) -> Result<(), InspectError> {
    let file: ElfFile64<'_, Endianness> =
        ElfFile64::parse(binary).map_err(|_| InspectError::NotElf)?;
    let wanted = match machine {
        Machine::X86_64 => elf::EM_X86_64,
        Machine::Arm64 => elf::EM_AARCH64,
    };
    if file.elf_header().e_machine(file.endian()) != wanted {
        return Err(InspectError::WrongMachine(machine));
    }
    match newest_glibc(&file) {
        Some(version) if version > AL2023_GLIBC => Err(InspectError::GlibcTooNew(version)),
        _ => Ok(()),
    }
}

/// The newest `GLIBC_x.y` among the versions the dynamic linker must find;
/// `None` for a static binary.
fn newest_glibc(file: &ElfFile64<'_, Endianness>) -> Option<(u32, u32)> {
    let needs_versions = file
        .sections()
        .any(|section| section.elf_section_header().sh_type(file.endian()) == elf::SHT_GNU_VERNEED);
    if !needs_versions {
        return None;
    }
    let strings = file.section_by_name(".dynstr")?.data().ok()?;
    strings
        .split(|byte| *byte == 0)
        .filter_map(|string| std::str::from_utf8(string).ok()?.strip_prefix("GLIBC_"))
        .filter_map(|version| {
            let mut parts = version.split('.');
            Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
        })
        .max()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn this_test() -> Vec<u8> {
        std::fs::read(std::env::current_exe().unwrap()).unwrap()
    }

    #[test]
    fn a_script_is_not_an_executable_for_lambda() {
        assert_eq!(
            inspect(b"#!/bin/sh\n", Machine::X86_64),
            Err(InspectError::NotElf)
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_processor_is_checked() {
        let other = match Machine::of_host().unwrap() {
            Machine::X86_64 => Machine::Arm64,
            Machine::Arm64 => Machine::X86_64,
        };
        assert_eq!(
            inspect(&this_test(), other),
            Err(InspectError::WrongMachine(other))
        );
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_binary_that_needs_a_newer_glibc_is_refused() {
        let mut binary = this_test();
        let machine = Machine::of_host().unwrap();
        let file: ElfFile64<'_, Endianness> = ElfFile64::parse(binary.as_slice()).unwrap();
        let newest = newest_glibc(&file).expect("tests are linked dynamically");
        // As if a symbol were of a version that doesn't exist yet.
        let name = format!("GLIBC_{}.{}\0", newest.0, newest.1);
        let newer = format!("{}\0", &format!("GLIBC_9{}", ".99999")[..name.len() - 1]);
        let range = file
            .section_by_name(".dynstr")
            .unwrap()
            .file_range()
            .unwrap();
        let start = usize::try_from(range.0).unwrap();
        let end = start + usize::try_from(range.1).unwrap();
        let place = binary[start..end]
            .windows(name.len())
            .position(|window| window == name.as_bytes())
            .unwrap();
        binary[start + place..start + place + newer.len()].copy_from_slice(newer.as_bytes());
        assert!(matches!(
            inspect(&binary, machine),
            Err(InspectError::GlibcTooNew((9, _)))
        ));
    }
}
