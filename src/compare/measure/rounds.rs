//! The order in which rounds are run.

use super::bank::Purpose;
use crate::model::number::count;
use crate::model::{Random, Seed};

/// How many rounds of a transport measure latency for each that measures propagation.
const LATENCY_PER_PROPAGATION: usize = 5;

/// A round of one of the transports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    /// Which of the transports, as they are listed.
    pub(super) transport: usize,
    pub(super) purpose: Purpose,
}

/// `rounds` for each of so many transports, drawn from `seed`. Each transport comes once in each
/// stretch, in any order: whatever slows the machine for a while slows all alike. Those of
/// `recorded` come once more in some stretches, for propagation.
pub(super) fn order(seed: Seed, transports: usize, rounds: usize, recorded: &[usize]) -> Vec<Slot> {
    let mut chance = Random::of_part(seed, 0);
    let mut order = Vec::new();
    for round in 0..rounds {
        let latency =
            (0..transports).map(|transport| Slot { transport, purpose: Purpose::Latency });
        let propagation = recorded
            .iter()
            .filter(|_| round % LATENCY_PER_PROPAGATION == 0)
            .map(|&transport| Slot { transport, purpose: Purpose::Propagation });
        let mut stretch: Vec<Slot> = latency.chain(propagation).collect();
        shuffle(&mut stretch, &mut chance);
        order.extend(stretch);
    }
    order
}

/// Fisher and Yates.
fn shuffle<T>(items: &mut [T], chance: &mut Random) {
    for last in (1..items.len()).rev() {
        let other = usize::try_from(chance.below(count(last + 1))).unwrap_or(last);
        items.swap(last, other);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_transport_comes_once_in_each_stretch_in_an_order_of_the_seed() {
        let drawn = order(Seed(7), 4, 6, &[1, 2]);
        assert_eq!(drawn, order(Seed(7), 4, 6, &[1, 2]));
        assert_ne!(drawn, order(Seed(8), 4, 6, &[1, 2]));
        let latency: Vec<usize> = drawn
            .iter()
            .filter(|slot| slot.purpose == Purpose::Latency)
            .map(|slot| slot.transport)
            .collect();
        let mut orders = std::collections::BTreeSet::new();
        for stretch in latency.chunks(4) {
            orders.insert(stretch.to_vec());
            let mut sorted = stretch.to_vec();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3]);
        }
        assert!(orders.len() > 1, "{orders:?}");
        // Rounds 0 and 5 measure propagation too.
        let propagation = drawn.iter().filter(|slot| slot.purpose == Purpose::Propagation);
        let mut propagation: Vec<usize> = propagation.map(|slot| slot.transport).collect();
        propagation.sort_unstable();
        assert_eq!(propagation, [1, 1, 2, 2]);
    }
}
