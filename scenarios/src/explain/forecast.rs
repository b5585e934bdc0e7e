//! What a plan comes to: arrivals, deliveries, bytes, and what it would cost on AWS.
//!
//! Arithmetic on the plan, no measurement: failures, retries and cold starts are not in it. The work of each operation and
//! each push (invocations, reads, writes) is what the protocol says of its backend; that of a handshake is the reference
//! backend's, as `reference-backend/template.yaml` deploys it.

use std::ops::AddAssign;
use std::time::Duration;

use protocol::outline::{self, Outline};

use crate::explain::{messages, prices};
use crate::plan::auth::AuthMode;
use crate::plan::operation::{Kind, Operation, What};
use crate::plan::{Model, Plan, PlannedOperation};

/// Closed model: how long an answer is taken to take, which decides how often a player asks.
const ANSWER: Duration = Duration::from_millis(50);
/// How long an invocation is taken to take, in seconds.
const INVOCATION_SECONDS: f64 = 0.02;
/// Memory of a function in gigabytes: the template's default, 256 MB.
const MEMORY_GB: f64 = 0.25;
/// Batches that a stream can hand over in a second: four shards, each polled four times.
const BATCHES_PER_SECOND: f64 = 16.0;
/// Records of a batch: the template's `BatchSize`.
const BATCH: f64 = 100.0;
/// A write unit, in bytes.
const WRITE_UNIT: f64 = 1024.0;
/// What frames and items have beside ids and text, in bytes.
const AROUND: f64 = 120.0;
/// What the push of an outcome has, in bytes.
const OUTCOME: f64 = 3.0 * AROUND;
/// Read units of an item that is read in a batch or through an index, which is eventually consistent.
const EVENTUAL_READ: f64 = 0.5;
/// Cells over which the load is summed up.
const CELLS: u32 = 1_000;

/// What some work asks of AWS.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Work {
    /// Message units in both directions.
    pub messages: f64,
    /// Requests to the REST API.
    pub rest_requests: f64,
    /// Lambda invocations.
    pub invocations: f64,
    /// Read units: a consistent read of an item (of at most 4 KB, as all are) is one, an eventually consistent one half.
    pub reads: f64,
    /// Write units, indexes included.
    pub writes: f64,
    /// SNS publishes.
    pub publishes: f64,
    /// Payload sent by players, in bytes.
    pub bytes_up: f64,
    /// Payload received by players, in bytes.
    pub bytes_down: f64,
}

impl Work {
    fn times(self, count: f64) -> Self {
        Self {
            messages: self.messages * count,
            rest_requests: self.rest_requests * count,
            invocations: self.invocations * count,
            reads: self.reads * count,
            writes: self.writes * count,
            publishes: self.publishes * count,
            bytes_up: self.bytes_up * count,
            bytes_down: self.bytes_down * count,
        }
    }

    /// What the protocol says of its backend; items that are written have so many bytes.
    fn told(work: outline::Work, item: f64) -> Self {
        Self {
            messages: work.messages,
            invocations: work.invocations,
            reads: work.reads,
            writes: work.writes * units(item, WRITE_UNIT),
            publishes: work.publishes,
            bytes_down: work.messages * OUTCOME,
            ..Self::default()
        }
    }

    /// Messages from a player, and to one: none where there are no bytes.
    fn exchange(up: f64, down: f64) -> Self {
        let messages = |bytes: f64| if bytes > 0.0 { units(bytes, prices::MESSAGE_UNIT) } else { 0.0 };
        Self { messages: messages(up) + messages(down), bytes_up: up, bytes_down: down, ..Self::default() }
    }
}

impl AddAssign for Work {
    fn add_assign(&mut self, other: Self) {
        self.messages += other.messages;
        self.rest_requests += other.rest_requests;
        self.invocations += other.invocations;
        self.reads += other.reads;
        self.writes += other.writes;
        self.publishes += other.publishes;
        self.bytes_up += other.bytes_up;
        self.bytes_down += other.bytes_down;
    }
}

/// Units that an amount begins, one at least.
fn units(amount: f64, unit: f64) -> f64 {
    (amount / unit).ceil().max(1.0)
}

/// What a plan comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// Requests of each operation, connecting first; in the closed model an estimate.
    pub requests: Vec<(Operation, f64)>,
    /// Pushes of each kind.
    pub pushes: Vec<(Kind, f64)>,
    /// Minutes that sockets are open, summed.
    pub connection_minutes: f64,
    /// Everything that is asked of AWS.
    pub work: Work,
}

