//! Looks into a binary before it leaves: what couldn't start on Amazon Linux 2023
//! never does. What the local cloud gets must be of this machine's own format.
//!
//! Deliberately absent: instructions that the processor may lack
//! (`-C target-cpu=native`). No table of the file tells.

mod elf;
mod linking;
#[cfg(test)]
pub(crate) mod tiny_elf;

use crate::machine::{AL2023_GLIBC, Machine};
use elf::Executable;

/// Why a binary couldn't start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// Lambda runs 64-bit little-endian ELF files.
    #[error("it is not a 64-bit Linux executable")]
    NotElf,
    /// A library, or something that is yet to be linked.
    #[error("it is no executable, but another kind of ELF file")]
    NotExecutable,
    /// The file ends before what its tables name.
    #[error("it is cut off: a build that was interrupted may have left it")]
    CutOff,
    /// Built for another processor.
    #[error("it is built for {}, not for {wanted}", found.map_or("another processor", Machine::as_str))]
    WrongMachine {
        /// What it runs on, if Lambda has that.
        found: Option<Machine>,
        /// What it should run on.
        wanted: Machine,
    },
    /// Linked for another C library, or another distribution.
    #[error("it is started by {0}, which Amazon Linux 2023 doesn't have")]
    ForeignLoader(String),
    /// A function's zip holds no libraries.
    #[error("it needs the library {0}, which is not a part of glibc or GCC")]
    NeedsLibrary(String),
    /// Linked against a newer glibc.
    #[error(
        "it needs glibc {}.{}, Amazon Linux 2023 has {}.{}",
        .0.0, .0.1, AL2023_GLIBC.0, AL2023_GLIBC.1
    )]
    GlibcTooNew((u32, u32)),
    /// As above, by a symbol version that names no release of it.
    #[error("it needs {version} of {library}, which Amazon Linux 2023 doesn't have")]
    UnknownVersion {
        /// E.g. `libc.so.6`.
        library: String,
        /// E.g. `GLIBC_ABI_DT_RELR`.
        version: String,
    },
    /// Neither Lambda's format nor this machine's.
    #[error("it is not an executable of this machine's own format")]
    NotOfThisHost,
}

impl InspectError {
    /// What to do.
    pub fn next_step(&self) -> String {
        match self {
            Self::GlibcTooNew(_) | Self::UnknownVersion { .. } | Self::ForeignLoader(_) => {
                "install cargo-zigbuild, which links against the right glibc: cargo install --locked cargo-zigbuild && pip install ziglang"
            }
            Self::NeedsLibrary(_) => {
                "link it statically (crates that bind libraries mostly have a feature for that, `vendored` or `static`)"
            }
            Self::CutOff => "build again",
            Self::NotElf | Self::NotExecutable | Self::WrongMachine { .. } => {
                "build it by `deployer package` or `deployer up`; a `build.target` in cargo's configuration may lead elsewhere"
            }
            Self::NotOfThisHost => {
                "build it on this machine by `deployer up`; a `build.target` in cargo's configuration may lead elsewhere"
            }
        }
        .to_owned()
    }

    /// Whether linking against an older glibc would mend it.
    pub fn is_of_linking(&self) -> bool {
        matches!(self, Self::GlibcTooNew(_) | Self::UnknownVersion { .. })
    }
}

/// Checks that `binary` can start on Amazon Linux 2023 on `machine`.
///
/// # Errors
/// The first reason why it can't.
pub fn inspect(binary: &[u8], machine: Machine) -> Result<(), InspectError> {
    let executable = Executable::read(binary)?;
    executable.must_run_on(machine)?;
    linking::check(&executable, machine)
}

/// Checks that `binary` is of this machine's own format, whatever it links against.
///
/// # Errors
/// The first reason why it can't start here.
pub fn inspect_for_host(binary: &[u8]) -> Result<(), InspectError> {
    if cfg!(target_os = "macos") {
        return match is_mach_o_of_host(binary) {
            true => Ok(()),
            false => Err(InspectError::NotOfThisHost),
        };
    }
    let executable = Executable::read(binary).map_err(|error| match error {
        InspectError::CutOff => error,
        _ => InspectError::NotOfThisHost,
    })?;
    match Machine::of_host() {
        Some(machine) => executable.must_run_on(machine),
        None => Ok(()),
    }
}

