//! The session against a chat that loses, doubles and reorders.

use super::*;
use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use serde_json::{Value, json};

const ROOM: &str = "r";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn request(frame: &str) -> Value {
    serde_json::from_str(frame).expect("a frame is JSON")
}

fn joined(last: u64) -> String {
    let member = json!({ "connection": "a=" });
    json!({ "type": "joined", "room": ROOM, "member": member, "members": 1, "last": last })
        .to_string()
}

fn said(seq: u64) -> Value {
    let from = json!({ "connection": "b=" });
    json!({ "seq": seq, "from": from, "text": format!("text {seq}"), "at": 1 })
}

fn message(seq: u64) -> String {
    let mut message = said(seq);
    message["type"] = json!("message");
    message["room"] = json!(ROOM);
    message.to_string()
}

fn history(seqs: impl IntoIterator<Item = u64>, more: bool) -> String {
    let messages: Vec<Value> = seqs.into_iter().map(said).collect();
    json!({ "type": "history", "room": ROOM, "messages": messages, "more": more }).to_string()
}

/// A member whose room has had so many messages.
fn member(last: u64) -> Session {
    let mut session = Session::new("me", "nobody else knows");
    session.opened(seconds(0));
    session.join(ROOM, seconds(0));
    let frames = session.take_frames();
    assert_eq!(request(&frames[0])["action"], "join");
    session.heard(&joined(last), seconds(0));
    session.take_events();
    session
}

fn told(session: &mut Session) -> Vec<u64> {
    let events = session.take_events().into_iter();
    let told = events.filter_map(|event| match event {
        Event::Message { said, .. } => Some(said.seq),
        _ => None,
    });
    told.collect()
}

fn asked(session: &mut Session) -> Vec<Value> {
    session.take_frames().iter().map(|it| request(it)).collect()
}

#[test]
fn messages_that_come_in_order_are_told_at_once_and_nothing_is_asked() {
    let mut session = member(4);
    session.heard(&message(5), seconds(1));
    session.heard(&message(6), seconds(1));
    assert_eq!(told(&mut session), [5, 6]);
    assert!(asked(&mut session).is_empty());
    assert!(session.is_settled());
}

#[test]
fn a_gap_is_filled_from_the_history_before_what_is_behind_it_is_told() {
    let mut session = member(4);
    session.heard(&message(7), seconds(1));
    assert!(told(&mut session).is_empty());
    let asked = asked(&mut session);
    assert_eq!(
        (&asked[0]["action"], &asked[0]["after"]),
        (&json!("history"), &json!(4))
    );
    session.heard(&history([5, 6, 7], false), seconds(2));
    assert_eq!(told(&mut session), [5, 6, 7]);
    session.heard(&message(6), seconds(2));
    assert!(told(&mut session).is_empty(), "it was told already");
    assert!(session.is_settled());
}

#[test]
fn a_long_history_is_asked_page_by_page() {
    let mut session = member(0);
    session.heard(&message(250), seconds(1));
    asked(&mut session);
    session.heard(&history(1..=100, true), seconds(1));
    assert_eq!(told(&mut session).len(), 100);
    assert_eq!(asked(&mut session)[0]["after"], 100);
    session.heard(&history(101..=250, false), seconds(1));
    assert_eq!(told(&mut session).len(), 150);
    assert!(session.is_settled());
}

#[test]
fn what_the_history_has_no_more_is_said_to_be_missed() {
    let mut session = member(4);
    session.heard(&message(9), seconds(1));
    asked(&mut session);
    session.heard(&history([7, 9], false), seconds(2));
    let events = session.take_events();
    let missed = |from, to| Event::Missed {
        room: ROOM.into(),
        from,
        to,
    };
    assert_eq!(events[0], missed(5, 6));
    assert_eq!(events[2], missed(8, 8));
    assert_eq!(events.len(), 4);
}

