//! Which sockets a plan would leave idle for so long that API Gateway cuts them.
//!
//! Requests go to players drawn at random, so the number that one player sees in a window is Poisson: with a mean of n it
//! sees none with the probability e⁻ⁿ. In the closed model the load is the share of players that ask at all.

use std::time::Duration;

use protocol::outline::{Audience, Tie};

use crate::explain::forecast::between;
use crate::plan::operation::What;
use crate::plan::{Model, Plan};

/// After so long without a message in either direction API Gateway ends a socket.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(600);
/// From one window that is looked at to the next.
const STEP: Duration = Duration::from_secs(60);

/// What is to be said of a plan before it runs: nothing is wrong with it, and something will likely surprise.
#[must_use]
pub fn warnings(plan: &Plan) -> Vec<String> {
    let idle = idle_players(plan).round();
    let minutes = IDLE_TIMEOUT.as_secs() / 60;
    let beat = plan.heartbeat();
    let saved = |remedy: &str| {
        format!(
            "about {idle:.0} of {} sockets would see no message for {minutes} minutes, after which API Gateway ends a socket \
             (1001 Going away); {remedy}",
            plan.players
        )
    };
    match beat {
        _ if idle < 1.0 => Vec::new(),
        Some(beat) if beat.every >= IDLE_TIMEOUT => {
            vec![saved("lower sockets.heartbeat to \"5m\"")]
        }
        Some(beat) if beat.message => Vec::new(),
        Some(_) => vec![saved(
            "sockets.heartbeat sends pings, which API Gateway is not known to count: set sockets.heartbeat_message",
        )],
        None => {
            vec![saved("set sockets.heartbeat = \"5m\" and a sockets.heartbeat_message, if the game has one")]
        }
    }
}

/// The number of players expected to see nothing for [`IDLE_TIMEOUT`], in the worst window of the run.
fn idle_players(plan: &Plan) -> f64 {
    let players = f64::from(plan.players);
    // Who leaves before is not cut.
    let leaving = plan.disruptions.churn.as_ref().filter(|churn| churn.session.mean() < IDLE_TIMEOUT);
    let staying = players - leaving.map_or(0.0, |_| plan.disruptions.churning() as f64);
    let last = plan.end().checked_sub(IDLE_TIMEOUT);
    let windows = last.into_iter().flat_map(|last| {
        let count = last.as_secs() / STEP.as_secs();
        (0..=count).map(|index| STEP * index as u32).chain([last])
    });
    windows.map(|from| staying * idle_share(plan, from)).fold(0.0, f64::max)
}

/// The share of players that see nothing in the window that begins at `from`.
fn idle_share(plan: &Plan, from: Duration) -> f64 {
    let (to, players) = (from + IDLE_TIMEOUT, f64::from(plan.players));
    let mut share = 1.0;
    for planned in &plan.operations {
        let What::Request(number) = planned.what else { continue };
        let outline = plan.protocol.outline();
        let push = outline.operations.get(number).and_then(|operation| outline.pushes.get(operation.push?));
        // What comes back to the sender comes with its send.
        let elsewhere = push.is_some_and(|push| push.tie != Tie::Player && push.to != Audience::Sender);
        let messages = 1.0 + if elsewhere { plan.pushes_of(planned) } else { 0.0 };
        let each = messages * between(plan, planned, from, to) / players;
        share *= match planned.model {
            Model::Open => (-each).exp(),
            Model::Closed { .. } => {
                let asking = plan.load_at(from + IDLE_TIMEOUT / 2).clamp(0.0, 1.0);
                let busy = if asking > 0.0 { (-each / asking).exp() } else { 1.0 };
                (1.0 - asking) + asking * busy
            }
        };
    }
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(more: &str) -> Vec<String> {
        let text = format!("name = \"i\"\nplayers = 1000\n{more}");
        warnings(&crate::check("i.toml", &text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan)
    }

    const AN_HOUR: &str = "phases = [{ kind = \"hold\", duration = \"1h\" }]\n";

    #[test]
    fn sockets_that_only_wait_are_told_of_with_what_keeps_them() {
        let [warning] = &of(AN_HOUR)[..] else { panic!() };
        assert!(
            warning.starts_with("about 1000 of 1000 sockets would see no message for 10 minutes"),
            "{warning}"
        );
        assert!(warning.contains("set sockets.heartbeat = \"5m\""), "{warning}");
        let pings = of(&format!("{AN_HOUR}[sockets]\nheartbeat = \"5m\"\n"));
        assert!(pings[0].contains("set sockets.heartbeat_message"), "{pings:?}");
        let rare = of(&format!("{AN_HOUR}[sockets]\nheartbeat = \"10m\"\nheartbeat_message = \"{{}}\"\n"));
        assert!(rare[0].contains("lower sockets.heartbeat"), "{rare:?}");
        assert!(
            of(&format!("{AN_HOUR}[sockets]\nheartbeat = \"9m\"\nheartbeat_message = \"{{}}\"\n")).is_empty()
        );
    }

    #[test]
    fn a_short_run_and_a_busy_one_leave_nobody_idle() {
        assert!(of("phases = [{ kind = \"hold\", duration = \"9m\" }]\n").is_empty());
        // 600 s at 25 sends a second and two messages for each: 30 a player, so that 1000 e⁻³⁰ are idle.
        let busy = format!("{AN_HOUR}[operations.send_message]\nrate = 25.0\n");
        assert!(of(&busy).is_empty());
        // One in 600 s for each player, of which 3 s belong to connecting: 1000 e^(−597/600) = 370 see none.
        let [quiet] = &of(&format!("{AN_HOUR}[operations.unknown_route]\nrate = {}\n", 1000.0 / 600.0))[..]
        else {
            panic!()
        };
        assert!(quiet.starts_with("about 370 of 1000"), "{quiet}");
    }

    #[test]
    fn in_the_closed_model_the_load_says_who_asks() {
        let closed = "phases = [{ kind = \"hold\", duration = \"1h\", load = 0.25 }]\n\
            [operations.unknown_route]\nmodel = \"closed\"\nthink_time = \"20s\"\n";
        let [warning] = &of(closed)[..] else { panic!() };
        assert!(warning.starts_with("about 750 of 1000"), "{warning}");
    }
}
