//! Scripts of `deployer connect`: what clients send, and what they must hear.
//!
//! Deliberately absent: conditions and loops. A script is a conversation, not a program.

pub mod expected;
mod member;
mod read;
mod run;

pub use read::read;
pub use run::{Outcome, Settings, run};

use expected::{Expected, Template};
use std::time::Duration;

/// A script that was read.
#[derive(Debug, Clone)]
pub struct Script {
    /// The clients in it, in the order of their first mention. One may have no name.
    pub clients: Vec<String>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

impl Script {
    /// What is sent in it, as far as nothing caught is needed for that.
    pub fn messages(&self) -> impl Iterator<Item = String> {
        self.steps.iter().filter_map(|step| match &step.what {
            What::Send { text, .. } if text.names().next().is_none() => {
                Some(text.filled(&expected::Variables::new()))
            }
            _ => None,
        })
    }
}

/// One line of it.
#[derive(Debug, Clone)]
pub struct Step {
    /// Which, from 1.
    pub line: usize,
    /// The line.
    pub text: String,
    /// What it says.
    pub what: What,
}

/// What a line says. Clients are places in [`Script::clients`].
#[derive(Debug, Clone)]
pub enum What {
    /// `A> text`
    Send { clients: Vec<usize>, text: Template },
    /// `A< expected`, `A= text`
    Hear {
        clients: Vec<usize>,
        expected: Expected,
    },
    /// `A<< expected`: perhaps after others
    HearAmong {
        clients: Vec<usize>,
        expected: Expected,
    },
    /// `A: connect`
    Connect(Vec<usize>),
    /// `A: refused 401`: the handshake is
    Refused(Vec<usize>, Option<u16>),
    /// `A: header K: V` and the like, before it connects
    Prepare(Vec<usize>, Preparation),
    /// `A: close 1000`
    Close(Vec<usize>, Option<u16>),
    /// `A: closed 1001`: the other side does
    Closed(Vec<usize>, Option<u16>),
    /// `A: quiet 1s`: it hears nothing for so long
    Quiet(Vec<usize>, Duration),
    /// `wait 1s`
    Wait(Duration),
    /// `within 5s`: how long expectations wait from here on
    Within(Duration),
    /// `resend if expected`: who hears this in answer sends its last message again
    ResendIf(Expected),
}

/// A preparation with its value.
pub type Prepared = (Preparation, String);

/// What makes a client's connection, by its preparations.
pub type Dial<'a> = dyn Fn(&[Prepared]) -> chat_client::Link + 'a;

/// What a client's handshake has beside what the command line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Preparation {
    /// A header.
    Header(String, Template),
    /// A parameter of the query string.
    Query(String, Template),
    /// A subprotocol.
    Subprotocol(Template),
    /// A token for the authorizer.
    Token(Template),
}
