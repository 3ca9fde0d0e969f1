//! It is deployed and written down, never invoked.

fn main() {}
