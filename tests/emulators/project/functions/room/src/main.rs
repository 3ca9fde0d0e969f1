//! Enough for a zip: the emulators are never asked to run it.

const RELEASE: &str = "room, first";

fn main() {
    println!("{RELEASE}");
}