/// One line of an estimate.
#[derive(Debug, Clone, PartialEq)]
pub struct Item {
    /// What is paid for.
    pub name: &'static str,
    /// How much of it.
    pub amount: f64,
    /// US dollars.
    pub dollars: f64,
}

impl Forecast {
    /// Of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let players = f64::from(plan.players);
        let phases = plan.end().saturating_sub(plan.phases_start()).as_secs_f64();
        let connecting = plan.phases_start().as_secs_f64();
        let mut forecast = Self {
            requests: plan
                .operations
                .iter()
                .map(|planned| (planned.operation, requests(plan, planned)))
                .collect(),
            pushes: plan.kinds().map(|(kind, _)| (kind, 0.0)).collect(),
            connection_minutes: players * (connecting / 2.0 + phases) / 60.0,
            work: Work::default(),
        };
        // Through the index to the record, and out of table and index.
        let leave = Work { invocations: 1.0, reads: EVENTUAL_READ, writes: 2.0, ..Work::default() };
        forecast.work += leave.times(players);
        if let Some(beat) = plan.heartbeat().filter(|beat| beat.message) {
            // A message like any other, which somebody has to read; a ping is none.
            let beats = players * phases / beat.every.as_secs_f64();
            let down = if beat.answered { AROUND / 2.0 } else { 0.0 };
            let exchange = Work::exchange(messages::heartbeat_bytes(plan), down);
            forecast.work += Work { invocations: 1.0, ..exchange }.times(beats);
        }
        for (operation, count) in forecast.requests.clone() {
            forecast.add(plan, plan.operation(operation), count, phases);
        }
        forecast
    }

    fn add(&mut self, plan: &Plan, planned: &PlannedOperation, count: f64, phases: f64) {
        // Asked with each handshake and each REST request; a signature is proven by the gateway itself.
        let authorizer = if plan.auth.mode == AuthMode::SigV4 { 0.0 } else { 1.0 };
        let outline = plan.protocol.outline();
        let work = match planned.what {
            // A handshake is not a message.
            What::Connect => Work { invocations: 1.0 + authorizer, writes: 2.0, ..Work::default() },
            What::Ready => opening(outline),
            What::Request(number) | What::Poll(number) => {
                let Some(operation) = outline.operations.get(number) else { return };
                let id = plan.player_id(plan.players.saturating_sub(1)).len() as f64;
                let text = f64::from(planned.size);
                let item = AROUND + 2.0 * id + text;
                if let Some(push) = operation.push {
                    let pushes = count * plan.pushes_of(planned);
                    self.pushes[push].1 += pushes;
                    let work = outline.pushes[push].work;
                    let down = if operation.text { AROUND + id + text } else { OUTCOME };
                    self.work += Work::told(work, item).times(pushes);
                    self.work += Work::exchange(0.0, down).times(pushes);
                    self.work += stream(work.stream_records * pushes, phases);
                }
                self.work += stream(operation.work.stream_records * count, phases);
                self.work += Work::told(operation.work, item).times(count);
                if operation.poll {
                    let rest_requests = 2.0;
                    let invocations = rest_requests * authorizer;
                    Work { rest_requests, invocations, bytes_down: 4.0 * AROUND, ..Work::default() }
                } else {
                    let down = match (operation.answered, operation.text) {
                        (false, _) => 0.0,
                        (true, true) => AROUND / 2.0,
                        (true, false) => AROUND,
                    };
                    Work::exchange(messages::mean_bytes(plan, planned, number), down)
                }
            }
            What::Journey(_) => return,
        };
        self.work += work.times(count);
    }

    /// What it would cost, item by item.
    #[must_use]
    pub fn cost(&self) -> Vec<Item> {
        let work = &self.work;
        let item = |name, amount: f64, price: f64| Item { name, amount, dollars: amount * price };
        vec![
            item("connection minutes", self.connection_minutes, prices::CONNECTION_MINUTE),
            item("WebSocket messages", work.messages, prices::MESSAGE),
            item("REST requests", work.rest_requests, prices::REST_REQUEST),
            item("Lambda requests", work.invocations, prices::INVOCATION),
            item("Lambda GB-seconds", work.invocations * INVOCATION_SECONDS * MEMORY_GB, prices::GB_SECOND),
            item("DynamoDB write units", work.writes, prices::WRITE_UNIT),
            item("DynamoDB read units", work.reads, prices::READ_UNIT),
            item("SNS publishes", work.publishes, prices::PUBLISH),
        ]
    }

    /// What the estimate takes for granted.
    #[must_use]
    pub fn assumptions() -> Vec<String> {
        vec![
            format!(
                "List prices of {} as of {}, without free tier, discounts, logs, data transfer and GameLift itself.",
                prices::REGION,
                prices::AS_OF
            ),
            format!(
                "The backend's work as the protocol says, with a function for each operation: {MEMORY_GB} GB, {:.0} ms an invocation; \
                 on-demand tables with one index each; at most {BATCHES_PER_SECOND:.0} stream batches a second.",
                INVOCATION_SECONDS * 1e3
            ),
            format!(
                "Nothing fails and nothing is repeated; of the polling way one question each; in the closed model and in \
                 journeys an answer takes {} ms.",
                ANSWER.as_millis()
            ),
        ]
    }
}

