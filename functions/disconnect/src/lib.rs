//! `$disconnect`: takes note in the log, and no more.
//!
//! Deliberately absent: leaving rooms. They live in the memory of the room
//! function, which drops a member when a post finds its connection gone; API
//! Gateway promises no `$disconnect` for every connection anyway.

use chat::{Delivery, Event, EventError, expect_route};

/// Accepts the event; there is nobody to tell.
///
/// # Errors
/// When the event came by another route.
pub fn handle(event: &Event) -> Result<Delivery, EventError> {
    expect_route(event, &["$disconnect"])?;
    Ok(Delivery::default())
}

#[cfg(test)]
mod tests {
    use super::handle;
    use chat::testing::{disconnect_event, message_event};
    use chat::{Delivery, respond};

    #[test]
    fn every_event_of_the_route_is_accepted() {
        let event = disconnect_event("a=");
        let outcome = handle(&event);
        assert_eq!(outcome, Ok(Delivery::default()));
        assert!(respond(&event, outcome).is_ok());
    }

    #[test]
    fn another_route_is_an_error_that_names_it() {
        let error = handle(&message_event("join", "a=", "{}")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "unexpected route key `join`: this function serves `$disconnect`"
        );
    }
}
