//! Which release a deployment says it froze. Pure.
//!
//! This is all that the local cloud knows of the deployer: how the descriptions begin that it
//! writes. Those of others are shown as they are.

const PREFIX: &str = "deployer release ";

/// The hash in a deployment's description.
pub(super) fn hash_in(description: &str) -> Option<&str> {
    let hash = description.strip_prefix(PREFIX)?.split(' ').next()?;
    let is_hash = !hash.is_empty() && hash.bytes().all(|b| b.is_ascii_hexdigit());
    is_hash.then_some(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_read_out_of_what_the_deployer_writes() {
        let text = "deployer release 0123456789abcdef manifest 0123456789ab";
        assert_eq!(hash_in(text), Some("0123456789abcdef"));
        assert_eq!(hash_in("deployer release "), None);
        assert_eq!(hash_in("by hand"), None);
    }
}