/// 64-bit Mach-O for this processor: magic number and processor type, as `mach-o/loader.h`
/// and `mach/machine.h` have them.
fn is_mach_o_of_host(binary: &[u8]) -> bool {
    const MAGIC: [u8; 4] = 0xfeed_facf_u32.to_le_bytes();
    let processor: u32 = match Machine::of_host() {
        Some(Machine::X86_64) => 0x0100_0007,
        Some(Machine::Arm64) => 0x0100_000c,
        None => return false,
    };
    binary.starts_with(&MAGIC) && binary.get(4..8) == Some(&processor.to_le_bytes()[..])
}

#[cfg(test)]
mod tests {
    use super::tiny_elf::{TinyElf, Version};
    use super::*;

    fn other(machine: Machine) -> Machine {
        match machine {
            Machine::X86_64 => Machine::Arm64,
            Machine::Arm64 => Machine::X86_64,
        }
    }

    #[test]
    fn what_fits_amazon_linux_2023_passes_on_both_processors() {
        for machine in Machine::ALL {
            let binary = TinyElf::new(machine);
            assert_eq!(inspect(&binary.bytes(), machine), Ok(()));
            let of_the_newest = binary.needs("libc.so.6", &[Version::strong("GLIBC_2.34")]);
            assert_eq!(inspect(&of_the_newest.bytes(), machine), Ok(()));
            assert_eq!(
                inspect(&TinyElf::static_one(machine).bytes(), machine),
                Ok(())
            );
        }
    }

    #[test]
    fn a_script_is_not_an_executable_for_lambda() {
        for script in [&b"#!/bin/sh\n"[..], b"", b"\x7fELF"] {
            assert_eq!(inspect(script, Machine::X86_64), Err(InspectError::NotElf));
        }
    }

    #[test]
    fn files_of_other_formats_are_not_executables_for_lambda() {
        let mut of_32_bits = TinyElf::new(Machine::X86_64).bytes();
        of_32_bits[4] = 1;
        let mut big_endian = TinyElf::new(Machine::X86_64).bytes();
        big_endian[5] = 2;
        let mut of_freebsd = TinyElf::new(Machine::X86_64).bytes();
        of_freebsd[7] = 9;
        for binary in [of_32_bits, big_endian, of_freebsd] {
            assert_eq!(inspect(&binary, Machine::X86_64), Err(InspectError::NotElf));
        }
    }

    #[test]
    fn the_processor_is_checked() {
        for machine in Machine::ALL {
            let wanted = other(machine);
            let error = inspect(&TinyElf::new(machine).bytes(), wanted).unwrap_err();
            let found = Some(machine);
            assert_eq!(error, InspectError::WrongMachine { found, wanted });
            assert!(
                error
                    .to_string()
                    .ends_with(&format!("{machine}, not for {wanted}")),
                "{error}"
            );
        }
    }

    #[test]
    fn a_library_is_refused() {
        let library = TinyElf::static_one(Machine::X86_64).entry(0).bytes();
        assert_eq!(
            inspect(&library, Machine::X86_64),
            Err(InspectError::NotExecutable)
        );
        let mut unlinked = TinyElf::new(Machine::X86_64).bytes();
        unlinked[16] = 1; // ET_REL
        assert_eq!(
            inspect(&unlinked, Machine::X86_64),
            Err(InspectError::NotExecutable)
        );
    }

    #[test]
    fn a_binary_cut_off_anywhere_is_refused() {
        let whole = TinyElf::new(Machine::Arm64)
            .needs("libc.so.6", &[Version::strong("GLIBC_2.17")])
            .bytes();
        for length in 0..whole.len() {
            let cut = inspect(&whole[..length], Machine::Arm64);
            assert!(cut.is_err(), "{length} of {} bytes", whole.len());
        }
    }

    #[test]
    fn whatever_a_byte_is_changed_to_it_is_only_looked_at() {
        let whole = TinyElf::new(Machine::X86_64)
            .needs("libc.so.6", &[Version::strong("GLIBC_2.17")])
            .needs("libm.so.6", &[Version::weak("GLIBC_2.29")])
            .bytes();
        for place in 0..whole.len() {
            for value in [0, 1, 0x7f, 0xff] {
                let mut changed = whole.clone();
                changed[place] = value;
                // Either is right; a panic or an endless loop isn't.
                let _ = inspect(&changed, Machine::X86_64);
            }
        }
    }

    #[test]
    fn where_the_file_lies_in_memory_makes_no_difference() {
        let shifted = [b"x", &TinyElf::new(Machine::Arm64).bytes()[..]].concat();
        assert_eq!(inspect(&shifted[1..], Machine::Arm64), Ok(()));
    }

