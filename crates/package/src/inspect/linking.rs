//! What the dynamic linker must find: the loader, libraries and versions of their
//! symbols. It reads the same tables (`DT_NEEDED`, `DT_VERNEED`), and refuses to start
//! a program for the same reasons.

use super::InspectError;
use super::elf::{ENDIAN, Executable, Strings, entry};
use crate::machine::{AL2023_GLIBC, Machine};
use object::elf::{self, Vernaux, Verneed};
use object::endian::LittleEndian;

/// What glibc 2.34 and GCC 11 bring. Amazon Linux has more, but how much of it Lambda's
/// runtime keeps isn't promised, and the zip holds nothing but the binary.
const LIBRARIES: [&str; 13] = [
    "ld-linux-x86-64.so.2",
    "ld-linux-aarch64.so.1",
    "libanl.so.1",
    "libc.so.6",
    "libdl.so.2",
    "libgcc_s.so.1",
    "libm.so.6",
    "libmvec.so.1",
    "libnsl.so.1",
    "libpthread.so.0",
    "libresolv.so.2",
    "librt.so.1",
    "libutil.so.1",
];

/// The major version of GCC that Amazon Linux 2023's `libgcc_s.so.1` is of.
const AL2023_GCC: u32 = 11;

/// More versions than any linker's table has.
const VERSIONS_LIMIT: usize = 4096;

/// A version that is needed, whatever symbol it is of.
struct Needed {
    library: String,
    version: String,
    /// Whether it is marked so: the dynamic linker complains, and starts the program.
    weak: bool,
}

/// Checks that Amazon Linux 2023 has all of it.
pub(super) fn check(executable: &Executable<'_>, machine: Machine) -> Result<(), InspectError> {
    let Some(loader) = executable.loader()? else {
        // Static: nobody looks for libraries.
        return Ok(());
    };
    let known = match machine {
        Machine::X86_64 => "/lib64/ld-linux-x86-64.so.2",
        Machine::Arm64 => "/lib/ld-linux-aarch64.so.1",
    };
    if loader != known {
        return Err(InspectError::ForeignLoader(loader));
    }
    let strings = executable.strings().ok_or(InspectError::CutOff)?;
    for name in executable.dynamic(elf::DT_NEEDED) {
        let library = strings.at(name).ok_or(InspectError::CutOff)?;
        if !LIBRARIES.contains(&library.as_str()) {
            return Err(InspectError::NeedsLibrary(library));
        }
    }
    let mut newest = AL2023_GLIBC;
    for needed in versions(executable, &strings).ok_or(InspectError::CutOff)? {
        match glibc_of(&needed) {
            _ if needed.weak => {}
            Some(version) => newest = newest.max(version),
            None if is_of_gcc(&needed.version) => {}
            None => {
                return Err(InspectError::UnknownVersion {
                    library: needed.library,
                    version: needed.version,
                });
            }
        }
    }
    match newest == AL2023_GLIBC {
        true => Ok(()),
        false => Err(InspectError::GlibcTooNew(newest)),
    }
}

/// E.g. `GLIBC_2.17` or `GLIBC_2.2.5`; not `GLIBC_PRIVATE`.
fn glibc_of(needed: &Needed) -> Option<(u32, u32)> {
    let mut parts = needed.version.strip_prefix("GLIBC_")?.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// E.g. `GCC_4.2.0`.
fn is_of_gcc(version: &str) -> bool {
    let major = version
        .strip_prefix("GCC_")
        .and_then(|version| version.split('.').next());
    major
        .and_then(|major| major.parse().ok())
        .is_some_and(|major: u32| major <= AL2023_GCC)
}

/// All needed versions; `None` where the table leads nowhere, or in circles.
fn versions(executable: &Executable<'_>, strings: &Strings<'_>) -> Option<Vec<Needed>> {
    let Some(address) = executable.dynamic(elf::DT_VERNEED).next() else {
        return Some(Vec::new());
    };
    let table = executable.at_address(address)?;
    let libraries = executable.dynamic(elf::DT_VERNEEDNUM).next()?;
    let mut all = Vec::new();
    let mut place = 0_u64;
    for _ in 0..libraries {
        let library: &Verneed<LittleEndian> = entry(table, place)?;
        let name = strings.at(library.vn_file.get(ENDIAN).into())?;
        let mut of_library = place.checked_add(library.vn_aux.get(ENDIAN).into())?;
        for _ in 0..library.vn_cnt.get(ENDIAN) {
            if all.len() == VERSIONS_LIMIT {
                return None;
            }
            let version: &Vernaux<LittleEndian> = entry(table, of_library)?;
            all.push(Needed {
                library: name.clone(),
                version: strings.at(version.vna_name.get(ENDIAN).into())?,
                weak: version.vna_flags.get(ENDIAN).contains(elf::VER_FLG_WEAK),
            });
            of_library = of_library.checked_add(version.vna_next.get(ENDIAN).into())?;
        }
        match library.vn_next.get(ENDIAN) {
            // The last one, whatever the count says.
            0 => break,
            next => place = place.checked_add(next.into())?,
        }
    }
    Some(all)
}
