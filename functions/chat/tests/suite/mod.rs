//! What every store promises. Each case is run on a store of its own.
//!
//! Times are whole seconds, the finest that all stores keep expiry in.

pub mod random;

use chat::{
    CONNECTION_LIFETIME_MS, Draft, Format, HISTORY_LIFETIME_MS, Joined, Joining,
    MESSAGES_PER_SECOND, Member, ROOMS_PER_CONNECTION, Range, Store,
};
use futures_util::future::join_all;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// When connections connect and most things happen.
pub const NOW: i64 = 1_701_245_041_000;

/// All cases, each by `$one!(case)`, which makes a test of it.
macro_rules! all_promises {
    ($one:ident) => {
        $one!(who_joins_is_a_member_at_once_and_hears_who_is_there);
        $one!(joining_twice_is_told_so_and_changes_nothing);
        $one!(who_leaves_is_a_member_no_more_and_may_join_again);
        $one!(a_pruned_membership_ends_and_a_later_one_stays);
        $one!(members_do_not_count_after_their_time);
        $one!(a_full_room_takes_nobody_until_a_member_leaves);
        $one!(a_connection_joins_so_many_rooms_until_it_leaves_one);
        $one!(who_disconnects_leaves_every_room_and_nobody_else_does);
        $one!(a_join_that_comes_after_the_connections_end_leaves_no_member);
        $one!(numbers_are_of_the_room_and_have_no_gaps);
        $one!(messages_stored_at_once_have_each_a_number_of_their_own);
        $one!(a_message_id_is_stored_once_however_often_it_is_tried);
        $one!(a_message_id_tried_many_times_at_once_has_one_place);
        $one!(ids_are_their_senders_and_a_name_outlives_its_connection);
        $one!(history_is_the_last_messages_or_those_after_a_number);
        $one!(history_forgets_what_is_too_old_and_numbers_go_on);
        $one!(a_connection_sends_so_much_a_second);
    };
}

pub fn joining(id: &str) -> Joining<'_> {
    Joining {
        id,
        name: None,
        format: Format::Plain,
        connected_at: NOW,
        request: request(),
    }
}

/// A request id that nothing else has.
pub fn request() -> &'static str {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    Box::leak(format!("{number:08}").into_boxed_str())
}

pub fn draft<'d>(connection: &'d str, id: Option<&'d str>) -> Draft<'d> {
    Draft {
        id,
        connection,
        name: None,
        session: None,
        text: "hello",
        request: request(),
    }
}

pub async fn join(store: &impl Store, room: &str, id: &str) -> Joined {
    store.join(room, &joining(id), NOW).await.expect("a join")
}

async fn ids(store: &impl Store, room: &str, now: i64) -> Vec<String> {
    let members = store.members(room, now).await.expect("members");
    members.into_iter().map(|member| member.id).collect()
}

async fn member(store: &impl Store, room: &str, id: &str) -> Option<Member> {
    store.member(room, id, NOW).await.expect("a look")
}

async fn append(store: &impl Store, room: &str, draft: &Draft<'_>) -> (u64, bool) {
    let stored = store.append(room, draft, NOW).await.expect("a message");
    (stored.seq, stored.repeated)
}

async fn seqs(store: &impl Store, range: Range, most: usize, now: i64) -> Vec<u64> {
    let found = store.history("r", range, most, now).await;
    found.expect("a history").iter().map(|it| it.seq).collect()
}

pub async fn who_joins_is_a_member_at_once_and_hears_who_is_there(store: &impl Store, _: usize) {
    let ann = Joining {
        name: Some("Ann"),
        format: Format::Json,
        ..joining("a=")
    };
    let Joined::Now { members, last } = store.join("r", &ann, NOW).await.expect("a join") else {
        panic!("not joined");
    };
    assert_eq!((members.len(), last), (1, 0));
    let Joined::Now { members, .. } = join(store, "r", "b=").await else {
        panic!("not joined");
    };
    assert_eq!(members, store.members("r", NOW).await.expect("members"));
    let shown: Vec<_> = members
        .iter()
        .map(|it| (it.id.as_str(), it.name.as_deref(), it.format))
        .collect();
    let expected = [
        ("a=", Some("Ann"), Format::Json),
        ("b=", None, Format::Plain),
    ];
    assert_eq!(shown, expected);
    assert_eq!(member(store, "r", "b=").await.as_ref(), members.get(1));
    assert_eq!(ids(store, "other", NOW).await, [""; 0]);
}