#[test]
fn an_answer_that_was_long_under_way_makes_nobody_miss_what_it_could_not_know() {
    let mut session = member(4);
    session.tick(seconds(61));
    session.heard(&message(9), seconds(64));
    session.tick(seconds(67));
    session.heard(&history([5, 6], false), seconds(67));
    assert_eq!(told(&mut session), [5, 6]);
    session.tick(seconds(73));
    session.heard(&history([7, 8, 9], false), seconds(74));
    assert_eq!(told(&mut session), [7, 8, 9]);
}

#[test]
fn a_message_that_waits_for_what_the_history_never_gets_is_told_in_the_end() {
    let mut session = member(4);
    session.heard(&message(9), seconds(1));
    for second in 2..60 {
        session.tick(seconds(second));
        session.heard(&history([], false), seconds(second));
    }
    let events = session.take_events();
    let room = ROOM.to_owned();
    assert_eq!(
        events[0],
        Event::Missed {
            room,
            from: 5,
            to: 8
        }
    );
    assert!(matches!(&events[1], Event::Message { said, .. } if said.seq == 9));
    assert!(asked(&mut session).len() < 60, "it asks once a second");
}

#[test]
fn after_a_cut_the_client_joins_again_and_asks_for_what_was_said_meanwhile() {
    let mut session = member(4);
    session.closed();
    session.opened(seconds(60));
    assert_eq!(asked(&mut session)[0]["action"], "join");
    session.heard(&joined(6), seconds(61));
    assert_eq!(asked(&mut session)[0]["after"], 4);
    session.heard(&history([5, 6], false), seconds(61));
    assert_eq!(told(&mut session), [5, 6]);
}

#[test]
fn a_client_whose_joining_was_not_answered_misses_nothing_from_its_second_answer_on() {
    let mut session = Session::new("me", "nobody else knows");
    session.opened(seconds(0));
    session.join(ROOM, seconds(0));
    session.tick(seconds(6));
    asked(&mut session);
    let error = json!({ "type": "error", "code": "ALREADY_JOINED", "text": "", "room": ROOM });
    session.heard(&error.to_string(), seconds(6));
    let question = &asked(&mut session)[0];
    assert_eq!(
        (&question["action"], &question["last"]),
        (&json!("history"), &json!(1))
    );
    assert_eq!(question["after"], Value::Null);
    // 5 is lost on its way.
    session.heard(&message(6), seconds(6));
    assert!(
        session.take_events().is_empty(),
        "it isn't known where to begin"
    );
    session.heard(&history([4], false), seconds(7));
    let room = ROOM.to_owned();
    assert_eq!(session.take_events(), [Event::Joined { room, last: 4 }]);
    assert_eq!(asked(&mut session)[0]["after"], 4);
    session.heard(&history([5, 6], false), seconds(8));
    assert_eq!(told(&mut session), [5, 6]);
    assert!(session.is_settled());
}

#[test]
fn a_late_answer_to_join_does_not_make_the_rooms_last_message_a_gap() {
    let mut session = Session::new("me", "nobody else knows");
    session.opened(seconds(0));
    session.join(ROOM, seconds(0));
    let error = json!({ "type": "error", "code": "ALREADY_JOINED", "text": "", "room": ROOM });
    session.heard(&error.to_string(), seconds(6));
    session.heard(&joined(0), seconds(6));
    asked(&mut session);
    session.heard(&history([2], false), seconds(7));
    assert_eq!(told(&mut session), [0; 0]);
    session.tick(seconds(7));
    assert_eq!(asked(&mut session)[0]["after"], 0);
    session.heard(&history([1, 2], false), seconds(7));
    assert_eq!(told(&mut session), [1, 2]);
}

#[test]
fn a_message_that_comes_before_the_answer_to_join_is_told_after_it() {
    let mut session = Session::new("me", "nobody else knows");
    session.opened(seconds(0));
    session.join(ROOM, seconds(0));
    session.heard(&message(5), seconds(0));
    assert!(session.take_events().is_empty());
    session.heard(&joined(4), seconds(0));
    let events = session.take_events();
    let room = ROOM.to_owned();
    assert_eq!(events[0], Event::Joined { room, last: 4 });
    assert!(matches!(&events[1], Event::Message { said, .. } if said.seq == 5));
}

