//! Exit codes; `deployer --help` lists them.

/// Everything asked for is done, also when there was nothing to do.
pub const SUCCESS: u8 = 0;
/// The cloud refused or didn't answer.
pub const FAILURE: u8 = 1;
/// Arguments or stage files are wrong; nothing was touched.
pub const BAD_INPUT: u8 = 2;
/// The functions don't build; nothing was touched.
pub const BUILD_FAILED: u8 = 3;
/// No credentials or no region; nothing was touched.
pub const NOT_SIGNED_IN: u8 = 4;
/// Something in the way isn't ours; nothing was touched.
pub const NOT_OURS: u8 = 5;
/// Another deploys the stage; nothing was touched.
pub const BUSY: u8 = 6;
/// `plan --exit-code`: all is well, and `up` would change something.
pub const CHANGES: u8 = 7;
/// Ctrl-C: what was in flight was finished, the rest not begun.
pub const INTERRUPTED: u8 = 130;
/// A mistake in the deployer itself was found before anything was touched.
pub const BUG: u8 = 70;

/// Every code with its meaning, as the help and docs/ERRORS.md have it.
pub const TABLE: &[(u8, &str)] = &[
    (SUCCESS, "done, also when there was nothing to do"),
    (FAILURE, "the cloud refused or didn't answer"),
    (
        BAD_INPUT,
        "arguments, stage files or a bundle are wrong; nothing was touched",
    ),
    (
        BUILD_FAILED,
        "the functions don't build; nothing was touched",
    ),
    (
        NOT_SIGNED_IN,
        "no credentials or no region; nothing was touched",
    ),
    (
        NOT_OURS,
        "something in the way isn't this stage's; nothing was touched",
    ),
    (BUSY, "another deploys the stage; nothing was touched"),
    (
        CHANGES,
        "with `plan --exit-code`: `up` would change something",
    ),
    (
        BUG,
        "a mistake in the deployer itself: its plan breaks its own rules; nothing was touched",
    ),
    (
        INTERRUPTED,
        "interrupted: calls in flight were finished (not after a second Ctrl-C), the next `up` goes on",
    ),
];
