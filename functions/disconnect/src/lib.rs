//! `$disconnect`: the connection leaves every room.
//!
//! Without a table it takes note in the log, and no more: rooms live in the memory of
//! the room function then, to which a stage can route `$disconnect` instead.
//! API Gateway promises no `$disconnect` for every connection anyway.

use chat::{Event, EventError, Served, Store, connection_id, expect_route, now};

/// Accepts the event; there is nobody to tell.
///
/// # Errors
/// When the event came by another route, or the store fails: then memberships end when
/// posts find them gone, or with their time.
pub async fn handle(event: &Event, store: Option<&impl Store>) -> Result<Served, EventError> {
    expect_route(event, &["$disconnect"])?;
    if let Some(store) = store {
        store.disconnect(connection_id(event)?, now(event)).await?;
    }
    Ok(Served::default())
}

#[cfg(test)]
mod tests {
    use super::handle;
    use chat::testing::{disconnect_event, message_event};
    use chat::{Format, Joining, MemoryStore, Served, Store, respond};

    const NONE: Option<&MemoryStore> = None;

    #[tokio::test]
    async fn every_event_of_the_route_is_accepted() {
        let outcome = handle(&disconnect_event("a="), NONE).await;
        assert_eq!(outcome, Ok(Served::default()));
        assert!(respond(outcome).is_ok());
    }

    #[tokio::test]
    async fn the_connection_leaves_every_room_and_no_other_connection_does() {
        let store = MemoryStore::default();
        let event = disconnect_event("a=");
        let now = event.request_context.request_time_epoch;
        for (room, id) in [("r1", "a="), ("r1", "b="), ("r2", "a=")] {
            let joining = Joining {
                id,
                name: None,
                format: Format::Plain,
                connected_at: now,
                request: room,
            };
            store.join(room, &joining, now).await.unwrap();
        }
        handle(&event, Some(&store)).await.unwrap();
        assert_eq!(store.member("r1", "a=", now).await, Ok(None));
        assert_eq!(store.members("r2", now).await, Ok(vec![]));
        assert_eq!(store.members("r1", now).await.unwrap().len(), 1);
    }

    #[tokio::test]
    async fn another_route_is_an_error_that_names_it() {
        let event = message_event("join", "a=", "{}");
        let error = handle(&event, NONE).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "unexpected route key `join`: this function serves `$disconnect`"
        );
    }
}
