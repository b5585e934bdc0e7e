//! What a player with churn does in one session: waits in the lobby, asks for a game session, plays, leaves.

use rand::rngs::SmallRng;
use scenarios::plan::disruptions::Churn;

use crate::clock::{Micros, micros};

/// Where the player is in its session.
#[derive(Debug, PartialEq, Eq)]
enum ScriptStage {
    /// Waits until it asks for a game session.
    Lobby { until: Micros },
    /// Has asked, and waits for the push that places it.
    Placing {
        /// Number of its request.
        index: u64,
        /// The placement, once the backend has named it.
        id: Option<String>,
        /// Pushes that arrived before the answer: placement, and whether it was fulfilled.
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
pub(super) enum ScriptStep {
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

/// One session of a player, from the open socket on.
#[derive(Debug)]
pub(super) struct SessionScript {
    stage: ScriptStage,
    /// How long it plays.
    stay: Micros,
}

impl SessionScript {
    /// A session that begins now.
    pub(super) fn new(churn: &Churn, dice: &mut SmallRng, now: Micros) -> Self {
        let stay = micros(churn.session.sample(dice));
        let stage = churn.lobby.map_or(ScriptStage::Playing { until: now + stay }, |lobby| {
            ScriptStage::Lobby { until: now + micros(lobby.sample(dice)) }
        });
        Self { stage, stay }
    }

    /// When the player has to be looked at again.
    pub(super) const fn due(&self) -> Option<Micros> {
        match self.stage {
            ScriptStage::Lobby { until }
            | ScriptStage::Placing { until, .. }
            | ScriptStage::Playing { until } => Some(until),
            ScriptStage::Over => None,
        }
    }

    /// What is to be done at `now`; each step is returned once.
    pub(super) fn step(&mut self, now: Micros) -> Option<ScriptStep> {
        if self.due()? > now {
            return None;
        }
        let asks = matches!(self.stage, ScriptStage::Lobby { .. });
        self.stage = ScriptStage::Over;
        Some(if asks { ScriptStep::Ask } else { ScriptStep::Leave })
    }

    /// Whether it has asked and does not know yet.
    pub(super) const fn is_placing(&self) -> bool {
        matches!(self.stage, ScriptStage::Placing { .. })
    }

    /// The player has asked with request `index`, and waits until then.
    pub(super) fn asked(&mut self, index: u64, until: Micros) {
        self.stage = ScriptStage::Placing { index, id: None, early: Vec::new(), until };
    }

    /// A request was answered: with the placement that it started, or otherwise.
    pub(super) fn answered(&mut self, index: u64, placement: Option<&str>, now: Micros) -> Option<Placed> {
        let ScriptStage::Placing { index: mine, id, early, .. } = &mut self.stage else { return None };
        if *mine != index {
            return None;
        }
        let Some(named) = placement else { return Some(self.placed(false, now)) };
        *id = Some(named.to_owned());
        let early_push = early.iter().find(|(early, _)| early == named).map(|(_, fulfilled)| *fulfilled)?;
        Some(self.placed(early_push, now))
    }

    /// A placement was pushed.
    pub(super) fn pushed(&mut self, placement: &str, fulfilled: bool, now: Micros) -> Option<Placed> {
        let ScriptStage::Placing { id, early, .. } = &mut self.stage else { return None };
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
        self.stage = ScriptStage::Playing { until };
        if fulfilled { Placed::Yes } else { Placed::No }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;

    use super::*;

    fn script(operations: &str) -> SessionScript {
        let scenario = format!(
            "name = \"script\"\nplayers = 1\nphases = [{{ kind = \"hold\", duration = \"9s\" }}]\n[operations.placement_request]\nrate = 0.0\n{operations}"
        );
        let plan = scenarios::check("script.toml", &scenario, &[])
            .unwrap_or_else(|mistakes| panic!("{mistakes}"))
            .plan;
        SessionScript::new(&plan.disruptions.churn.unwrap(), &mut SmallRng::seed_from_u64(1), 100)
    }

    const PLACED: &str = "[churn]\nplace = true\nlobby = \"2us\"\nsession = \"5us\"\npause = \"1s\"\n";

    #[test]
    fn a_session_goes_through_lobby_place_and_play() {
        let mut script = script(PLACED);
        assert_eq!((script.step(101), script.due()), (None, Some(102)));
        assert_eq!(script.step(102), Some(ScriptStep::Ask));
        assert_eq!(script.step(103), None, "each step once");
        script.asked(7, 1_000);
        assert_eq!(script.answered(8, Some("other"), 104), None, "another's request");
        assert_eq!(script.answered(7, Some("mine"), 105), None);
        assert_eq!(script.pushed("other", true, 106), None, "another placement");
        assert_eq!(script.pushed("mine", true, 110), Some(Placed::Yes));
        assert_eq!(
            (script.step(114), script.step(115), script.step(116)),
            (None, Some(ScriptStep::Leave), None)
        );
    }

    #[test]
    fn a_push_may_arrive_before_the_answer() {
        let mut script = script(PLACED);
        script.step(102);
        script.asked(7, 1_000);
        assert_eq!(script.pushed("mine", true, 103), None);
        assert_eq!(script.answered(7, Some("mine"), 110), Some(Placed::Yes));
        assert_eq!(script.due(), Some(115));
    }

    #[test]
    fn a_player_without_a_place_leaves() {
        for failing in [
            |script: &mut SessionScript| assert_eq!(script.answered(7, None, 110), Some(Placed::No)),
            |script: &mut SessionScript| {
                assert_eq!(script.answered(7, Some("mine"), 110), None);
                assert_eq!(script.pushed("mine", false, 110), Some(Placed::No));
            },
            |script: &mut SessionScript| assert!(script.is_placing(), "no push comes at all"),
        ] {
            let mut script = script(PLACED);
            script.step(102);
            script.asked(7, 1_000);
            failing(&mut script);
            assert_eq!(script.step(1_000), Some(ScriptStep::Leave));
        }
    }

    #[test]
    fn without_a_place_a_session_is_a_stay() {
        let mut script = script("[churn]\nsession = \"5us\"\npause = \"1s\"\n");
        assert_eq!((script.step(104), script.step(105)), (None, Some(ScriptStep::Leave)));
    }
}