pub async fn joining_twice_is_told_so_and_changes_nothing(store: &impl Store, _: usize) {
    join(store, "r", "a=").await;
    let before = store.members("r", NOW).await;
    assert_eq!(join(store, "r", "a=").await, Joined::Already);
    assert_eq!(store.members("r", NOW).await, before);
}

pub async fn who_leaves_is_a_member_no_more_and_may_join_again(store: &impl Store, _: usize) {
    join(store, "r", "a=").await;
    join(store, "r", "b=").await;
    let left = store.leave("r", "a=", NOW).await.expect("a leave");
    assert_eq!(left.expect("a member").id, "a=");
    assert_eq!(store.leave("r", "a=", NOW).await, Ok(None));
    assert_eq!(ids(store, "r", NOW).await, ["b="]);
    assert!(matches!(join(store, "r", "a=").await, Joined::Now { .. }));
    assert_eq!(ids(store, "r", NOW).await, ["a=", "b="]);
}

pub async fn a_pruned_membership_ends_and_a_later_one_stays(store: &impl Store, _: usize) {
    join(store, "r", "a=").await;
    let first = member(store, "r", "a=").await.expect("a member");
    store.prune("r", &first).await.expect("a prune");
    assert_eq!(ids(store, "r", NOW).await, [""; 0]);
    let later = store.join("r", &joining("a="), NOW + 1000).await;
    assert!(matches!(later, Ok(Joined::Now { .. })));
    store.prune("r", &first).await.expect("a late prune");
    assert_eq!(ids(store, "r", NOW).await, ["a="]);
    store.disconnect("a=", NOW).await.expect("an end");
    assert_eq!(ids(store, "r", NOW).await, [""; 0]);
}

pub async fn members_do_not_count_after_their_time(store: &impl Store, _: usize) {
    join(store, "r", "a=").await;
    let end = NOW + CONNECTION_LIFETIME_MS;
    assert_eq!(ids(store, "r", end - 1000).await, ["a="]);
    assert_eq!(ids(store, "r", end).await, [""; 0]);
    assert_eq!(store.member("r", "a=", end).await, Ok(None));
    assert_eq!(store.leave("r", "a=", end).await, Ok(None));
    let b = Joining {
        connected_at: end,
        ..joining("b=")
    };
    let Ok(Joined::Now { members, .. }) = store.join("r", &b, end).await else {
        panic!("not joined");
    };
    assert_eq!(members.len(), 1);
}

pub async fn a_full_room_takes_nobody_until_a_member_leaves(store: &impl Store, most: usize) {
    for n in 0..most {
        join(store, "r", &format!("{n}=")).await;
    }
    assert_eq!(join(store, "r", "a=").await, Joined::RoomFull(most));
    assert_eq!(ids(store, "r", NOW).await.len(), most);
    assert_eq!(member(store, "r", "a=").await, None);
    store.leave("r", "0=", NOW).await.expect("a leave");
    assert!(matches!(join(store, "r", "a=").await, Joined::Now { .. }));
}

pub async fn a_connection_joins_so_many_rooms_until_it_leaves_one(store: &impl Store, _: usize) {
    for n in 0..ROOMS_PER_CONNECTION {
        let joined = join(store, &format!("r{n}"), "a=").await;
        assert!(matches!(joined, Joined::Now { .. }), "{n}");
    }
    assert_eq!(join(store, "more", "a=").await, Joined::TooManyRooms);
    assert_eq!(ids(store, "more", NOW).await, [""; 0]);
    assert_eq!(join(store, "r0", "a=").await, Joined::Already);
    assert!(matches!(join(store, "r0", "b=").await, Joined::Now { .. }));
    store.leave("r0", "a=", NOW).await.expect("a leave");
    assert!(matches!(
        join(store, "more", "a=").await,
        Joined::Now { .. }
    ));
}

