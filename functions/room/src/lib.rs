//! `join` and `send`: the rooms.
//!
//! One function serves both routes, because rooms live in its process's memory;
//! for the same reason it must run with a reserved concurrency of one. Events
//! that overlap are then refused by Lambda, and their senders get API Gateway's
//! own error frame (`Internal server error`); nothing can be done about it here.
//! Rooms are forgotten when Lambda replaces the process.

use chat::{
    Delivery, Event, EventError, JoinRequest, Malformed, Member, Post, Rooms, SendRequest, Telling,
    body, connection_id, expect_route, tell,
};
use std::cell::RefCell;

const JOIN: &str = "join";
const SEND: &str = "send";

/// The rooms of this process and the handler of their events.
#[derive(Debug, Default)]
pub struct Handler {
    rooms: RefCell<Rooms>,
}

impl Handler {
    /// Does what the event asks, tells whom it concerns, and drops members whose
    /// connection turns out to be gone.
    ///
    /// # Errors
    /// When the event came by another route, or does not say from whom.
    pub async fn handle(&self, event: &Event, post: &impl Post) -> Result<Delivery, EventError> {
        let route = expect_route(event, &[JOIN, SEND])?;
        let asker = connection_id(event)?;
        let decided = match route {
            JOIN => self.join(event, asker),
            _ => self.send(event, asker),
        };
        let telling =
            decided.unwrap_or_else(|malformed| Telling::one(asker, malformed.to_string()));
        let delivery = tell(post, &telling).await;
        self.rooms.borrow_mut().forget(&delivery.gone);
        Ok(delivery)
    }

    fn join(&self, event: &Event, asker: &str) -> Result<Telling, Malformed> {
        let JoinRequest { room } = JoinRequest::parse(body(event))?;
        let mut rooms = self.rooms.borrow_mut();
        rooms.expire(event.request_context.request_time_epoch);
        let asker = Member {
            id: asker,
            connected_at: event.request_context.connected_at,
        };
        Ok(rooms.join(&room, asker))
    }

    fn send(&self, event: &Event, asker: &str) -> Result<Telling, Malformed> {
        let SendRequest { room, msg } = SendRequest::parse(body(event))?;
        Ok(self.rooms.borrow().send(&room, asker, &msg))
    }
}

#[cfg(test)]
mod tests {
    use super::Handler;
    use chat::testing::{Recorder, message_event};
    use chat::{CONNECTION_LIFETIME_MS, respond};

    const A: &str = "PJqB0fHsqRcCHlw=";
    const B: &str = "d4NsecoByQ0CH-Q=";
    const C: &str = "RYG0LEicPHcFo_A=";

    /// A handler with some members in `room1`, who have heard of it.
    async fn room_of(members: &[&str], post: &Recorder) -> Handler {
        let handler = Handler::default();
        for id in members {
            join(&handler, id, post).await;
        }
        post.take_all();
        handler
    }

    async fn join(handler: &Handler, id: &str, post: &Recorder) {
        let event = message_event("join", id, r#"{"action":"join","room":"room1"}"#);
        handler.handle(&event, post).await.unwrap();
    }

    async fn send(handler: &Handler, id: &str, post: &Recorder) -> chat::Delivery {
        let body = r#"{"action":"send","room":"room1","msg":"x"}"#;
        let event = message_event("send", id, body);
        handler.handle(&event, post).await.unwrap()
    }

    #[tokio::test]
    async fn a_gone_member_is_dropped_and_the_rest_are_served() {
        let post = Recorder::default();
        let handler = room_of(&[A, B, C], &post).await;
        post.lose(B);

        let delivery = send(&handler, A, &post).await;
        assert_eq!((delivery.delivered, delivery.gone), (2, vec![B.to_owned()]));

        // Were it still a member, it would be told, as its posts work again.
        post.mend(B);
        post.take_all();
        send(&handler, A, &post).await;
        let told = format!("[{A}]: x");
        assert_eq!(
            post.take_all(),
            [(A.to_owned(), told.clone()), (C.to_owned(), told)]
        );
    }

    #[tokio::test]
    async fn a_member_that_fails_otherwise_stays_and_the_rest_are_served() {
        let post = Recorder::default();
        let handler = room_of(&[A, B], &post).await;
        post.break_off(B, "HTTP 500");
        assert_eq!(send(&handler, A, &post).await.failed[0].connection_id, B);
        assert_eq!(post.take(A).len(), 1);

        post.mend(B);
        assert_eq!(send(&handler, A, &post).await.delivered, 2);
        assert_eq!(post.take(B), [format!("[{A}]: x")]);
    }

    #[tokio::test]
    async fn a_sender_that_is_gone_does_not_stop_its_message() {
        let post = Recorder::default();
        let handler = room_of(&[A, B], &post).await;
        post.lose(A);
        let delivery = send(&handler, A, &post).await;
        assert_eq!(delivery.gone, [A]);
        assert_eq!(post.take(B), [format!("[{A}]: x")]);
    }

    #[tokio::test]
    async fn a_malformed_request_is_told_to_its_sender_and_changes_nothing() {
        let post = Recorder::default();
        let handler = room_of(&[A], &post).await;
        for (route, body, told) in [
            ("join", "{}", r#""room" is missing."#),
            (
                "join",
                r#"{"room":["room1"]}"#,
                r#""room" must be a string."#,
            ),
            ("join", "{room:1", "The message must be a JSON object."),
            ("send", r#"{"room":"room1"}"#, r#""msg" is missing."#),
            (
                "send",
                r#"{"room":"room1","msg":""}"#,
                r#""msg" must not be empty."#,
            ),
        ] {
            let event = message_event(route, B, body);
            let outcome = handler.handle(&event, &post).await;
            assert!(respond(&event, outcome).is_ok());
            assert_eq!(post.take_all(), [(B.to_owned(), told.to_owned())]);
        }
        assert_eq!(send(&handler, A, &post).await.delivered, 1);
    }

    #[tokio::test]
    async fn members_older_than_any_connection_are_forgotten_at_the_next_join() {
        let post = Recorder::default();
        let handler = room_of(&[A], &post).await;
        let mut event = message_event("join", B, r#"{"room":"room1"}"#);
        event.request_context.connected_at += CONNECTION_LIFETIME_MS;
        event.request_context.request_time_epoch += CONNECTION_LIFETIME_MS;
        handler.handle(&event, &post).await.unwrap();
        let told = format!("{B} has joined to Room room1");
        assert_eq!(post.take_all(), [(B.to_owned(), told)]);
    }

    #[tokio::test]
    async fn another_route_is_an_error_that_names_it() {
        let post = Recorder::default();
        let event = message_event("$default", A, "{}");
        let error = Handler::default().handle(&event, &post).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "unexpected route key `$default`: this function serves `join`, `send`"
        );
        assert_eq!(post.take_all(), []);
    }
}
