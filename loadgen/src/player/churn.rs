//! One life of a player that leaves and comes back: lobby, place, play, leave.

use rand::rngs::SmallRng;
use scenarios::disruptions::planned::Churn;

use crate::clock::{Micros, micros};

/// Where the player is in its life.
#[derive(Debug, PartialEq, Eq)]
enum Stage {
    /// Waits until it asks for a game session.
    Lobby { until: Micros },
    /// Has asked, and waits for the push that places it.
    Placing {
        /// Number of its request.
        index: u64,
        /// The placement, once the backend has named it.
        id: Option<String>,
        /// Pushes that overtook the answer: placement, and whether it was fulfilled.
        early: Vec<(String, bool)>,
        /// When it gives up.
        until: Micros,
    },
    /// Stays until its time is over.
    Playing { until: Micros },
    /// Its time is over.
    Over,
}

/// What the player is to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// Ask for a game session.
    Ask,
    /// Leave.
    Leave,
}

/// How asking for a game session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Placed {
    /// With a game session.
    Yes,
    /// Without.
    No,
}

/// One life, from the open socket on.
#[derive(Debug)]
pub(super) struct Life {
    stage: Stage,
    /// How long it plays.
    stay: Micros,
}

impl Life {
    /// A life that begins now.
    pub(super) fn new(churn: &Churn, dice: &mut SmallRng, now: Micros) -> Self {
        let stay = micros(churn.session.sample(dice));
        let stage = churn.lobby.map_or(Stage::Playing { until: now + stay }, |lobby| Stage::Lobby {
            until: now + micros(lobby.sample(dice)),
        });
        Self { stage, stay }
    }

    /// When the player has to be looked at again.
    pub(super) const fn due(&self) -> Option<Micros> {
        match self.stage {
            Stage::Lobby { until } | Stage::Placing { until, .. } | Stage::Playing { until } => Some(until),
            Stage::Over => None,
        }
    }

    /// What is to be done at `now`; each step is told once.
    pub(super) fn step(&mut self, now: Micros) -> Option<Step> {
        if self.due()? > now {
            return None;
        }
        let asks = matches!(self.stage, Stage::Lobby { .. });
        self.stage = Stage::Over;
        Some(if asks { Step::Ask } else { Step::Leave })
    }

    /// Whether it has asked and does not know yet.
    pub(super) const fn is_placing(&self) -> bool {
        matches!(self.stage, Stage::Placing { .. })
    }

    /// The player has asked with request `index`, and waits until then.
    pub(super) fn asked(&mut self, index: u64, until: Micros) {
        self.stage = Stage::Placing { index, id: None, early: Vec::new(), until };
    }

    /// A request was answered: with the placement that it started, or otherwise.
    pub(super) fn answered(&mut self, index: u64, placement: Option<&str>, now: Micros) -> Option<Placed> {
        let Stage::Placing { index: mine, id, early, .. } = &mut self.stage else { return None };
        if *mine != index {
            return None;
        }
        let Some(named) = placement else { return Some(self.placed(false, now)) };
        *id = Some(named.to_owned());
        let told = early.iter().find(|(early, _)| early == named).map(|(_, fulfilled)| *fulfilled)?;
        Some(self.placed(told, now))
    }

    /// A placement was pushed.
    pub(super) fn pushed(&mut self, placement: &str, fulfilled: bool, now: Micros) -> Option<Placed> {
        let Stage::Placing { id, early, .. } = &mut self.stage else { return None };
        match id {
            Some(mine) if mine == placement => Some(self.placed(fulfilled, now)),
            Some(_) => None,
            None => {
                early.push((placement.to_owned(), fulfilled));
                None
            }
        }
    }

    fn placed(&mut self, fulfilled: bool, now: Micros) -> Placed {
        let until = if fulfilled { now + self.stay } else { now };
        self.stage = Stage::Playing { until };
        if fulfilled { Placed::Yes } else { Placed::No }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn life(operations: &str) -> Life {
        let scenario = format!(
            "name = \"life\"\nplayers = 1\nphases = [{{ kind = \"hold\", duration = \"9s\" }}]\n[operations.placement_request]\nrate = 0.0\n{operations}"
        );
        let plan = scenarios::check("life.toml", &scenario, &[])
            .unwrap_or_else(|mistakes| panic!("{mistakes}"))
            .plan;
        Life::new(&plan.disruptions.churn.unwrap(), &mut SmallRng::seed_from_u64(1), 100)
    }

    const PLACED: &str = "[churn]\nplace = true\nlobby = \"2us\"\nsession = \"5us\"\npause = \"1s\"\n";

    #[test]
    fn a_life_goes_through_lobby_place_and_play() {
        let mut life = life(PLACED);
        assert_eq!((life.step(101), life.due()), (None, Some(102)));
        assert_eq!(life.step(102), Some(Step::Ask));
        assert_eq!(life.step(103), None, "each step once");
        life.asked(7, 1_000);
        assert_eq!(life.answered(8, Some("other"), 104), None, "another's request");
        assert_eq!(life.answered(7, Some("mine"), 105), None);
        assert_eq!(life.pushed("other", true, 106), None, "another placement");
        assert_eq!(life.pushed("mine", true, 110), Some(Placed::Yes));
        assert_eq!((life.step(114), life.step(115), life.step(116)), (None, Some(Step::Leave), None));
    }

    #[test]
    fn a_push_may_overtake_the_answer() {
        let mut life = life(PLACED);
        life.step(102);
        life.asked(7, 1_000);
        assert_eq!(life.pushed("mine", true, 103), None);
        assert_eq!(life.answered(7, Some("mine"), 110), Some(Placed::Yes));
        assert_eq!(life.due(), Some(115));
    }

    #[test]
    fn a_player_without_a_place_leaves() {
        for failing in [
            |life: &mut Life| assert_eq!(life.answered(7, None, 110), Some(Placed::No)),
            |life: &mut Life| {
                assert_eq!(life.answered(7, Some("mine"), 110), None);
                assert_eq!(life.pushed("mine", false, 110), Some(Placed::No));
            },
            |life: &mut Life| assert!(life.is_placing(), "no push comes at all"),
        ] {
            let mut life = life(PLACED);
            life.step(102);
            life.asked(7, 1_000);
            failing(&mut life);
            assert_eq!(life.step(1_000), Some(Step::Leave));
        }
    }

    #[test]
    fn without_a_place_a_life_is_a_stay() {
        let mut life = life("[churn]\nsession = \"5us\"\npause = \"1s\"\n");
        assert_eq!((life.step(104), life.step(105)), (None, Some(Step::Leave)));
    }
}