#[test]
fn a_message_is_said_again_with_its_id_until_it_is_answered() {
    let mut session = member(0);
    let id = session.send(ROOM, "hello", seconds(1));
    let first = asked(&mut session);
    assert_eq!(
        (&first[0]["id"], &first[0]["msg"]),
        (&json!(id), &json!("hello"))
    );
    session.tick(seconds(3));
    assert!(
        asked(&mut session).is_empty(),
        "its answer may be on its way"
    );
    session.tick(seconds(7));
    assert_eq!(asked(&mut session)[0]["id"], json!(id));
    session.closed();
    session.opened(seconds(8));
    session.heard(&joined(1), seconds(8));
    let again = asked(&mut session);
    assert!(again.iter().any(|it| it["id"] == json!(id)), "{again:?}");
    let sent = json!({ "type": "sent", "room": ROOM, "seq": 1, "id": id, "repeated": true,
        "delivered": 0, "undelivered": 0, "relayed": 0 });
    session.heard(&sent.to_string(), seconds(9));
    let room = ROOM.to_owned();
    assert!(
        session
            .take_events()
            .contains(&Event::Sent { room, id, seq: 1 })
    );
}

#[test]
fn a_message_that_nobody_answers_is_given_up_and_its_sender_told() {
    let mut session = member(0);
    session.send(ROOM, "hello", seconds(0));
    for second in 1..120 {
        session.tick(seconds(second));
    }
    let sends = asked(&mut session);
    let sends = sends.iter().filter(|it| it["action"] == "send").count();
    assert_eq!(sends, ATTEMPTS as usize);
    let events = session.take_events();
    let is_refusal =
        |event: &Event| matches!(event, Event::Refused { code, .. } if code == "NO_ANSWER");
    assert!(events.iter().any(is_refusal), "{events:?}");
}

#[test]
fn who_is_taken_for_gone_joins_again_and_says_again_what_was_refused() {
    let mut session = member(0);
    let id = session.send(ROOM, "hello", seconds(1));
    asked(&mut session);
    let error =
        json!({ "type": "error", "code": "NOT_A_MEMBER", "text": "", "room": ROOM, "id": id });
    session.heard(&error.to_string(), seconds(1));
    assert_eq!(asked(&mut session)[0]["action"], "join");
    session.heard(&joined(0), seconds(2));
    assert_eq!(asked(&mut session)[0]["id"], json!(id));
}

#[test]
fn a_room_that_cannot_be_joined_is_forgotten_and_its_user_told() {
    let mut session = Session::new("me", "nobody else knows");
    session.opened(seconds(0));
    session.join(ROOM, seconds(0));
    let full = json!({ "type": "error", "code": "ROOM_FULL", "text": "full", "room": ROOM });
    session.heard(&full.to_string(), seconds(1));
    let events = session.take_events();
    assert!(matches!(&events[0], Event::Refused { code, .. } if code == "ROOM_FULL"));
    asked(&mut session);
    session.tick(seconds(100));
    assert!(asked(&mut session).is_empty());
}

#[test]
fn a_quiet_connection_is_kept_and_a_quiet_room_looked_at() {
    let mut session = Session::new("me", "nobody else knows");
    session.opened(seconds(0));
    session.tick(seconds(479));
    assert!(asked(&mut session).is_empty());
    session.tick(seconds(480));
    assert_eq!(asked(&mut session)[0]["action"], "keep-alive");
    let mut session = member(3);
    session.tick(seconds(61));
    let asked = asked(&mut session);
    assert_eq!(
        (&asked[0]["action"], &asked[0]["after"]),
        (&json!("history"), &json!(3))
    );
}

#[test]
fn frames_that_are_no_envelopes_change_nothing() {
    let mut session = member(1);
    for frame in [
        "",
        "hello",
        "{}",
        r#"{"message":"Forbidden"}"#,
        r#"{"type":"echo","text":"x"}"#,
    ] {
        session.heard(frame, seconds(1));
    }
    assert!(session.take_events().is_empty());
}

