//! What all draws share: a small game on a backend with plausible latencies, and the axis of its runs.

use std::fmt::Display;

use crate::planted::dice::Dice;
use crate::planted::draw::{Change, Draw, Expected};
use crate::planted::settings::Settings;

/// Players of a run.
pub(super) const PLAYERS: u32 = 48;
/// Seconds without figures, in which functions get warm.
const WARM_UP_S: f64 = 2.0;
/// Seconds of the quiet phase.
const QUIET_S: f64 = 7.0;
/// Seconds of the loaded phase.
pub(super) const LOADED_S: f64 = 9.0;
/// Players that connect in a second.
const CONNECT_RATE: f64 = 40.0;
/// The stack starts before the axis begins: tokens are fetched in between.
const STACK_EARLIER_S: f64 = 0.5;

/// Operations, each with its arrivals a second in the quiet phase.
pub(super) const SEND_MESSAGE: (&str, f64) = ("send_message", 20.0);
/// Placements.
pub(super) const PLACEMENT: (&str, f64) = ("placement_request", 6.0);
/// The default route.
pub(super) const UNKNOWN_ROUTE: (&str, f64) = ("unknown_route", 6.0);

/// A draw in the making.
pub(super) struct World {
    pub(super) scenario: Settings,
    pub(super) profile: Settings,
    pub(super) fault: Settings,
    cure: Option<Change>,
    placebo: Option<Change>,
    starved: bool,
    case: &'static str,
    seed: u64,
}

/// The load in the last phase, as a multiple of that in the quiet one.
#[derive(Debug, Clone, Copy)]
pub(super) enum Load {
    /// As before.
    Steady,
    /// At once, and for all of the phase.
    Step(f64),
    /// A line up, and then for the rest of the phase.
    Ramp(f64),
    /// Waves whose mean and peak these are.
    Sine(f64, f64),
    /// Up and down.
    Spike(f64),
}

impl Load {
    /// A shape that reaches a peak and stays there for most of the phase.
    pub(super) fn up_to(peak: f64, dice: &mut Dice) -> Self {
        if dice.one(&[true, false]) { Self::Step(peak) } else { Self::Ramp(peak) }
    }

    /// Any moderate shape.
    pub(super) fn moderate(dice: &mut Dice) -> Self {
        let peak = dice.number(1.2..1.8);
        dice.one(&[Self::Steady, Self::Step(peak), Self::Ramp(peak), Self::Sine(1.2, 1.6), Self::Spike(peak)])
    }

    fn phases(self) -> String {
        let hold = |name: &str, s: f64, load: f64| {
            format!("{{ name = \"{name}\", kind = \"hold\", duration = \"{s}s\", load = {load:.3} }}")
        };
        match self {
            Self::Steady => hold("load", LOADED_S, 1.0),
            Self::Step(peak) => hold("load", LOADED_S, peak),
            Self::Ramp(peak) => format!(
                "{{ name = \"rise\", kind = \"ramp\", duration = \"2s\", load = {peak:.3} }}, {}",
                hold("load", LOADED_S - 2.0, peak)
            ),
            Self::Sine(mean, peak) => format!(
                "{{ name = \"load\", kind = \"sine\", duration = \"{LOADED_S}s\", load = {mean:.3}, amplitude = {:.3}, period = \"4s\" }}",
                peak - mean
            ),
            Self::Spike(peak) => format!(
                "{{ name = \"load\", kind = \"spike\", duration = \"{}s\", load = {peak:.3} }}, {}",
                LOADED_S - 4.0,
                hold("after", 4.0, 1.0)
            ),
        }
    }
}

/// A delay with a tail.
pub(super) fn delay(p50_ms: f64, p99_ms: f64) -> String {
    format!("{{ p50_ms = {p50_ms:.2}, p99_ms = {p99_ms:.2} }}")
}

impl World {
    pub(super) fn new(case: &'static str, seed: u64) -> (Self, Dice) {
        let mut dice = Dice::of(case, seed);
        let mut world = Self {
            scenario: Settings::default(),
            profile: Settings::default(),
            fault: Settings::default(),
            cure: None,
            placebo: None,
            starved: false,
            case,
            seed,
        };
        world.set("name", format!("\"{}-{seed}\"", case.to_lowercase()));
        world.set("seed", dice.whole(1..1_000_000));
        world.set("players", PLAYERS).set("target.profile", "\"profile.toml\"").set("auth.mode", "\"token\"");
        world.set("sockets.connect_rate", CONNECT_RATE);
        world.set("deliveries.timeout", "\"3s\"").set("deliveries.placement_timeout", "\"4s\"");
        world.set("deliveries.grace", "\"1s\"");
        for (operation, rate) in [SEND_MESSAGE, PLACEMENT, UNKNOWN_ROUTE] {
            world.rate(operation, rate);
            world.set(format!("operations.{operation}.timeout"), "\"3s\"");
        }
        world.load(Load::Steady);
        world.observed_by(&mut Dice::of(&format!("{case}, observed"), seed));
        world.promises(&[
            "send_message.error_rate < 1%",
            "placement_request.error_rate < 1%",
            "unknown_route.error_rate < 1%",
            "connect.error_rate < 1%",
            "message.lost_rate < 1%",
            "placement.lost_rate < 1%",
            "send_message.response_time.p90 < 300ms",
            "placement_request.response_time.p90 < 300ms",
            "unknown_route.response_time.p90 < 300ms",
            "connect.response_time.p90 < 500ms",
            "message.each.p90 < 500ms",
            "placement.each.p90 < 1200ms",
        ]);
        world.backend();
        (world, dice)
    }

