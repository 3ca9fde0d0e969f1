//! The processors that Lambda has, and what compilers call them.

use std::fmt;

/// The newest glibc symbols Amazon Linux 2023 provides.
pub const AL2023_GLIBC: (u32, u32) = (2, 34);

/// A processor that Lambda has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Machine {
    /// `x86_64`.
    X86_64,
    /// `arm64`.
    Arm64,
}

impl Machine {
    /// Both.
    pub const ALL: [Self; 2] = [Self::X86_64, Self::Arm64];

    /// AWS's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64",
            Self::Arm64 => "arm64",
        }
    }

    /// This machine's, if Lambda has it.
    pub fn of_host() -> Option<Self> {
        match std::env::consts::ARCH {
            "x86_64" => Some(Self::X86_64),
            "aarch64" => Some(Self::Arm64),
            _ => None,
        }
    }

    /// rustc's name of the target.
    pub fn rust_target(self) -> &'static str {
        match self {
            Self::X86_64 => "x86_64-unknown-linux-gnu",
            Self::Arm64 => "aarch64-unknown-linux-gnu",
        }
    }

    /// The same with the newest glibc version that a function may need, as
    /// cargo-zigbuild spells it.
    pub fn lambda_target(self) -> String {
        let (major, minor) = AL2023_GLIBC;
        format!("{}.{major}.{minor}", self.rust_target())
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