    #[test]
    fn a_binary_that_needs_a_newer_glibc_is_refused() {
        for machine in Machine::ALL {
            let binary = TinyElf::new(machine).needs(
                "libc.so.6",
                &[Version::strong("GLIBC_2.9"), Version::strong("GLIBC_2.35")],
            );
            assert_eq!(
                inspect(&binary.bytes(), machine),
                Err(InspectError::GlibcTooNew((2, 35)))
            );
        }
    }

    #[test]
    fn a_newer_version_of_any_of_glibcs_libraries_counts() {
        let binary = TinyElf::new(Machine::X86_64)
            .needs("libc.so.6", &[Version::strong("GLIBC_2.34")])
            .needs("libm.so.6", &[Version::strong("GLIBC_2.38")]);
        assert_eq!(
            inspect(&binary.bytes(), Machine::X86_64),
            Err(InspectError::GlibcTooNew((2, 38)))
        );
    }

    #[test]
    fn a_newer_version_that_is_marked_as_weak_need_not_be_there() {
        let binary =
            TinyElf::new(Machine::X86_64).needs("libc.so.6", &[Version::weak("GLIBC_2.39")]);
        assert_eq!(inspect(&binary.bytes(), Machine::X86_64), Ok(()));
    }

    #[test]
    fn a_version_that_is_no_number_is_refused() {
        // Binaries with packed relocations need it; glibc has it since 2.36.
        let binary = TinyElf::new(Machine::X86_64)
            .needs("libc.so.6", &[Version::strong("GLIBC_ABI_DT_RELR")]);
        let error = inspect(&binary.bytes(), Machine::X86_64).unwrap_err();
        assert!(
            matches!(&error, InspectError::UnknownVersion { version, .. } if version == "GLIBC_ABI_DT_RELR"),
            "{error}"
        );
        assert!(error.is_of_linking());
    }

    #[test]
    fn a_newer_libgcc_is_refused() {
        let versioned = |version| {
            TinyElf::new(Machine::X86_64)
                .needs("libgcc_s.so.1", &[Version::strong(version)])
                .bytes()
        };
        assert_eq!(inspect(&versioned("GCC_4.2.0"), Machine::X86_64), Ok(()));
        assert!(inspect(&versioned("GCC_12.0.0"), Machine::X86_64).is_err());
    }

    #[test]
    fn a_library_that_no_zip_carries_is_refused() {
        let binary = TinyElf::new(Machine::Arm64).needs("libssl.so.3", &[]);
        let error = inspect(&binary.bytes(), Machine::Arm64).unwrap_err();
        assert_eq!(error, InspectError::NeedsLibrary("libssl.so.3".into()));
        assert!(error.next_step().contains("statically"));
    }

    #[test]
    fn another_c_librarys_loader_is_refused() {
        let binary = TinyElf::new(Machine::X86_64).loader("/lib/ld-musl-x86_64.so.1");
        assert_eq!(
            inspect(&binary.bytes(), Machine::X86_64),
            Err(InspectError::ForeignLoader(
                "/lib/ld-musl-x86_64.so.1".into()
            ))
        );
    }

    #[test]
    fn what_this_machine_runs_fits_the_local_cloud_and_nothing_else_does() {
        let own = std::fs::read(std::env::current_exe().unwrap()).unwrap();
        assert_eq!(inspect_for_host(&own), Ok(()));
        assert_eq!(
            inspect_for_host(b"#!/bin/sh\n"),
            Err(InspectError::NotOfThisHost)
        );
        assert!(inspect_for_host(&own[..own.len() / 2]).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_local_cloud_may_have_a_newer_glibc_but_no_other_processor() {
        let host = Machine::of_host().unwrap();
        let newer = TinyElf::new(host).needs("libc.so.6", &[Version::strong("GLIBC_2.99")]);
        assert_eq!(inspect_for_host(&newer.bytes()), Ok(()));
        assert!(matches!(
            inspect_for_host(&TinyElf::new(other(host)).bytes()),
            Err(InspectError::WrongMachine { .. })
        ));
    }

    #[test]
    fn mach_o_is_told_by_magic_number_and_processor() {
        let of = |processor: u32| [0xfeed_facf_u32.to_le_bytes(), processor.to_le_bytes()].concat();
        let known = [of(0x0100_0007), of(0x0100_000c)];
        let fitting = known.iter().filter(|file| is_mach_o_of_host(file)).count();
        assert_eq!(fitting, usize::from(Machine::of_host().is_some()));
        assert!(!is_mach_o_of_host(&of(7)));
        assert!(!is_mach_o_of_host(b"\x7fELF\x02\x01\x01\x00"));
    }
}
