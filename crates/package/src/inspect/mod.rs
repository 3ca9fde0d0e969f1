//! Looks into a binary before it leaves: what couldn't start on Amazon Linux 2023
//! never does. What the local cloud gets must be of this machine's own format.
//!
//! Deliberately absent: instructions that the processor may lack
//! (`-C target-cpu=native`). No table of the file tells.

mod elf;
mod linking;
#[cfg(test)]
mod tests;
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