    /// What else than metrics is there: logs of every function, in either format, and stamps in the pushes of one draw in three. A dice
    /// of its own, so that what is observed changes nothing of what is planted.
    fn observed_by(&mut self, dice: &mut Dice) {
        self.set("cloudwatch.logs", true).set("trace", dice.one(&[true, false, false]));
        self.profile.set("logs.enabled", true).set("logs.format", dice.one(&["\"text\"", "\"json\""]));
    }

    /// Latencies as they may be in one Region, and no limit that this load could reach.
    fn backend(&mut self) {
        self.profile
            .set("lambda.init", delay(20.0, 30.0))
            .set("lambda.duration", delay(4.0, 10.0))
            .set("gateway.ack_delay", delay(3.0, 8.0))
            .set("gateway.push_delay", delay(4.0, 10.0))
            .set("sns.delivery", delay(15.0, 40.0))
            .set("gamelift.start", delay(15.0, 40.0))
            .set("gamelift.placement", delay(150.0, 400.0))
            .set("identity.latency", delay(2.0, 5.0))
            .set("streams.parallelization_factor", 4);
        for operation in ["put", "get", "delete", "query", "batch_get", "batch_put"] {
            self.profile.set(format!("tables.latency.{operation}"), delay(3.0, 8.0));
        }
    }

    /// Sets a key of the scenario.
    pub(super) fn set(&mut self, key: impl Into<String>, value: impl Display) -> &mut Self {
        self.scenario.set(key, value);
        self
    }

    /// Arrivals of an operation a second in the quiet phase.
    pub(super) fn rate(&mut self, operation: &str, rate: f64) -> &mut Self {
        self.set(format!("operations.{operation}.rate"), format!("{rate:.3}"))
    }

    /// Arrivals at random.
    pub(super) fn at_random(&mut self, operation: &str) -> &mut Self {
        self.set(format!("operations.{operation}.arrivals"), "\"poisson\"")
    }

    /// The phases.
    pub(super) fn load(&mut self, load: Load) -> &mut Self {
        let before = |name: &str, s: f64, measured: bool| {
            format!("{{ name = \"{name}\", kind = \"hold\", duration = \"{s}s\", measured = {measured} }}")
        };
        let phases = [before("warm-up", WARM_UP_S, false), before("quiet", QUIET_S, true), load.phases()];
        self.set("phases", format!("[{}]", phases.join(", ")))
    }

    /// The thresholds.
    pub(super) fn promises(&mut self, thresholds: &[&str]) -> &mut Self {
        self.set("thresholds", format!("{thresholds:?}"))
    }

    /// Players that leave and come back, all the time: so that there are handshakes in every phase.
    pub(super) fn comings_and_goings(&mut self) -> &mut Self {
        self.set("churn.session", "\"1s to 3s\"").set("churn.pause", "\"200ms to 600ms\"")
    }

    /// The start of the loaded phase on the run's axis, which begins when players connect.
    pub(super) fn loaded_from_s(&self) -> f64 {
        f64::from(PLAYERS) / CONNECT_RATE + 1.0 + WARM_UP_S + QUIET_S
    }

    /// The same on the stack's axis.
    fn fault_from_s(&self) -> f64 {
        self.loaded_from_s() + STACK_EARLIER_S
    }

    /// A delay that is another one from the loaded phase on, as the value of a key.
    pub(super) fn delay_from_then_on(&self, before: (f64, f64), p50_ms: f64, p99_ms: f64) -> String {
        format!(
            "{{ p50_ms = {}, p99_ms = {}, fault = {{ from_s = {:.2}, p50_ms = {p50_ms:.2}, p99_ms = {p99_ms:.2} }} }}",
            before.0,
            before.1,
            self.fault_from_s()
        )
    }

    /// A rate that is there from the loaded phase on, as the value of a key.
    pub(super) fn rate_from_then_on(&self, rate: f64) -> String {
        format!("{{ rate = {rate:.3}, from_s = {:.2} }}", self.fault_from_s())
    }

    /// What takes the symptom away; said again, one more key of it.
    pub(super) fn cured_by(
        &mut self,
        what: &'static str,
        key: impl Into<String>,
        value: impl Display,
    ) -> &mut Self {
        self.cure.get_or_insert_with(|| Change::of(what)).settings.set(key, value);
        self
    }

    /// The account's concurrency, which no draw but P2's comes near, does not take the symptom away.
    pub(super) fn not_cured_by_the_accounts_concurrency(&mut self) -> &mut Self {
        self.not_cured_by("twice the account's concurrency", "lambda.account_concurrency", 2_000)
    }

    /// What does not take the symptom away.
    pub(super) fn not_cured_by(
        &mut self,
        what: &'static str,
        key: impl Into<String>,
        value: impl Display,
    ) -> &mut Self {
        self.placebo.get_or_insert_with(|| Change::of(what)).settings.set(key, value);
        self
    }

    /// The generator shares one core with busy loops.
    pub(super) fn starved(&mut self) -> &mut Self {
        self.starved = true;
        self
    }

    pub(super) fn draw(self, what: impl Into<String>, expected: Expected) -> Draw {
        let Self { scenario, profile, fault, cure, placebo, starved, case, seed } = self;
        Draw { case, seed, what: what.into(), scenario, profile, fault, starved, expected, cure, placebo }
    }
}
