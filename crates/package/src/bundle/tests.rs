use super::container::{self, MANIFEST};
use super::*;
use crate::cargo::{BuildTarget, Linker};
use crate::digest::Sum;
use crate::inspect::tiny_elf::{TinyElf, Version};
use crate::machine::Machine;
use crate::make::Made;
use crate::tools::Toolchain;
use crate::zip::package;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

const ON_X86_64: BuildTarget = BuildTarget::Lambda(Machine::X86_64);
const ON_ARM64: BuildTarget = BuildTarget::Lambda(Machine::Arm64);

fn made(binary: &[u8]) -> Made {
    Made {
        package: package(binary).unwrap(),
        binary_sum: Sum::of(binary),
        binary_bytes: binary.len(),
        linker: Linker::Native,
    }
}

fn about() -> About {
    About {
        git_revision: Some("0123456789ab".to_owned()),
        toolchain: Toolchain {
            version: "rustc 1.94.1 (e408947bf 2026-03-25)".to_owned(),
            host: "x86_64-unknown-linux-gnu".to_owned(),
        },
    }
}

/// `room` for both processors, `connect` for one.
fn functions() -> BTreeMap<(String, BuildTarget), Made> {
    let of = |machine| made(&TinyElf::new(machine).bytes());
    BTreeMap::from([
        (("room".to_owned(), ON_X86_64), of(Machine::X86_64)),
        (("room".to_owned(), ON_ARM64), of(Machine::Arm64)),
        (("connect".to_owned(), ON_X86_64), of(Machine::X86_64)),
    ])
}

fn written(out: &Path) -> Written {
    write(out, &functions(), about()).unwrap()
}

/// Why a bundle is refused.
fn refused(path: &Path) -> BundleError {
    Bundle::read(path, None).expect_err("it must be refused")
}

#[test]
fn what_was_written_is_read_as_a_file_and_as_a_folder() {
    let dir = tempfile::tempdir().unwrap();
    let mut digests = Vec::new();
    for name in ["bundle.zip", "bundle"] {
        let path = dir.path().join("made/by").join(name);
        let written = written(&path);
        let bundle = Bundle::read(&path, Some(&written.digest)).unwrap();
        assert_eq!(bundle.manifest, written.manifest);
        for ((name, target), made) in functions() {
            assert_eq!(*bundle.package(&name, target).unwrap(), made.package);
        }
        digests.push(written.digest);
    }
    assert_eq!(digests[0], digests[1]);
}

#[test]
fn the_manifest_says_what_is_in_it_and_where_it_comes_from() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    let text = fs::read_to_string(dir.path().join(MANIFEST)).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap();
    let binary = TinyElf::new(Machine::Arm64).bytes();
    let zip = package(&binary).unwrap().zip;
    assert_eq!(
        manifest["functions"][2],
        serde_json::json!({
            "package": "room",
            "for": "aws",
            "target": "aarch64-unknown-linux-gnu.2.34",
            "linker": "cargo",
            "file": "room.arm64.zip",
            "zip_sha256": Sum::of(&zip).hex(),
            "zip_bytes": zip.len(),
            "binary_sha256": Sum::of(&binary).hex(),
            "binary_bytes": binary.len(),
        })
    );
    assert_eq!(manifest["git_revision"], "0123456789ab");
    assert_eq!(manifest["toolchain"], about().toolchain.version);
}

#[test]
fn the_same_functions_give_the_same_bundle_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let [one, other] = ["one.zip", "other.zip"].map(|name| dir.path().join(name));
    written(&one);
    written(&other);
    assert_eq!(fs::read(one).unwrap(), fs::read(other).unwrap());
}

#[test]
fn a_changed_byte_anywhere_in_the_file_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("bundle.zip");
    let one = BTreeMap::from([(
        ("room".to_owned(), ON_ARM64),
        made(&TinyElf::new(Machine::Arm64).bytes()),
    )]);
    let digest = write(&path, &one, about()).unwrap().digest;
    let whole = fs::read(&path).unwrap();
    for place in 0..whole.len() {
        let mut changed = whole.clone();
        changed[place] ^= 0x20;
        fs::write(&path, changed).unwrap();
        let read = Bundle::read(&path, Some(&digest));
        assert!(read.is_err(), "byte {place} of {}", whole.len());
    }
    for length in 0..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        assert!(Bundle::read(&path, None).is_err(), "{length} bytes");
    }
    fs::write(&path, [&whole[..], b"\n"].concat()).unwrap();
    assert!(matches!(refused(&path), BundleError::Changed(..)));
}

