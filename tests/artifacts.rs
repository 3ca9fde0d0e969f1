//! Functions that are built in one place and deployed from another: what a bundle is good
//! for, and what never leaves.

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs::{self, File};
use std::net::TcpStream;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};
use testkit::proxy::Proxy;
use testkit::{Deployer, Ran, TinyProject, World};
use tokio::task::block_in_place;

/// How long a build may take to begin. Generous: it only passes when a test fails.
const BEGIN_DEADLINE: Duration = Duration::from_secs(120);

/// Lambda's names of this machine's processor and of the other one.
const PROCESSORS: [&str; 2] = match cfg!(target_arch = "x86_64") {
    true => ["x86_64", "arm64"],
    false => ["arm64", "x86_64"],
};

/// A stage file for AWS.
fn on_aws(processor: &str) -> String {
    format!("target = \"aws\"\n[defaults]\narchitecture = \"{processor}\"\n")
}

/// With a stage `alpha` that this machine can build for, and one that it can't.
fn project() -> TinyProject {
    let project = TinyProject::new();
    project.write("stages/alpha.toml", &on_aws(PROCESSORS[0]));
    project.write("stages/foreign.toml", &on_aws(PROCESSORS[1]));
    project
}

fn deployer(project: &Path) -> Deployer {
    Deployer::new(env!("CARGO_BIN_EXE_deployer"), project)
}

/// By the path that leads to AWS, with a local cloud as the endpoint of all services.
fn deployer_on_aws(project: &Path, endpoint: &str) -> Deployer {
    let mut deployer = deployer(project);
    deployer.set("AWS_ENDPOINT_URL", endpoint);
    deployer.set("AWS_REGION", local_cloud::REGION);
    deployer.set("AWS_ACCESS_KEY_ID", "AKIALOCALCLOUDUSER00");
    deployer.set("AWS_SECRET_ACCESS_KEY", "local");
    deployer
}

fn endpoint(world: &World) -> String {
    format!("http://127.0.0.1:{}", world.port())
}

/// Nothing that could compile, nor any other program.
fn without_programs(mut deployer: Deployer) -> Deployer {
    for name in ["PATH", "CARGO", "RUSTC"] {
        deployer.set(name, "/nonexistent");
    }
    deployer
}

/// A folder with nothing but a project's stage files.
fn stage_files_of(project: &TinyProject) -> tempfile::TempDir {
    let dir = tempfile::tempdir().expect("a folder");
    let stages = dir.path().join("stages");
    fs::create_dir(&stages).expect("a folder");
    for entry in fs::read_dir(project.path().join("stages")).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        fs::copy(&path, stages.join(name)).expect("a copy");
    }
    dir
}

