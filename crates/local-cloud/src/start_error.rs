//! Why a cloud did not start.

use std::io;

use crate::store::StateError;

/// Why a cloud did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Something else has the port.
    #[error("port {port} of 127.0.0.1 is in use by {}", if *.by_local_cloud { "another local cloud" } else { "another program" })]
    PortInUse {
        /// The port asked for.
        port: u16,
        /// Whether it answers as a local cloud.
        by_local_cloud: bool,
    },
    /// The port cannot be had for another reason, e.g. want of privilege.
    #[error("cannot listen on 127.0.0.1:{port}: {source}")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the operating system said.
        source: io::Error,
    },
    /// The directory for unpacked functions cannot be made.
    #[error("cannot use {dir}: {source}")]
    DataDir {
        /// The directory asked for.
        dir: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The certificate authority cannot be read nor made.
    #[error("cannot keep the certificate authority in {dir}: {source}")]
    Authority {
        /// The directory asked for.
        dir: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// The account can't be kept, or gone on with.
    #[error(transparent)]
    State(#[from] StateError),
}
