//! Why a secret has no value: always with its name and reference, never with
//! anything of a value.

use crate::reference::Reference;

/// A secret that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("secret {name} ({reference}): {cause}")]
pub struct SecretsError {
    /// As the stage file calls it.
    pub name: String,
    /// Where it should be kept; hidden if it isn't a reference.
    pub reference: String,
    /// What is wrong.
    pub cause: Cause,
}

impl SecretsError {
    pub(crate) fn new(name: &str, text: &str, cause: Cause) -> Self {
        // What isn't a reference may be a value that somebody put there.
        let reference = match Reference::parse(text) {
            Some(_) => text.to_owned(),
            None => "hidden".to_owned(),
        };
        Self {
            name: name.to_owned(),
            reference,
            cause,
        }
    }
}

/// What is wrong with a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// Its variable holds something else.
    #[error("the variable doesn't hold the ARN of a parameter or secret")]
    NotAReference,
    /// A variable that Lambda sets isn't there.
    #[error("environment variable {0} is not set")]
    MissingVariable(&'static str),
    /// The service refused.
    #[error("{code}: {message}")]
    Refused {
        /// AWS's code, e.g. `AccessDeniedException`.
        code: String,
        /// AWS's words.
        message: String,
    },
    /// No answer, in several attempts.
    #[error("no answer: {0}")]
    NoAnswer(String),
    /// The service's answer has no value in it.
    #[error("the answer has no text in {0}")]
    NoText(&'static str),
}

/// The stage file names no such secret for this function.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no secret is called {name}; there are: {}", known.join(", "))]
pub struct Unknown {
    /// What was asked for.
    pub name: String,
    /// What there is.
    pub known: Vec<String>,
}
