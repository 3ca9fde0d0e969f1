//! A function's secrets: the deployer hands it references, and this crate reads
//! their values when the function starts, with the permissions of its role.
//!
//! ```no_run
//! # async fn start() -> Result<(), Box<dyn std::error::Error>> {
//! let secrets = secrets::Secrets::resolve().await?;
//! let key: &str = secrets.get("API_KEY")?;
//! # Ok(()) }
//! ```
//!
//! Values are read once and kept for the life of the environment. Deliberately
//! absent: refreshing them (a new value is seen by new environments), the SDK's
//! credential chains (Lambda gives credentials in the environment), keys within
//! a secret's JSON, binary secrets.

mod answer;
mod error;
mod fetch;
mod reference;

pub use error::{Cause, SecretsError, Unknown};

use fetch::Client;
use futures_util::future::join_all;
use reference::Reference;
use std::collections::BTreeMap;
use std::fmt;
use tokio::sync::OnceCell;

/// What the names of the variables begin with that hold references; the deployer
/// writes them.
const VARIABLE_PREFIX: &str = "DEPLOYER_SECRET_";

static RESOLVED: OnceCell<Secrets> = OnceCell::const_new();

/// The values of a function's secrets. Never shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secrets {
    values: BTreeMap<String, String>,
}

impl Secrets {
    /// All secrets of this function. Reads them the first time; an error is not
    /// kept, so that the next call tries again.
    ///
    /// # Errors
    /// The first secret, in the order of their names, that can't be read.
    pub async fn resolve() -> Result<&'static Self, SecretsError> {
        RESOLVED
            .get_or_try_init(|| async { Self::read(std::env::vars()).await })
            .await
    }

    /// As [`Secrets::resolve`], from any variables and without keeping anything.
    ///
    /// # Errors
    /// As [`Secrets::resolve`].
    pub async fn read(
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, SecretsError> {
        let variables: BTreeMap<String, String> = variables.into_iter().collect();
        let references: Vec<(&str, &str)> = variables
            .iter()
            .filter_map(|(name, text)| Some((name.strip_prefix(VARIABLE_PREFIX)?, text.as_str())))
            .collect();
        if references.is_empty() {
            return Ok(Self::default());
        }
        let client = Client::new(&variables);
        let values = references.into_iter().map(|(name, text)| {
            let client = &client;
            async move {
                let value = async {
                    let reference = Reference::parse(text).ok_or(Cause::NotAReference)?;
                    client.as_ref().map_err(Clone::clone)?.get(&reference).await
                };
                match value.await {
                    Ok(value) => Ok((name.to_owned(), value)),
                    Err(cause) => Err(SecretsError::new(name, text, cause)),
                }
            }
        });
        let values: Result<_, SecretsError> = join_all(values).await.into_iter().collect();
        Ok(Self { values: values? })
    }

    /// A secret's value.
    ///
    /// # Errors
    /// When the stage file names no such secret for this function.
    pub fn get(&self, name: &str) -> Result<&str, Unknown> {
        match self.values.get(name) {
            Some(value) => Ok(value),
            None => Err(Unknown {
                name: name.to_owned(),
                known: self.values.keys().cloned().collect(),
            }),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let redacted = self.values.keys().map(|name| (name, "(hidden)"));
        f.debug_map().entries(redacted).finish()
    }
}

#[cfg(test)]
mod tests;
