//! A group's events in the order of their numbers, in blocks: a block's texts lie one
//! behind the other, so that a short line takes little more than its text. Growing copies
//! no more than a block; what leaves at the front is free when its block is empty.

use std::collections::VecDeque;
use std::sync::Arc;

use super::store::{Position, Stored};

/// Events of a block.
const BLOCK_EVENTS: usize = 256;
/// Once its texts have so many bytes, a block takes no further event.
const BLOCK_BYTES: usize = 64 * 1024;

/// A kept event, as it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept<'a> {
    pub(super) stream: &'a Arc<str>,
    /// ms since 1970.
    pub(super) timestamp: i64,
    /// When it arrived, ms since 1970.
    pub(super) ingested: i64,
    /// Order of arrival in the group; breaks ties of time.
    pub(super) number: u64,
    pub(super) message: &'a str,
}

impl Kept<'_> {
    /// Time, then arrival: the order in which events are read.
    pub(super) fn position(&self) -> Position {
        Position {
            timestamp: self.timestamp,
            number: self.number,
        }
    }
}

/// Events whose numbers ascend. No block is empty.
#[derive(Debug, Default)]
pub(super) struct InOrder {
    blocks: VecDeque<Block>,
}

#[derive(Debug, Default)]
struct Block {
    events: VecDeque<Slot>,
    texts: String,
    /// Those of its events.
    streams: Vec<Arc<str>>,
}

/// An event's place in its block.
#[derive(Debug)]
struct Slot {
    timestamp: i64,
    ingested: i64,
    number: u64,
    /// In the block's list.
    stream: u32,
    start: u32,
    bytes: u32,
}

impl Block {
    fn is_full(&self) -> bool {
        self.events.len() >= BLOCK_EVENTS || self.texts.len() >= BLOCK_BYTES
    }

    /// What takes no further event needs no room for any.
    fn close(&mut self) {
        self.events.shrink_to_fit();
        self.texts.shrink_to_fit();
        self.streams.shrink_to_fit();
    }

    fn push(&mut self, event: &Stored) {
        let known = self.streams.iter().position(|it| *it == event.stream);
        let stream = known.unwrap_or_else(|| {
            self.streams.push(Arc::clone(&event.stream));
            self.streams.len() - 1
        });
        // Blocks are small, and so are events.
        let small = |it: usize| u32::try_from(it).expect("a block has less than 4 GiB");
        self.events.push_back(Slot {
            timestamp: event.timestamp,
            ingested: event.ingested,
            number: event.number,
            stream: small(stream),
            start: small(self.texts.len()),
            bytes: small(event.message.len()),
        });
        self.texts.push_str(&event.message);
    }

    fn event(&self, slot: &Slot) -> Kept<'_> {
        let start = slot.start as usize;
        Kept {
            stream: &self.streams[slot.stream as usize],
            timestamp: slot.timestamp,
            ingested: slot.ingested,
            number: slot.number,
            message: &self.texts[start..start + slot.bytes as usize],
        }
    }

    fn events(&self) -> impl Iterator<Item = Kept<'_>> {
        self.events.iter().map(|slot| self.event(slot))
    }

    /// The same with those that hold only.
    fn with_those(&self, holds: impl Fn(Kept<'_>) -> bool) -> Self {
        let mut block = Self::default();
        for event in self.events().filter(|event| holds(*event)) {
            block.push(&event.to_stored());
        }
        block.close();
        block
    }
}

impl Kept<'_> {
    fn to_stored(self) -> Stored {
        Stored {
            stream: Arc::clone(self.stream),
            timestamp: self.timestamp,
            ingested: self.ingested,
            number: self.number,
            message: self.message.into(),
        }
    }
}

impl InOrder {
    /// Adds an event. One whose number isn't above all others is known already.
    pub(super) fn push(&mut self, event: &Stored) -> bool {
        let last = self.blocks.back().and_then(|block| block.events.back());
        if last.is_some_and(|last| event.number <= last.number) {
            return false;
        }
        if let Some(block) = self.blocks.back_mut().filter(|block| !block.is_full()) {
            block.push(event);
            return true;
        }
        if let Some(full) = self.blocks.back_mut() {
            full.close();
        }
        let mut block = Block::default();
        block.push(event);
        self.blocks.push_back(block);
        true
    }