#[test]
fn a_folder_that_isnt_as_the_manifest_says_is_refused() {
    let change = |what: &str, change: &dyn Fn(&Path)| {
        let dir = tempfile::tempdir().unwrap();
        written(dir.path());
        change(dir.path());
        let error = refused(dir.path());
        assert!(matches!(error, BundleError::Changed(..)), "{what}: {error}");
        error.to_string()
    };
    let other = package(&TinyElf::static_one(Machine::Arm64).bytes()).unwrap();
    change("another zip", &|dir| {
        fs::write(dir.join("room.arm64.zip"), &other.zip).unwrap();
    });
    let text = change("a zip is missing", &|dir| {
        fs::remove_file(dir.join("room.arm64.zip")).unwrap();
    });
    assert!(text.contains("room.arm64.zip is missing"), "{text}");
    let text = change("a zip too many", &|dir| {
        fs::copy(dir.join("room.arm64.zip"), dir.join("more.arm64.zip")).unwrap();
    });
    assert!(text.ends_with("doesn't name more.arm64.zip"), "{text}");
    change("zips exchanged", &|dir| {
        let [one, other] = ["room.arm64.zip", "room.x86_64.zip"].map(|name| dir.join(name));
        let zip = fs::read(&one).unwrap();
        fs::copy(&other, &one).unwrap();
        fs::write(other, zip).unwrap();
    });
}

/// The bundle with another manifest, whose sums fit.
fn forged(dir: &Path, change: impl Fn(&mut Manifest)) {
    let written = written(dir);
    let mut manifest = written.manifest;
    change(&mut manifest);
    let text = serde_json::to_vec(&manifest).unwrap();
    fs::write(dir.join(MANIFEST), text).unwrap();
}

#[test]
fn a_manifest_that_was_changed_too_is_found_by_its_digest() {
    let dir = tempfile::tempdir().unwrap();
    let digest = written(dir.path()).digest;
    forged(dir.path(), |manifest| manifest.git_revision = None);
    assert!(Bundle::read(dir.path(), None).is_ok(), "it is consistent");
    let error = Bundle::read(dir.path(), Some(&digest)).unwrap_err();
    assert!(matches!(error, BundleError::Another { .. }), "{error}");
    assert!(error.to_string().contains(&digest), "{error}");
}

#[test]
fn a_manifest_that_leads_elsewhere_is_refused() {
    for name in ["../room.arm64.zip", "/etc/passwd", "room.zip", ""] {
        let dir = tempfile::tempdir().unwrap();
        forged(dir.path(), |manifest| {
            manifest.functions[2].file = name.to_owned();
        });
        assert!(
            matches!(refused(dir.path()), BundleError::Changed(..)),
            "{name}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    forged(dir.path(), |manifest| {
        let twice = manifest.functions[0].clone();
        manifest.functions.push(twice);
    });
    assert!(refused(dir.path()).to_string().contains("listed twice"));
}

#[test]
fn the_binaries_are_looked_into_whatever_the_manifest_says() {
    let forge = |binary: Vec<u8>| {
        let dir = tempfile::tempdir().unwrap();
        let one = BTreeMap::from([(("room".to_owned(), ON_ARM64), made(&binary))]);
        write(dir.path(), &one, about()).unwrap();
        refused(dir.path()).to_string()
    };
    let of_another_processor = TinyElf::new(Machine::X86_64).bytes();
    let text = forge(of_another_processor);
    assert!(
        text.ends_with("it is built for x86_64, not for arm64"),
        "{text}"
    );
    let newer = TinyElf::new(Machine::Arm64).needs("libc.so.6", &[Version::strong("GLIBC_2.36")]);
    let text = forge(newer.bytes());
    assert!(text.contains("it needs glibc 2.36"), "{text}");
}

#[test]
fn a_zip_that_holds_more_than_its_binary_is_refused_whatever_the_sums_say() {
    let dir = tempfile::tempdir().unwrap();
    let mut padded = made(&TinyElf::new(Machine::Arm64).bytes());
    let longer = [&padded.package.zip[..], b"more"].concat();
    padded.package.zip = longer.into();
    let one = BTreeMap::from([(("room".to_owned(), ON_ARM64), padded)]);
    write(dir.path(), &one, about()).unwrap();
    assert!(matches!(refused(dir.path()), BundleError::Changed(..)));
}

#[test]
fn another_versions_bundle_is_told_from_a_changed_one() {
    let dir = tempfile::tempdir().unwrap();
    forged(dir.path(), |manifest| manifest.zip_format += 1);
    assert!(matches!(refused(dir.path()), BundleError::OtherVersion(_)));
}

#[test]
fn what_is_no_bundle_is_named_so() {
    let dir = tempfile::tempdir().unwrap();
    let nowhere = dir.path().join("nowhere.zip");
    assert!(matches!(refused(&nowhere), BundleError::Unreadable(..)));
    assert!(matches!(refused(dir.path()), BundleError::NoBundle(..)));
    fs::create_dir(dir.path().join("folder")).unwrap();
    let error = refused(dir.path());
    assert!(error.to_string().ends_with("folder is no file"), "{error}");
    let text = dir.path().join("text.zip");
    fs::write(&text, "text").unwrap();
    assert!(matches!(refused(&text), BundleError::NoBundle(..)));
}