pub async fn who_disconnects_leaves_every_room_and_nobody_else_does(store: &impl Store, _: usize) {
    for (room, id) in [("r", "a="), ("r", "b="), ("s", "a=")] {
        join(store, room, id).await;
    }
    for _ in 0..2 {
        store.disconnect("a=", NOW).await.expect("an end");
        assert_eq!(ids(store, "r", NOW).await, ["b="]);
        assert_eq!(ids(store, "s", NOW).await, [""; 0]);
    }
    store.disconnect("unknown=", NOW).await.expect("an end");
}

pub async fn a_join_that_comes_after_the_connections_end_leaves_no_member(
    store: &impl Store,
    _: usize,
) {
    store.disconnect("a=", NOW).await.expect("an end");
    assert_eq!(join(store, "r", "a=").await, Joined::Gone);
    assert_eq!(ids(store, "r", NOW).await, [""; 0]);
}

pub async fn numbers_are_of_the_room_and_have_no_gaps(store: &impl Store, _: usize) {
    for room in ["r", "s"] {
        join(store, room, "a=").await;
        for seq in 1..=3 {
            assert_eq!(append(store, room, &draft("a=", None)).await, (seq, false));
        }
    }
    let Joined::Now { last, .. } = join(store, "r", "b=").await else {
        panic!("not joined");
    };
    assert_eq!(last, 3);
}

pub async fn messages_stored_at_once_have_each_a_number_of_their_own(store: &impl Store, _: usize) {
    join(store, "r", "a=").await;
    let names: Vec<_> = (0..12).map(|n| format!("m{n}")).collect();
    let with_ids = names.iter().map(|id| draft("a=", Some(id)));
    let drafts: Vec<_> = with_ids.chain((0..12).map(|_| draft("a=", None))).collect();
    let stored = join_all(drafts.iter().map(|draft| append(store, "r", draft))).await;
    assert!(stored.iter().all(|(_, repeated)| !repeated));
    let given: BTreeSet<_> = stored.iter().map(|(seq, _)| *seq).collect();
    assert_eq!(given, (1..=24).collect());
    let found: Vec<_> = (1..=24).collect();
    assert_eq!(seqs(store, Range::Last, 100, NOW).await, found);
}

pub async fn a_message_id_is_stored_once_however_often_it_is_tried(store: &impl Store, _: usize) {
    join(store, "r", "a=").await;
    assert_eq!(
        append(store, "r", &draft("a=", Some("m1"))).await,
        (1, false)
    );
    assert_eq!(
        append(store, "r", &draft("a=", Some("m1"))).await,
        (1, true)
    );
    assert_eq!(
        append(store, "r", &draft("a=", Some("m2"))).await,
        (2, false)
    );
    assert_eq!(
        append(store, "r", &draft("a=", Some("m1"))).await,
        (1, true)
    );
    assert_eq!(seqs(store, Range::Last, 100, NOW).await, [1, 2]);
    join(store, "s", "a=").await;
    assert_eq!(
        append(store, "s", &draft("a=", Some("m1"))).await,
        (1, false)
    );
}

pub async fn a_message_id_tried_many_times_at_once_has_one_place(store: &impl Store, _: usize) {
    join(store, "r", "a=").await;
    let same = (0..8).map(|_| draft("a=", Some("m")));
    let others = (0..8).map(|_| draft("a=", None));
    let drafts: Vec<_> = same.chain(others).collect();
    let stored = join_all(drafts.iter().map(|draft| append(store, "r", draft))).await;
    let places: BTreeSet<_> = stored[..8].iter().map(|(seq, _)| *seq).collect();
    assert_eq!(places.len(), 1, "{stored:?}");
    let first = stored[..8].iter().filter(|(_, repeated)| !repeated);
    assert_eq!(first.count(), 1, "{stored:?}");
    let found: Vec<_> = (1..=9).collect();
    assert_eq!(seqs(store, Range::Last, 100, NOW).await, found);
}

