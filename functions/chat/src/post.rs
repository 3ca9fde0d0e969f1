//! Telling connections something.
//!
//! One failing connection never keeps a text from the others: each post's fate
//! is collected in a [`Delivery`], and nothing here returns an error.
//! Deliberately absent: retries, which are the poster's own matter.

use futures_util::{StreamExt, stream};
use serde::Serialize;

/// How many posts of one telling are under way at a time. Enough that a full
/// room takes few rounds, few enough that their handshakes do not starve a
/// function with a fraction of a CPU.
pub const POSTS_AT_ONCE: usize = 32;

/// The way to a connection.
pub trait Post {
    /// Sends one text message to one connection.
    ///
    /// # Errors
    /// [`PostError`] when the message was not accepted for delivery.
    fn post(&self, connection_id: &str, text: &str) -> impl Future<Output = Result<(), PostError>>;
}

/// Why a post failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PostError {
    /// The connection is closed and will not come back.
    #[error("the connection is gone")]
    Gone,
    /// Anything else: the connection may well live.
    #[error("{0}")]
    Other(String),
}

/// A text and the connections to tell it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Telling {
    /// Connection ids, each once.
    pub to: Vec<String>,
    /// The message, exact.
    pub text: String,
}

impl Telling {
    /// Tells one connection only.
    pub fn one(connection_id: &str, text: impl Into<String>) -> Self {
        Self {
            to: vec![connection_id.to_owned()],
            text: text.into(),
        }
    }
}

/// What became of a telling.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// How many connections took the text.
    #[serde(skip_serializing_if = "is_zero")]
    pub delivered: usize,
    /// Connections that are closed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub gone: Vec<String>,
    /// Connections that may live and yet did not get the text.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<Failure>,
}

/// A post that failed for another reason than a closed connection.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// Whom the text did not reach.
    pub connection_id: String,
    /// Why, without any of the text.
    pub error: String,
}

/// Tells everyone, [`POSTS_AT_ONCE`] at a time, and says what became of it.
pub async fn tell(post: &impl Post, telling: &Telling) -> Delivery {
    let text = telling.text.as_str();
    stream::iter(&telling.to)
        .map(async |id| (id, post.post(id, text).await))
        .buffer_unordered(POSTS_AT_ONCE)
        .fold(Delivery::default(), async |mut delivery, (id, result)| {
            match result {
                Ok(()) => delivery.delivered += 1,
                Err(PostError::Gone) => delivery.gone.push(id.clone()),
                Err(PostError::Other(error)) => delivery.failed.push(Failure {
                    connection_id: id.clone(),
                    error,
                }),
            }
            delivery
        })
        .await
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::{Failure, POSTS_AT_ONCE, Post, PostError, Telling, tell};
    use crate::testing::Recorder;
    use std::cell::Cell;

    fn everyone(ids: &[&str]) -> Telling {
        Telling {
            to: ids.iter().map(|&id| id.to_owned()).collect(),
            text: "hi".to_owned(),
        }
    }

    #[tokio::test]
    async fn a_gone_and_a_failing_connection_do_not_keep_the_text_from_the_rest() {
        let post = Recorder::default();
        post.lose("b=");
        post.break_off("c=", "HTTP 500");

        let delivery = tell(&post, &everyone(&["a=", "b=", "c=", "d="])).await;

        assert_eq!(delivery.delivered, 2);
        assert_eq!(delivery.gone, ["b="]);
        let failure = Failure {
            connection_id: "c=".to_owned(),
            error: "HTTP 500".to_owned(),
        };
        assert_eq!(delivery.failed, [failure]);
        assert_eq!(post.take("a="), ["hi"]);
        assert_eq!(post.take("d="), ["hi"]);
    }

    /// Counts the posts that are under way together.
    #[derive(Default)]
    struct Busy {
        now: Cell<usize>,
        most: Cell<usize>,
    }

    impl Post for Busy {
        async fn post(&self, _: &str, _: &str) -> Result<(), PostError> {
            self.now.set(self.now.get() + 1);
            self.most.set(self.most.get().max(self.now.get()));
            tokio::task::yield_now().await;
            self.now.set(self.now.get() - 1);
            Ok(())
        }
    }

    #[tokio::test]
    async fn posts_run_together_up_to_the_bound_and_no_further() {
        let post = Busy::default();
        let telling = Telling {
            to: (0..3 * POSTS_AT_ONCE).map(|n| n.to_string()).collect(),
            text: String::new(),
        };
        assert_eq!(tell(&post, &telling).await.delivered, 3 * POSTS_AT_ONCE);
        assert_eq!(post.most.get(), POSTS_AT_ONCE);
    }
}
