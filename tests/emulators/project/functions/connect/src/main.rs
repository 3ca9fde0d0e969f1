//! Enough for a zip: the emulators are never asked to run it.

const RELEASE: &str = "connect, first";

fn main() {
    println!("{RELEASE}");
}
