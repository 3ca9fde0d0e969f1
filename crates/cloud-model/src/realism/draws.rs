//! Delays out of a seed.

use jiff::SignedDuration;

/// What a sequence of delays is for; each has its own.
#[derive(Debug, Clone, Copy)]
pub(super) enum Purpose {
    Mutation = 1,
    IamPropagation,
    Activation,
    ApiReads,
    RoleReads,
    LogGroupReads,
}

/// A sequence of delays within bounds.
#[derive(Debug)]
pub(super) struct Delay {
    /// Of SplitMix64: any start is a good one.
    state: u64,
    shortest_ms: u64,
    longest_ms: u64,
}

impl Delay {
    /// Both bounds, in ms, belong to what may be drawn.
    pub(super) fn new(seed: u64, purpose: Purpose, (shortest_ms, longest_ms): (u64, u64)) -> Self {
        Self {
            state: mix(seed ^ mix(purpose as u64)),
            shortest_ms,
            longest_ms,
        }
    }

    pub(super) fn draw(&mut self) -> SignedDuration {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let span = self.longest_ms - self.shortest_ms + 1;
        let ms = self.shortest_ms + mix(self.state) % span;
        SignedDuration::from_millis(ms.cast_signed())
    }
}

/// The last step of SplitMix64: spreads a number over all bits.
fn mix(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::{Delay, Purpose};

    fn first(seed: u64, purpose: Purpose) -> Vec<SignedDuration> {
        let mut delay = Delay::new(seed, purpose, (20, 80));
        (0..200).map(|_| delay.draw()).collect()
    }

    #[test]
    fn delays_keep_their_bounds_and_reach_both() {
        let all = first(7, Purpose::Mutation);
        let ms = SignedDuration::from_millis;
        assert_eq!(
            (all.iter().min(), all.iter().max()),
            (Some(&ms(20)), Some(&ms(80)))
        );
    }

    #[test]
    fn a_seed_repeats_itself_and_seeds_and_purposes_differ() {
        let all = first(7, Purpose::Mutation);
        assert_eq!(all, first(7, Purpose::Mutation));
        assert_ne!(all, first(8, Purpose::Mutation));
        assert_ne!(all, first(7, Purpose::Activation));
    }
}