/// What happens next to client and chat.
#[derive(Debug, Clone)]
enum Act {
    /// Others say something; whether the client is told.
    Others {
        reaches: bool,
    },
    /// The client says something.
    Says,
    /// The oldest frame under way to the client arrives, or gets lost, or a later one
    /// overtakes it, or it comes twice.
    Arrives,
    Lost,
    Overtaken,
    Twice,
    /// The oldest frame of the client's arrives, or gets lost.
    Serve,
    Deaf,
    Cut,
    /// So many seconds pass.
    Pass(u8),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => any::<bool>().prop_map(|reaches| Act::Others { reaches }),
        2 => Just(Act::Says),
        6 => Just(Act::Arrives),
        1 => Just(Act::Lost),
        2 => Just(Act::Overtaken),
        1 => Just(Act::Twice),
        6 => Just(Act::Serve),
        1 => Just(Act::Deaf),
        1 => Just(Act::Cut),
        2 => (0..20_u8).prop_map(Act::Pass),
    ]
}

/// The simplest chat: one room, whose log is all there is.
#[derive(Default)]
struct Chat {
    /// The ids of its messages.
    log: Vec<Option<String>>,
    is_member: bool,
    to_client: Vec<UnderWay>,
    to_chat: Vec<UnderWay>,
    /// Since when what it tells now is under way.
    since: Duration,
}

/// A frame, and when it, or the question that it answers, was said.
#[derive(Debug, Clone)]
struct UnderWay {
    frame: String,
    since: Duration,
}

impl Chat {
    fn tell(&mut self, frame: String) {
        let since = self.since;
        self.to_client.push(UnderWay { frame, since });
    }

    fn say(&mut self, id: Option<String>, reaches: bool) -> u64 {
        self.log.push(id);
        let seq = self.log.len() as u64;
        if self.is_member && reaches {
            self.tell(message(seq));
        }
        seq
    }

    /// What is under way for too long never arrives.
    fn forget_before(&mut self, now: Duration) {
        let stays = |it: &UnderWay| now.saturating_sub(it.since) < UNDER_WAY;
        self.to_client.retain(stays);
        self.to_chat.retain(stays);
    }

    fn serve(&mut self, asked: &UnderWay) {
        self.since = asked.since;
        let request = request(&asked.frame);
        let action = request["action"].as_str().unwrap_or_default();
        let id = request["id"].as_str().map(str::to_owned);
        let error = |code: &str| json!({ "type": "error", "code": code, "text": "", "room": ROOM, "id": id });
        match action {
            "join" if self.is_member => self.tell(error("ALREADY_JOINED").to_string()),
            "join" => {
                self.is_member = true;
                self.tell(joined(self.log.len() as u64));
            }
            "send" | "history" if !self.is_member => self.tell(error("NOT_A_MEMBER").to_string()),
            "send" => {
                let known = self.log.iter().position(|it| *it == id);
                let seq = match known {
                    Some(place) => place as u64 + 1,
                    None => self.say(id.clone(), true),
                };
                let sent = json!({ "type": "sent", "room": ROOM, "seq": seq, "id": id });
                self.tell(sent.to_string());
            }
            "history" => {
                let page = request["last"].as_u64().unwrap_or_default();
                let before = (self.log.len() as u64).saturating_sub(page);
                let after = request["after"].as_u64().unwrap_or(before);
                let end = (self.log.len() as u64).min(after + page);
                let more = end < self.log.len() as u64;
                self.tell(history(after + 1..=end, more));
            }
            _ => {}
        }
    }
}

