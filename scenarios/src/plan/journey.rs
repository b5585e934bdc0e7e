//! What each player does in order: its journey is a function of its number, the same on every run.

use std::time::Duration;

use crate::keys::draw::Draw;
use crate::keys::times::Times;
use crate::plan::operation::{Kind, Operation};
use crate::plan::share::Share;

/// The journeys of a plan; by default nobody has one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Journeys {
    journeys: Vec<(Share, Journey)>,
}

/// What a player does in order.
#[derive(Debug, Clone, PartialEq)]
pub struct Journey {
    /// The operation that it is as a whole.
    pub operation: Operation,
    /// How many players take it, among all journeys.
    pub weight: u32,
    /// Whether it begins again when it has ended.
    pub repeats: bool,
    /// Its steps, one at least.
    pub steps: Vec<Step>,
}

/// A step of a journey.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Step {
    /// Does an operation.
    Do {
        /// Which.
        operation: Operation,
        /// What ends it.
        until: Until,
        /// How often it is done.
        times: Times,
        /// How long nothing is done after each time, before the next.
        pause: Option<Draw>,
    },
    /// Does nothing for a while.
    Pause(Draw),
    /// Closes the socket, and connects again after so long.
    Leave(Draw),
}

/// What ends a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// The operation's answer; where there is none, its send.
    Answer,
    /// The push that comes back to the player.
    Push {
        /// Which.
        kind: Kind,
        /// How long after the send it is no longer in time.
        within: Duration,
    },
}

impl Journeys {
    /// Shares the players out by the journeys' weights.
    pub(crate) fn new(players: u32, journeys: Vec<Journey>) -> Self {
        let all: f64 = journeys.iter().map(|journey| f64::from(journey.weight)).sum();
        let (mut to, mut shared) = (0.0, Vec::new());
        for journey in journeys {
            let from = to;
            to += f64::from(journey.weight);
            shared.push((Share::travelling(players, from / all, to / all), journey));
        }
        Self { journeys: shared }
    }

    /// The journey of a player.
    #[must_use]
    pub fn of(&self, player: u32) -> Option<&Journey> {
        self.journeys.iter().find(|(share, _)| share.holds(player)).map(|(_, journey)| journey)
    }

    /// Each journey with the players that take it.
    pub fn shares(&self) -> impl Iterator<Item = (&Share, &Journey)> {
        self.journeys.iter().map(|(share, journey)| (share, journey))
    }

    /// Whether nobody has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.journeys.is_empty()
    }
}

impl Journey {
    /// Whether its players close their sockets on the way.
    #[must_use]
    pub fn leaves(&self) -> bool {
        self.steps.iter().any(|step| matches!(step, Step::Leave(_)))
    }

    /// How often it does an operation on average; its own once.
    #[must_use]
    pub fn mean_times(&self, operation: Operation) -> f64 {
        if operation == self.operation {
            return 1.0;
        }
        let times = self.steps.iter().map(|step| match *step {
            Step::Do { operation: done, times, .. } if done == operation => times.mean(),
            _ => 0.0,
        });
        times.sum()
    }

    /// How long it takes on average, if an answer takes so long.
    #[must_use]
    pub fn mean_length(&self, answer: Duration) -> Duration {
        let lengths = self.steps.iter().map(|step| match *step {
            Step::Do { times, pause, .. } => {
                let between = pause.map_or(Duration::ZERO, Draw::mean);
                answer.mul_f64(times.mean()) + between.mul_f64(times.mean() - 1.0)
            }
            Step::Pause(length) | Step::Leave(length) => length.mean(),
        });
        lengths.sum()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn journey(weight: u32) -> Journey {
        Journey { operation: Operation::of(1), weight, repeats: true, steps: Vec::new() }
    }

    proptest! {
        #[test]
        fn each_player_has_one_journey_and_each_journey_its_share(
            players in 1_u32..3_000, weights in prop::collection::vec(0_u32..10, 1..6),
        ) {
            prop_assume!(weights.iter().any(|weight| *weight > 0));
            let all: u32 = weights.iter().sum();
            let journeys = Journeys::new(players, weights.iter().copied().map(journey).collect());
            for player in 0..players {
                prop_assert_eq!(journeys.shares().filter(|(share, _)| share.holds(player)).count(), 1);
                prop_assert!(journeys.of(player).is_some_and(|journey| journey.weight > 0));
            }
            for (share, journey) in journeys.shares() {
                let exact = f64::from(players) * f64::from(journey.weight) / f64::from(all);
                prop_assert!((share.size() as f64 - exact).abs() <= 1.0);
            }
        }
    }

    #[test]
    fn without_journeys_nobody_has_one() {
        assert!(Journeys::default().is_empty() && Journeys::default().of(0).is_none());
    }
}