/// Packages the stages; gives the bundle's place and digest.
fn packaged(project: &Path, stages: &[&str], out: &str) -> (PathBuf, String) {
    let mut arguments = vec!["package", "--json", "--out", out];
    arguments.extend(stages);
    let said = deployer(project).succeed(&arguments);
    let said: Value = serde_json::from_str(&said).expect("one line of JSON");
    let digest = said["digest"].as_str().expect("a digest");
    (project.join(out), digest.to_owned())
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary folders have legible names")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_is_deployed_where_there_is_neither_source_nor_compiler() {
    let project = project();
    let world = World::new().await;
    block_in_place(|| {
        let (bundle, _) = packaged(project.path(), &["alpha"], "bundle");
        // As in a checkout.
        let manifest = bundle.join("manifest.json");
        let said = fs::read_to_string(&manifest).expect("a manifest");
        let with_revision = said.replace("\"git_revision\": null", "\"git_revision\": \"0a1b2c\"");
        assert_ne!(said, with_revision);
        fs::write(&manifest, with_revision).expect("a file");

        let elsewhere = stage_files_of(&project);
        let there = without_programs(deployer_on_aws(elsewhere.path(), &endpoint(&world)));
        let Ran { code, stderr, .. } = there.run(&["up", "alpha"]);
        assert_eq!(code, 3, "{stderr}");
        assert!(stderr.contains("can't run cargo"), "{stderr}");

        let from = ["--from", text(&bundle)];
        let plan = there.succeed(&["plan", "alpha", from[0], from[1]]);
        assert!(plan.contains("+ function        tiny-alpha-tiny"), "{plan}");
        let up = there.succeed(&["up", "alpha", from[0], from[1]]);
        assert!(up.contains("tiny/alpha is live"), "{up}");
        let history = there.succeed(&["history", "alpha"]);
        assert!(history.contains("0a1b2c"), "{history}");
        let again = there.succeed(&["up", "alpha", from[0], from[1]]);
        assert!(again.contains("nothing to do"), "{again}");
        // What is built from source is the same, and isn't uploaded again.
        let here = deployer_on_aws(project.path(), &endpoint(&world));
        let up = here.succeed(&["up", "alpha"]);
        assert!(up.contains("nothing to do"), "{up}");
        here.succeed(&["down", "alpha"]);
    });
    assert!(world.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bundle_that_was_changed_is_refused_before_anything_is_touched() {
    let project = project();
    let world = World::new().await;
    let proxy = Proxy::start(world.port()).await;
    proxy.begin(None);
    let deployer = deployer_on_aws(project.path(), &proxy.endpoint());
    block_in_place(|| {
        let refused = |path: &Path, more: &[&str], words: &str| {
            for verb in ["up", "plan"] {
                let arguments = [&[verb, "local", "alpha", "--from", text(path)], more].concat();
                let ran = deployer.run(&arguments);
                assert_eq!(ran.code, 2, "{words}: {}", ran.stderr);
                assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
                assert_eq!(ran.stdout, "", "{words}");
            }
        };
        let (folder, digest) = packaged(project.path(), &["alpha"], "bundle");
        let zip = folder.join(format!("tiny.{}.zip", PROCESSORS[0]));
        let whole = fs::read(&zip).expect("a zip");
        let mut changed = whole.clone();
        changed[whole.len() / 2] ^= 1;
        fs::write(&zip, changed).expect("a file");
        refused(&folder, &[], "isn't what the manifest says");
        fs::write(&zip, &whole[..whole.len() / 2]).expect("a file");
        refused(
            &folder,
            &["--digest", &digest],
            "isn't what the manifest says",
        );
        fs::remove_file(&zip).expect("it was there");
        refused(&folder, &[], "is missing");

        let (file, digest) = packaged(project.path(), &["alpha"], "bundle.zip");
        refused(&file, &["--digest", "0a1b2c"], "is another one");
        let whole = fs::read(&file).expect("a bundle");
        fs::write(&file, &whole[..whole.len() - 1]).expect("a file");
        refused(
            &file,
            &["--digest", &digest],
            "was changed after it was made",
        );
        refused(
            &project.path().join("nowhere"),
            &[],
            "can't read the bundle",
        );
        assert!(TcpStream::connect(("127.0.0.1", deployer.port())).is_err());
        fs::write(&file, &whole).expect("a file");
        let arguments = ["plan", "alpha", "--from", text(&file), "--digest", &digest];
        assert!(proxy.calls().is_empty(), "{:?}", proxy.calls());
        deployer.succeed(&arguments);
    });
    assert!(!proxy.calls().is_empty(), "the account is asked in the end");
    assert!(world.is_empty().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_bundle_lacks_for_one_stage_keeps_all_from_being_touched() {
    let project = project();
    let world = World::new().await;
    let proxy = Proxy::start(world.port()).await;
    proxy.begin(None);
    block_in_place(|| {
        let refused = |project: &Path, stages: &[&str], bundle: &Path, words: &str| {
            let deployer = deployer_on_aws(project, &proxy.endpoint());
            let arguments = [&["up", "--from", text(bundle)], stages].concat();
            let Ran { code, stderr, .. } = deployer.run(&arguments);
            assert_eq!(code, 2, "{stderr}");
            assert!(stderr.contains(words), "{words}: {stderr}");
        };
        let (bundle, _) = packaged(project.path(), &["alpha"], "bundle.zip");
        let [own, other] = PROCESSORS;
        let words =
            format!("foreign: the bundle has the package `tiny` for {own}, not for {other} on AWS");
        refused(project.path(), &["alpha", "foreign"], &bundle, &words);

        let (local, _) = packaged(project.path(), &["local"], "local.zip");
        let words = "alpha: the bundle has the package `tiny` for the local cloud of";
        refused(project.path(), &["local", "alpha"], &local, words);

        let elsewhere = stage_files_of(&project);
        fs::write(
            elsewhere.path().join("stages/service.toml"),
            "service = \"tiny\"\n[functions.tiny]\n[functions.more]\n[routes]\n\"$default\" = \"tiny\"\njoin = \"more\"\n",
        )
        .expect("a file");
        let words = "alpha: the bundle has no package `more`; it has tiny";
        refused(elsewhere.path(), &["alpha"], &bundle, words);
    });
    assert!(proxy.calls().is_empty(), "{:?}", proxy.calls());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_to_aws_can_be_tried_on_the_local_cloud_first() {
    let project = project();
    block_in_place(|| {
        let elsewhere = stage_files_of(&project);
        let there = without_programs(deployer(elsewhere.path()));
        for stages in [&["local"][..], &["alpha"], &["alpha", "local"]] {
            let (bundle, digest) = packaged(project.path(), stages, "bundle.zip");
            let arguments = ["up", "local", "--from", text(&bundle), "--digest", &digest];
            let up = there.succeed(&arguments);
            assert!(up.contains("tiny/local is live"), "{stages:?}: {up}");
            there.succeed(&["down", "local"]);
        }
    });
}

/// Links against a stand-in for a glibc that doesn't exist yet, unless told otherwise.
const NEWER_GLIBC: &str = r#"
fn main() {
    println!("cargo::rustc-check-cfg=cfg(newer)");
    println!("cargo::rerun-if-env-changed=OLD_GLIBC");
    if std::env::var_os("OLD_GLIBC").is_some() {
        return;
    }
    println!("cargo::rustc-cfg=newer");
    let dir = std::env::var("OUT_DIR").unwrap();
    std::fs::write(format!("{dir}/newer.c"), "int newer(void) { return 0; }\n").unwrap();
    std::fs::write(format!("{dir}/newer.map"), "GLIBC_2.99 { newer; };\n").unwrap();
    let status = std::process::Command::new("cc")
        .current_dir(&dir)
        .args(["-shared", "-fPIC", "-nostdlib", "-o", "libnewer.so", "newer.c"])
        .args(["-Wl,-soname,libresolv.so.2", "-Wl,--version-script=newer.map"])
        .status();
    assert!(status.unwrap().success());
    println!("cargo::rustc-link-search={dir}");
    println!("cargo::rustc-link-lib=dylib=newer");
}
"#;

/// A function that needs it.
fn project_of_newer_glibc() -> TinyProject {
    let project = project();
    project.write("build.rs", NEWER_GLIBC);
    project.write(
        "src/main.rs",
        "#[cfg(newer)]\nunsafe extern \"C\" { fn newer() -> i32; }\n\
         #[cfg(newer)]\nfn main() { std::process::exit(unsafe { newer() }) }\n\
         #[cfg(not(newer))]\nfn main() {}\n",
    );
    project
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_binary_that_needs_a_newer_glibc_never_leaves() {
    let project = project_of_newer_glibc();
    let world = World::new().await;
    block_in_place(|| {
        let mut deployer = deployer_on_aws(project.path(), &endpoint(&world));
        // No zig that could help, whatever this machine has.
        deployer.set("CARGO_ZIGBUILD_ZIG_PATH", "/nonexistent");
        deployer.set("CARGO_ZIGBUILD_PYTHON_PATH", "/nonexistent");
        for arguments in [["up", "alpha"], ["package", "alpha"]] {
            let Ran { code, stderr, .. } = deployer.run(&arguments);
            assert_eq!(code, 3, "{stderr}");
            assert!(
                stderr.contains("it needs glibc 2.99, Amazon Linux 2023 has 2.34"),
                "{stderr}"
            );
            assert!(stderr.contains("next: install cargo-zigbuild"), "{stderr}");
        }
        assert!(!project.path().join(".deployer/bundle.zip").exists());
    });
    assert!(world.is_empty().await);
}

/// Builds as cargo does, against an older glibc: what cargo-zigbuild is for.
const ZIGBUILD: &str = r#"#!/bin/sh
[ "$1" = --version ] && exit 0
[ "$1 $2 ${3##*-gnu}" = "zigbuild --target .2.34" ] || exit 1
shift 3
OLD_GLIBC=1 exec cargo build --target-dir target/zig "$@"
"#;

#[cfg(target_os = "linux")]
#[test]
fn what_this_machines_glibc_is_too_new_for_is_linked_by_cargo_zigbuild() {
    let project = project_of_newer_glibc();
    let programs = tempfile::tempdir().expect("a folder");
    for (name, script) in [("cargo-zigbuild", ZIGBUILD), ("zig", "#!/bin/sh\nexit 0\n")] {
        let path = programs.path().join(name);
        fs::write(&path, script).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let mut deployer = deployer(project.path());
    let path = std::env::var("PATH").expect("a PATH");
    deployer.set("PATH", &format!("{}:{path}", text(programs.path())));
    let ran = deployer.run(&["package", "alpha", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let words = "it needs glibc 2.99, Amazon Linux 2023 has 2.34; linking again by cargo-zigbuild";
    assert!(ran.stderr.contains(words), "{}", ran.stderr);
    let said: Value = serde_json::from_str(&ran.stdout).expect("one line of JSON");
    assert_eq!(said["functions"][0]["linker"], "cargo-zigbuild");
}

#[test]
fn what_is_missing_to_build_for_another_processor_is_named_with_its_command() {
    let project = project();
    // The compiler, and no other program.
    let programs = tempfile::tempdir().expect("a folder");
    let path = std::env::var_os("PATH").expect("a PATH");
    for name in ["cargo", "rustc"] {
        let mut found = std::env::split_paths(&path).map(|dir| dir.join(name));
        let found = found.find(|path| path.is_file());
        symlink(found.expect("Rust is here"), programs.path().join(name)).expect("a link");
    }
    let mut deployer = deployer(project.path());
    deployer.set("PATH", text(programs.path()));
    let Ran { code, stderr, .. } = deployer.run(&["package", "foreign"]);
    assert_eq!(code, 3, "{stderr}");
    let words = format!(
        "building for {} on this machine needs cargo-zigbuild, zig",
        PROCESSORS[1]
    );
    assert!(stderr.contains(&words), "{stderr}");
    let command = "run: cargo install --locked cargo-zigbuild && pip install ziglang";
    assert!(stderr.contains(command), "{stderr}");
    assert!(!stderr.contains("Compiling"), "{stderr}");
}

/// What the release profile of this repository says, too.
const STRIPPED: &str = "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n[profile.release]\nstrip = true\n";

#[test]
fn two_checkouts_at_two_times_give_the_same_bundle_byte_for_byte() {
    let bundles = [0_u64, 1_000_000].map(|age| {
        let project = project();
        project.write("Cargo.toml", STRIPPED);
        let main = project.path().join("src/main.rs");
        let time = SystemTime::now() - Duration::from_secs(age);
        let main = File::options().append(true).open(main).expect("the source");
        main.set_modified(time).expect("a time");
        let (bundle, _) = packaged(project.path(), &["alpha"], "bundle.zip");
        fs::read(bundle).expect("a bundle")
    });
    assert!(bundles[0] == bundles[1], "two checkouts, two bundles");
}

/// Says that it has begun, and goes on when it may.
const GATE: &str = r#"
fn main() {
    let dir = std::path::PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap());
    std::fs::write(dir.join("begun"), "").unwrap();
    while !dir.join("go").exists() {
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}
"#;

#[test]
fn a_build_that_is_killed_leaves_nothing_that_the_next_one_takes_for_whole() {
    let project = project();
    project.write("build.rs", GATE);
    let mut command = deployer(project.path()).command(&["package", "alpha"]);
    // With its compiler and whatever that started.
    let mut child = command.process_group(0).spawn().expect("it starts");
    let group = i32::try_from(child.id()).expect("a pid");
    let started = Instant::now();
    while !project.path().join("begun").exists() {
        assert!(started.elapsed() < BEGIN_DEADLINE, "the build never began");
        std::thread::sleep(Duration::from_millis(1));
    }
    killpg(Pid::from_raw(group), Signal::SIGKILL).expect("it can be killed");
    child.wait().expect("it ends");
    let bundle = project.path().join(".deployer/bundle.zip");
    assert!(!bundle.exists());
    project.write("go", "");
    deployer(project.path()).succeed(&["package", "alpha"]);

    let undisturbed = self::project();
    undisturbed.write("build.rs", GATE);
    undisturbed.write("go", "");
    deployer(undisturbed.path()).succeed(&["package", "alpha"]);
    let wanted = fs::read(undisturbed.path().join(".deployer/bundle.zip"));
    let made = fs::read(bundle).expect("a bundle");
    assert!(made == wanted.expect("a bundle"));
}

#[test]
fn what_has_not_changed_is_neither_built_nor_zipped_again() {
    let project = project();
    let deployer = deployer(project.path());
    let kept = project.path().join("target/release/tiny.lambda.zip");
    let run = || {
        let ran = deployer.run(&["package", "alpha"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        // A zip that is written anew is another file.
        let file = fs::metadata(&kept).expect("a kept zip").ino();
        (ran.stderr.contains("Compiling tiny"), file)
    };
    let (compiled, first) = run();
    assert!(compiled);
    assert_eq!(run(), (false, first));
    project.write("src/main.rs", "fn main() { std::process::exit(7) }\n");
    let (compiled, changed) = run();
    assert!(compiled);
    assert_ne!(changed, first);
}

#[test]
fn package_says_what_it_made_and_leaves_no_bundle_when_it_fails() {
    let project = project();
    let deployer = deployer(project.path());
    let said = deployer.succeed(&["package", "alpha", "local", "alpha", "--json"]);
    let said: Value = serde_json::from_str(&said).expect("one line of JSON");
    assert_eq!(said["stages"], serde_json::json!(["alpha", "local"]));
    let functions = said["functions"].as_array().expect("a list");
    let purposes: Vec<&Value> = functions.iter().map(|function| &function["for"]).collect();
    assert_eq!(purposes, ["local", "aws"]);
    let toolchain = said["toolchain"].as_str().expect("a text");
    assert!(toolchain.starts_with("rustc 1."), "{toolchain}");
    let bundle = PathBuf::from(said["bundle"].as_str().expect("a path"));
    assert!(bundle.ends_with(".deployer/bundle.zip"), "{bundle:?}");
    let whole = fs::read(&bundle).expect("a bundle");

    let text = deployer.succeed(&["package", "alpha"]);
    assert!(text.contains("next    deployer up alpha --from "), "{text}");
    let fails = |arguments: &[&str], code: i32, words: &str| {
        let ran = deployer.run(arguments);
        assert_eq!(ran.code, code, "{}", ran.stderr);
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
        assert_eq!(ran.stdout, "", "{words}");
    };
    let former = fs::read(&bundle).expect("a bundle");
    assert!(former != whole, "it has a local build no more");
    fails(&["package", "alfa"], 2, "did you mean `alpha`?");
    fails(
        &["package", "alpha", "--out", "src"],
        2,
        "it holds `main.rs`",
    );
    project.write("src/main.rs", "fn main() { no_such_function() }\n");
    fails(&["package", "alpha"], 3, "cannot find function");
    project.write("src/main.rs", TinyProject::MAIN);
    project.write("stages/service.toml", "service = \"tiny\"\n[functions.tiny]\npackage = \"tinny\"\n[routes]\n\"$default\" = \"tiny\"\n");
    fails(
        &["package", "alpha"],
        3,
        "there is no package `tinny` in the workspace",
    );
    assert!(fs::read(&bundle).expect("a bundle") == former);
    for stage in ["alpha", "foreign"] {
        fs::remove_file(project.path().join(format!("stages/{stage}.toml"))).expect("a file");
    }
    fails(&["package"], 2, "there is no stage on AWS");
}