    /// The oldest.
    pub(super) fn first(&self) -> Option<Kept<'_>> {
        self.blocks.front()?.events().next()
    }

    /// Leaves out the oldest.
    pub(super) fn drop_first(&mut self) {
        let Some(block) = self.blocks.front_mut() else {
            return;
        };
        block.events.pop_front();
        if block.events.is_empty() {
            self.blocks.pop_front();
        }
    }

    /// Leaves out those that don't hold.
    pub(super) fn retain(&mut self, holds: impl Fn(Kept<'_>) -> bool) {
        for block in &mut self.blocks {
            if !block.events().all(&holds) {
                *block = block.with_those(&holds);
            }
        }
        self.blocks.retain(|block| !block.events.is_empty());
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Kept<'_>> {
        self.blocks.iter().flat_map(Block::events)
    }

    /// Those from this number on.
    pub(super) fn since(&self, number: u64) -> impl Iterator<Item = Kept<'_>> {
        let before = move |slot: &Slot| slot.number < number;
        let whole = |block: &Block| block.events.back().is_some_and(before);
        let first = self.blocks.partition_point(whole);
        let rest = self.blocks.iter().skip(first).flat_map(Block::events);
        rest.skip_while(move |event| event.number < number)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::{BLOCK_BYTES, BLOCK_EVENTS, InOrder, Stored};

    /// Of several lengths; some fill a block by themselves.
    fn text(number: u64) -> String {
        let repeated = if number.is_multiple_of(97) {
            BLOCK_BYTES + 1
        } else {
            1
        };
        format!("event {number}").repeat(repeated / 8 + 1)
    }

    fn event(number: u64) -> Stored {
        Stored {
            stream: Arc::from(if number.is_multiple_of(3) { "r" } else { "s" }),
            timestamp: 0,
            ingested: 0,
            number,
            message: text(number).into(),
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(u64),
        Pop(usize),
        KeepNot(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (1u64..400).prop_map(Step::Push),
            1 => (0usize..600).prop_map(Step::Pop),
            1 => (2u64..5).prop_map(Step::KeepNot),
        ]
    }

    proptest! {
        #[test]
        fn it_holds_what_a_tree_by_number_would(
            steps in prop::collection::vec(step(), 1..30),
            since in 0u64..3_000,
        ) {
            let (mut ours, mut tree, mut next) = (InOrder::default(), BTreeMap::new(), 0);
            for step in steps {
                match step {
                    Step::Push(count) => for _ in 0..count {
                        prop_assert!(ours.push(&event(next)));
                        tree.insert(next, ());
                        next += 1;
                    },
                    Step::Pop(count) => for _ in 0..count {
                        let first = tree.pop_first().map(|(number, ())| number);
                        prop_assert_eq!(ours.first().map(|it| it.number), first);
                        ours.drop_first();
                    },
                    Step::KeepNot(nth) => {
                        ours.retain(|it| it.number % nth != 0);
                        tree.retain(|number, ()| number % nth != 0);
                    }
                }
            }
            let all: Vec<u64> = ours.iter().map(|it| it.number).collect();
            prop_assert_eq!(all, tree.keys().copied().collect::<Vec<_>>());
            for kept in ours.iter() {
                let as_pushed = event(kept.number);
                prop_assert_eq!(kept.message, &*as_pushed.message);
                prop_assert_eq!(kept.stream, &as_pushed.stream);
            }
            let rest: Vec<u64> = ours.since(since).map(|it| it.number).collect();
            prop_assert_eq!(rest, tree.range(since..).map(|(it, ())| *it).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_event_that_is_known_is_not_added_again() {
        let mut events = InOrder::default();
        for number in 0..2 * BLOCK_EVENTS as u64 {
            assert!(events.push(&event(number)));
        }
        assert!(!events.push(&event(7)));
        assert_eq!(events.iter().count(), 2 * BLOCK_EVENTS);
    }
}