proptest! {
    /// Whatever is lost, doubled, reordered and cut: in the end the client has told each
    /// message since it first joined once, in order, and each of its own is in the log once.
    #[test]
    fn in_the_end_every_message_was_told_once_and_in_order(
        acts in proptest::collection::vec(act(), 0..120),
    ) {
        let (mut session, mut chat) = (Session::new("me", "nobody else knows"), Chat::default());
        let (mut now, mut events, mut ids) = (seconds(0), Vec::new(), Vec::new());
        session.opened(now);
        session.join(ROOM, now);
        let exchange = |session: &mut Session, chat: &mut Chat, events: &mut Vec<Event>, since| {
            let said = session.take_frames().into_iter();
            chat.to_chat.extend(said.map(|frame| UnderWay { frame, since }));
            events.extend(session.take_events());
        };
        for act in acts {
            match act {
                Act::Others { reaches } => {
                    chat.since = now;
                    chat.say(None, reaches);
                }
                Act::Says => ids.push(session.send(ROOM, "x", now)),
                Act::Arrives if !chat.to_client.is_empty() => {
                    let frame = chat.to_client.remove(0);
                    session.heard(&frame.frame, now);
                }
                Act::Twice if !chat.to_client.is_empty() => {
                    let frame = chat.to_client[0].clone();
                    session.heard(&frame.frame, now);
                }
                Act::Overtaken if chat.to_client.len() > 1 => {
                    let frame = chat.to_client.remove(1);
                    session.heard(&frame.frame, now);
                }
                Act::Lost if !chat.to_client.is_empty() => {
                    chat.to_client.remove(0);
                }
                Act::Serve if !chat.to_chat.is_empty() => {
                    let frame = chat.to_chat.remove(0);
                    chat.serve(&frame);
                }
                Act::Deaf if !chat.to_chat.is_empty() => {
                    chat.to_chat.remove(0);
                }
                Act::Cut => {
                    session.closed();
                    chat.is_member = false;
                    chat.to_client.clear();
                    chat.to_chat.clear();
                    session.opened(now);
                }
                Act::Pass(some) => {
                    now += seconds(some.into());
                    chat.forget_before(now);
                    session.tick(now);
                }
                _ => {}
            }
            exchange(&mut session, &mut chat, &mut events, now);
        }
        // From here on nothing gets lost, and two minutes pass.
        for _ in 0..120 {
            now += seconds(1);
            session.tick(now);
            loop {
                exchange(&mut session, &mut chat, &mut events, now);
                if chat.to_chat.is_empty() && chat.to_client.is_empty() {
                    break;
                }
                for frame in std::mem::take(&mut chat.to_chat) {
                    chat.serve(&frame);
                }
                for frame in std::mem::take(&mut chat.to_client) {
                    session.heard(&frame.frame, now);
                }
            }
        }
        let told: Vec<u64> = events.iter().filter_map(|event| match event {
            Event::Message { said, .. } => Some(said.seq),
            _ => None,
        }).collect();
        let missed = events.iter().any(|event| matches!(event, Event::Missed { .. }));
        assert!(!missed, "the log has everything: {events:?}");
        let first = events.iter().find_map(|event| match event {
            Event::Joined { last, .. } => Some(last + 1),
            _ => None,
        });
        let first = first.expect("it has joined in the end");
        let all: Vec<u64> = (first..=chat.log.len() as u64).collect();
        assert_eq!(told, all, "each once, in order, from its joining to the end");
        let refused: Vec<&String> = events.iter().filter_map(|event| match event {
            Event::Refused { id: Some(id), .. } => Some(id),
            _ => None,
        }).collect();
        for id in &ids {
            let stored = chat.log.iter().filter(|it| it.as_ref() == Some(id)).count();
            let answered = events.iter().any(|event| matches!(event, Event::Sent { id: it, .. } if it == id));
            assert!(stored <= 1, "{id} is in the log {stored} times");
            assert!((answered && stored == 1) || refused.contains(&id), "{id}: {events:?}");
        }
        assert!(session.is_settled());
    }
}

#[test]
fn clients_whose_answers_were_lost_together_dont_ask_again_together() {
    let asks_again = |name: usize| {
        let mut session = Session::new(format!("client {name}"), "nobody else knows");
        session.opened(seconds(0));
        session.join(ROOM, seconds(0));
        session.take_frames();
        (1..).find(|tenth| {
            session.tick(Duration::from_millis(100 * tenth));
            !session.take_frames().is_empty()
        })
    };
    let tenths: Vec<u64> = (0..40).filter_map(asks_again).collect();
    let least = *tenths.iter().min().expect("some");
    let most = *tenths.iter().max().expect("some");
    assert!((38..=45).contains(&least), "{tenths:?}");
    assert!((55..=63).contains(&most), "{tenths:?}");
}