/// What the steps of an opening ask for, on one socket.
fn opening(protocol: &Outline) -> Work {
    let mut work = Work::default();
    for step in &protocol.opening {
        let (up, down) =
            (if step.sends { AROUND / 2.0 } else { 0.0 }, if step.awaits { AROUND } else { 0.0 });
        let invocations = if step.sends { 1.0 } else { 0.0 };
        work += Work { invocations, ..Work::exchange(up, down) };
    }
    work
}

/// A stream's invocations for so many records.
fn stream(records: f64, seconds: f64) -> Work {
    let batches = (records / BATCH).max(BATCHES_PER_SECOND * seconds);
    Work { invocations: records.min(batches), ..Work::default() }
}

/// Requests of an operation: planned, or in the closed model and in journeys estimated.
fn requests(plan: &Plan, planned: &PlannedOperation) -> f64 {
    if planned.what == What::Ready {
        return f64::from(plan.players);
    }
    let (start, end) = (plan.phases_start(), plan.end());
    match planned.model {
        Model::Open => planned.arrivals() as f64 + by_journeys(plan, planned, start, end),
        Model::Closed { .. } => between(plan, planned, start, end),
    }
}

/// Requests of an operation between two offsets; in the closed model each player that the load calls for asks once
/// in every answer and pause.
#[must_use]
pub fn between(plan: &Plan, planned: &PlannedOperation, from: Duration, to: Duration) -> f64 {
    let Model::Closed { think } = planned.model else {
        return planned.between(from, to) + by_journeys(plan, planned, from, to);
    };
    let answer = if plan.is_answered(planned) { ANSWER } else { Duration::ZERO };
    f64::from(plan.players) * busy(plan, from, to) / (think.mean() + answer).as_secs_f64().max(1e-3)
}

/// Seconds between two offsets for which the load calls for a player, on average.
fn busy(plan: &Plan, from: Duration, to: Duration) -> f64 {
    let cell = to.saturating_sub(from) / CELLS;
    let middle = |index: u32| from + cell * index + cell / 2;
    (0..CELLS).map(|index| plan.load_at(middle(index)).min(1.0)).sum::<f64>() * cell.as_secs_f64()
}

