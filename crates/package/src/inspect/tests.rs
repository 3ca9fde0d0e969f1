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
    let binary = TinyElf::new(Machine::X86_64).needs("libc.so.6", &[Version::weak("GLIBC_2.39")]);
    assert_eq!(inspect(&binary.bytes(), Machine::X86_64), Ok(()));
}

#[test]
fn a_version_that_is_no_number_is_refused() {
    // Binaries with packed relocations need it; glibc has it since 2.36.
    let binary =
        TinyElf::new(Machine::X86_64).needs("libc.so.6", &[Version::strong("GLIBC_ABI_DT_RELR")]);
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
