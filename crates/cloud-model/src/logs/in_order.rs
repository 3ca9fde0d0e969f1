//! A group's events in the order of their numbers, in small blocks: as close together
//! as in a ring, and growing copies nothing. A tree filled in order leaves half of each
//! node empty.

use std::collections::VecDeque;

use super::store::Stored;

/// Events of a block; 14 KiB of them without their texts.
const BLOCK: usize = 256;

/// Events whose numbers ascend. No block is empty.
#[derive(Debug, Default)]
pub(super) struct InOrder {
    blocks: VecDeque<VecDeque<Stored>>,
}

impl InOrder {
    /// Adds an event. One whose number isn't above all others is known already.
    pub(super) fn push(&mut self, event: Stored) -> bool {
        let last = self.blocks.back().and_then(VecDeque::back);
        if last.is_some_and(|last| event.number <= last.number) {
            return false;
        }
        match self.blocks.back_mut() {
            Some(block) if block.len() < block.capacity() => block.push_back(event),
            _ => {
                let mut block = VecDeque::with_capacity(BLOCK);
                block.push_back(event);
                self.blocks.push_back(block);
            }
        }
        true
    }

    /// Takes the oldest.
    pub(super) fn pop_first(&mut self) -> Option<Stored> {
        let block = self.blocks.front_mut()?;
        let first = block.pop_front();
        if block.is_empty() {
            self.blocks.pop_front();
        }
        first
    }

    /// Leaves out those that don't hold.
    pub(super) fn retain(&mut self, holds: impl Fn(&Stored) -> bool) {
        for block in &mut self.blocks {
            let before = block.len();
            block.retain(&holds);
            if block.len() < before {
                block.shrink_to_fit();
            }
        }
        self.blocks.retain(|block| !block.is_empty());
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Stored> {
        self.blocks.iter().flatten()
    }

    /// Those from this number on.
    pub(super) fn since(&self, number: u64) -> impl Iterator<Item = &Stored> {
        let before = |event: &Stored| event.number < number;
        let block = self
            .blocks
            .partition_point(|block| block.back().is_some_and(before));
        let inside = self
            .blocks
            .get(block)
            .map_or(0, |block| block.partition_point(before));
        self.blocks.iter().skip(block).flatten().skip(inside)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::{BLOCK, InOrder, Stored};

    fn event(number: u64) -> Stored {
        Stored {
            stream: Arc::from("s"),
            timestamp: 0,
            ingested: 0,
            number,
            message: "".into(),
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
                        prop_assert!(ours.push(event(next)));
                        tree.insert(next, ());
                        next += 1;
                    },
                    Step::Pop(count) => for _ in 0..count {
                        let first = tree.pop_first().map(|(number, ())| number);
                        prop_assert_eq!(ours.pop_first().map(|it| it.number), first);
                    },
                    Step::KeepNot(nth) => {
                        ours.retain(|it| it.number % nth != 0);
                        tree.retain(|number, ()| number % nth != 0);
                    }
                }
            }
            let all: Vec<u64> = ours.iter().map(|it| it.number).collect();
            prop_assert_eq!(all, tree.keys().copied().collect::<Vec<_>>());
            let rest: Vec<u64> = ours.since(since).map(|it| it.number).collect();
            prop_assert_eq!(rest, tree.range(since..).map(|(it, ())| *it).collect::<Vec<_>>());
        }
    }

    #[test]
    fn an_event_that_is_known_is_not_added_again() {
        let mut events = InOrder::default();
        for number in 0..2 * BLOCK as u64 {
            assert!(events.push(event(number)));
        }
        assert!(!events.push(event(7)));
        assert_eq!(events.iter().count(), 2 * BLOCK);
    }
}