#[test]
fn a_function_that_isnt_in_it_is_refused_by_what_is() {
    let dir = tempfile::tempdir().unwrap();
    written(dir.path());
    let bundle = Bundle::read(dir.path(), None).unwrap();
    let error = bundle.package("default", ON_ARM64).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the bundle has no package `default`; it has connect, room"
    );
    let error = bundle.package("connect", ON_ARM64).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the bundle has the package `connect` for x86_64, not for arm64 on AWS"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_local_build_is_for_the_local_cloud_alone_and_one_for_aws_serves_there_too() {
    let machine = Machine::of_host().unwrap();
    let on_aws = BuildTarget::Lambda(machine);
    let local = made(&TinyElf::new(machine).entry(0x48).bytes());
    let for_aws = made(&TinyElf::new(machine).bytes());
    let bundle_of = |functions: &[(BuildTarget, &Made)]| {
        let dir = tempfile::tempdir().unwrap();
        let named = |(target, made): &(BuildTarget, &Made)| {
            (("room".to_owned(), *target), Made::clone(made))
        };
        write(dir.path(), &functions.iter().map(named).collect(), about()).unwrap();
        Bundle::read(dir.path(), None).unwrap()
    };

    let alone = bundle_of(&[(BuildTarget::Host, &local)]);
    let error = alone.package("room", on_aws).unwrap_err().to_string();
    assert!(
        error.contains("for the local cloud of x86_64-unknown-linux-gnu, not for"),
        "{error}"
    );
    let found = alone.package("room", BuildTarget::Host).unwrap();
    assert_eq!(found.sha256, local.package.sha256);

    let both = bundle_of(&[(BuildTarget::Host, &local), (on_aws, &for_aws)]);
    let found = both.package("room", BuildTarget::Host).unwrap();
    assert_eq!(found.sha256, local.package.sha256);
    let found = both.package("room", on_aws).unwrap();
    assert_eq!(found.sha256, for_aws.package.sha256);

    let promoted = bundle_of(&[(on_aws, &for_aws)]);
    let found = promoted.package("room", BuildTarget::Host).unwrap();
    assert_eq!(found.sha256, for_aws.package.sha256);
}

#[test]
fn a_folder_with_other_things_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.txt"), "years of work").unwrap();
    let error = write(dir.path(), &functions(), about()).unwrap_err();
    assert!(matches!(error, BundleError::Occupied(_, name) if name == "thesis.txt"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_new_bundle_leaves_nothing_of_the_former_one() {
    let dir = tempfile::tempdir().unwrap();
    for name in ["bundle", "bundle.zip"] {
        let path = dir.path().join(name);
        written(&path);
        let mut fewer = functions();
        fewer.retain(|(name, _), _| name == "connect");
        write(&path, &fewer, about()).unwrap();
        let bundle = Bundle::read(&path, None).unwrap();
        assert_eq!(bundle.manifest.functions.len(), 1);
        assert!(bundle.package("room", ON_ARM64).is_err());
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2);
}

/// Every state in which a killed process can leave a folder: files appear one after the
/// other, and the last one begun may be cut off.
#[test]
fn a_bundle_whose_making_was_interrupted_is_refused_and_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    let whole = tempfile::tempdir().unwrap();
    written(whole.path());
    let files = container::read(whole.path()).unwrap();
    let zips: Vec<_> = files.iter().filter(|(name, _)| *name != MANIFEST).collect();
    let manifest = (&format!("{MANIFEST}.4711.unfinished"), &files[MANIFEST]);
    let order: Vec<_> = zips.into_iter().chain([manifest]).collect();
    for done in 0..order.len() {
        for part in [0, order[done].1.len() / 2, order[done].1.len()] {
            let path = dir.path().join(format!("{done}-{part}"));
            fs::create_dir(&path).unwrap();
            for (name, content) in &order[..done] {
                fs::write(path.join(name), content).unwrap();
            }
            let (name, content) = order[done];
            fs::write(path.join(name), &content[..part]).unwrap();
            let error = refused(&path);
            assert!(matches!(error, BundleError::NoBundle(..)), "{error}");
            written(&path);
            assert!(Bundle::read(&path, None).is_ok());
        }
    }
    // A file is renamed to its place when it is whole.
    let path = dir.path().join("bundle.zip");
    written(&path);
    let former = fs::read(&path).unwrap();
    fs::write(dir.path().join("bundle.zip.4711.unfinished"), &former[..9]).unwrap();
    assert!(Bundle::read(&path, None).is_ok());
}