pub async fn ids_are_their_senders_and_a_name_outlives_its_connection(
    store: &impl Store,
    _: usize,
) {
    join(store, "r", "a=").await;
    let named = |connection, name| Draft {
        name: Some(name),
        ..draft(connection, Some("m"))
    };
    assert_eq!(
        append(store, "r", &draft("a=", Some("m"))).await,
        (1, false)
    );
    assert_eq!(
        append(store, "r", &draft("b=", Some("m"))).await,
        (2, false)
    );
    assert_eq!(append(store, "r", &named("c=", "Ann")).await, (3, false));
    assert_eq!(append(store, "r", &named("d=", "Ann")).await, (3, true));
    assert_eq!(append(store, "r", &named("d=", "a=")).await, (4, false));
    let of_session = |connection, session| Draft {
        session: Some(session),
        ..draft(connection, Some("m"))
    };
    assert_eq!(
        append(store, "r", &of_session("f=", "secret")).await,
        (5, false)
    );
    assert_eq!(
        append(store, "r", &of_session("g=", "secret")).await,
        (5, true)
    );
    assert_eq!(
        append(store, "r", &of_session("g=", "other")).await,
        (6, false)
    );
    // A session that is called as a connection is not that connection's.
    assert_eq!(
        append(store, "r", &of_session("g=", "a=")).await,
        (7, false)
    );
    // Whose text is joined differently is somebody else.
    let odd = |name, id| Draft {
        name: Some(name),
        ..draft("e=", Some(id))
    };
    assert_eq!(append(store, "r", &odd("x#y", "z")).await, (8, false));
    assert_eq!(append(store, "r", &odd("x", "y#z")).await, (9, false));
}

pub async fn history_is_the_last_messages_or_those_after_a_number(store: &impl Store, _: usize) {
    join(store, "r", "a=").await;
    for _ in 0..5 {
        append(store, "r", &draft("a=", None)).await;
    }
    assert_eq!(seqs(store, Range::Last, 2, NOW).await, [4, 5]);
    assert_eq!(seqs(store, Range::Last, 9, NOW).await, [1, 2, 3, 4, 5]);
    assert_eq!(seqs(store, Range::After(1), 2, NOW).await, [2, 3]);
    assert_eq!(seqs(store, Range::After(4), 9, NOW).await, [5]);
    assert_eq!(seqs(store, Range::After(5), 9, NOW).await, [0; 0]);
    let all = store.history("r", Range::Last, 1, NOW).await.expect("one");
    let shown = (all[0].connection.as_str(), all[0].text.as_str(), all[0].at);
    assert_eq!(shown, ("a=", "hello", NOW));
}

pub async fn history_forgets_what_is_too_old_and_numbers_go_on(store: &impl Store, _: usize) {
    join(store, "r", "a=").await;
    append(store, "r", &draft("a=", None)).await;
    append(store, "r", &draft("a=", None)).await;
    let end = NOW + HISTORY_LIFETIME_MS;
    assert_eq!(seqs(store, Range::Last, 9, end - 1000).await, [1, 2]);
    assert_eq!(seqs(store, Range::Last, 9, end).await, [0; 0]);
    let b = Joining {
        connected_at: end,
        ..joining("b=")
    };
    let joined = store.join("r", &b, end).await;
    assert!(
        matches!(joined, Ok(Joined::Now { last: 2, .. })),
        "{joined:?}"
    );
    let stored = store.append("r", &draft("b=", None), end).await;
    assert_eq!(stored.map(|it| it.seq), Ok(3));
    assert_eq!(seqs(store, Range::Last, 9, end).await, [3]);
    assert_eq!(seqs(store, Range::After(0), 9, end).await, [3]);
}

pub async fn a_connection_sends_so_much_a_second(store: &impl Store, _: usize) {
    let admit = async |id: &str, now| store.admit(id, now).await.expect("an answer");
    for n in 0..MESSAGES_PER_SECOND {
        assert!(admit("a=", NOW).await, "{n}");
    }
    assert!(!admit("a=", NOW).await);
    assert!(admit("b=", NOW).await);
    let step = 1000 / MESSAGES_PER_SECOND;
    assert!(!admit("a=", NOW + step - 1).await);
    assert!(admit("a=", NOW + step).await);
    assert!(!admit("a=", NOW + step).await);
    assert!(admit("a=", NOW + 2000).await);
}