/// How often players on journeys do an operation between two offsets: in every round of a journey that is looped, and else
/// once in its length from the first phase on.
fn by_journeys(plan: &Plan, planned: &PlannedOperation, from: Duration, to: Duration) -> f64 {
    let done = plan.journeys.shares().map(|(share, journey)| {
        let times = journey.mean_times(planned.operation);
        let round = journey.mean_length(ANSWER).as_secs_f64();
        if times == 0.0 || round == 0.0 {
            return 0.0;
        }
        let travelling = if journey.repeats {
            busy(plan, from, to)
        } else {
            let start = plan.phases_start().as_secs_f64();
            let (from, to) = (from.as_secs_f64().max(start), to.as_secs_f64().min(start + round));
            (to - from).max(0.0)
        };
        share.size() as f64 * times * travelling / round
    });
    done.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(text: &str) -> Forecast {
        Forecast::of(&crate::check("f.toml", text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan)
    }

    const BASE: &str = "name = \"f\"\nplayers = 600\nphases = [{ kind = \"hold\", duration = \"60s\" }]\n\
        [sockets]\nconnect_rate = 100.0\n";

    #[test]
    fn an_idle_player_pays_for_its_minutes_and_its_coming_and_going() {
        let idle = forecast(BASE);
        // 6 s of connecting and 1 s of quiet, half of which a player sees on average; then a minute.
        assert!((idle.connection_minutes - 600.0 * 63.5 / 60.0).abs() < 1e-6);
        let expected = Work { invocations: 1_800.0, writes: 2_400.0, reads: 300.0, ..Work::default() };
        assert_eq!(idle.work, expected);
        let dollars: f64 = idle.cost().iter().map(|item| item.dollars).sum();
        let lambda = 1_800.0 * (0.2e-6 + 0.02 * 0.25 * 0.000_016_666_7);
        let by_hand = 635.0 * 0.25e-6 + lambda + 2_400.0 * 0.625e-6 + 300.0 * 0.125e-6;
        assert!((dollars - by_hand).abs() < 1e-9, "{dollars} {by_hand}");
    }

    #[test]
    fn a_heartbeat_costs_where_it_is_a_message() {
        let idle = forecast(BASE);
        assert_eq!(forecast(&format!("{BASE}heartbeat = \"10s\"\n")).work, idle.work);
        let beats = forecast(&format!("{BASE}heartbeat = \"10s\"\nheartbeat_message = \"{{}}\"\n"));
        assert!((beats.work.messages - 3_600.0).abs() < 1e-9);
        assert!((beats.work.invocations - idle.work.invocations - 3_600.0).abs() < 1e-9);
    }

    #[test]
    fn a_message_is_two_frames_a_push_for_each_recipient_and_their_items() {
        let idle = forecast(BASE);
        let sends = forecast(&format!("{BASE}[operations.send_message]\nrate = 10.0\nfan_out = 4\n"));
        assert!((sends.pushes[0].1 - 2_400.0).abs() < 1e-9);
        assert!((sends.work.messages - (600.0 * 2.0 + 2_400.0)).abs() < 1e-9);
        assert!((sends.work.writes - idle.work.writes - 600.0 * 8.0).abs() < 1e-9);
        assert!((sends.work.reads - idle.work.reads - 2.0 * 0.5 * 2_400.0).abs() < 1e-9);
        // 16 batches a second for a minute are fewer than the pushes.
        assert!((sends.work.invocations - idle.work.invocations - 600.0 - 960.0).abs() < 1e-9);
        let large =
            forecast(&format!("{BASE}[operations.send_message]\nrate = 10.0\nfan_out = 4\nsize = 30000\n"));
        assert!((large.work.writes - idle.work.writes - 600.0 * 8.0 * 30.0).abs() < 1e-9, "30 units an item");
    }

    #[test]
    fn a_polled_placement_is_a_wish_and_a_question_which_the_authorizer_sees_unless_they_are_signed() {
        let polling = "[operations.placement_poll]\nrate = 10.0\n[target]\nurl = \"wss://a.example/S\"\n\
            rest = \"https://b.example/S\"\n";
        let with = |auth: &str| forecast(&format!("{BASE}{polling}[auth]\nmode = \"{auth}\"\n"));
        let (believed, signed) = (with("header"), with("sigv4"));
        let price = |forecast: &Forecast| {
            forecast.cost().into_iter().find(|item| item.name == "REST requests").map(|item| item.dollars)
        };
        for forecast in [&believed, &signed] {
            assert!((forecast.work.rest_requests - 1_200.0).abs() < 1e-9);
            assert!((price(forecast).unwrap() - 1_200.0 * 3.5e-6).abs() < 1e-12);
        }
        let authorizers = 600.0 + 1_200.0;
        assert!((believed.work.invocations - signed.work.invocations - authorizers).abs() < 1e-9);
    }

    #[test]
    fn the_closed_model_is_estimated_from_its_pauses() {
        let closed = "[operations.unknown_route]\nmodel = \"closed\"\nthink_time = \"950ms\"\n";
        let (_, requests) = forecast(&format!("{BASE}{closed}")).requests[1];
        assert!((requests - 36_000.0).abs() < 1.0, "{requests}");
    }

    #[test]
    fn what_journeys_do_is_estimated_from_their_pauses() {
        // Four answers of 50 ms and three pauses of 100 ms, then 500 ms: a round a second.
        let steps =
            r#"steps = [{ do = "unknown_route", times = "3 to 5", pause = "100ms" }, { pause = "500ms" }]"#;
        let journeys = format!(
            "{BASE}[operations.unknown_route]\nrate = 1.0\n[[journeys]]\nname = \"again\"\nweight = 3\n{steps}\n\
             [[journeys]]\nname = \"once\"\nloop = false\n{steps}\n"
        );
        let requests: Vec<_> = forecast(&journeys).requests.iter().map(|(_, count)| count.round()).collect();
        assert_eq!(requests[1..], [60.0 + 450.0 * 60.0 * 4.0 + 150.0 * 4.0, 450.0 * 60.0, 150.0]);
    }
}
