//! What a plan comes to: arrivals, deliveries, bytes, and what it would cost on AWS.
//!
//! Arithmetic on the plan, no measurement: failures and retries are not in it.

use std::time::Duration;

use prices::{Basis, Bill, Item};
use protocol::outline::Outline;

use crate::cost::assumptions::{self, AROUND};
use crate::cost::{self, Achieved, Counts};
use crate::explain::messages;
use crate::plan::operation::What;
use crate::plan::{Model, Plan, PlannedOperation};

/// Closed model: how long an answer is taken to take, which decides how often a player asks.
const ANSWER: Duration = Duration::from_millis(50);
/// Requests of the polling way: to begin, and one question.
const POLLED: f64 = 2.0;
/// What the push of an outcome has, in bytes.
const OUTCOME: f64 = 3.0 * AROUND;
/// Cells over which the load is summed up.
const CELLS: u32 = 1_000;

/// What a plan comes to.
#[derive(Debug, Clone, PartialEq)]
pub struct Forecast {
    /// What happens; requests of each operation, connecting first, are in the closed model an estimate.
    pub counts: Counts,
    /// Payload sent by players, in bytes.
    pub bytes_up: f64,
    /// Payload received by players, in bytes.
    pub bytes_down: f64,
}

impl Forecast {
    /// Of a plan.
    #[must_use]
    pub fn of(plan: &Plan) -> Self {
        let players = f64::from(plan.players);
        let phases = plan.end().saturating_sub(plan.phases_start()).as_secs_f64();
        let connecting = plan.phases_start().as_secs_f64();
        let requests: Vec<_> =
            plan.operations.iter().map(|planned| (planned.operation, requests(plan, planned))).collect();
        let counts = Counts {
            connection_minutes: players * (connecting / 2.0 + phases) / 60.0,
            handshakes: players,
            sockets: players,
            requests: requests.clone(),
            pushes: plan.kinds().map(|(kind, _)| (kind, 0.0)).collect(),
            seconds: phases,
            metrics_read: Counts::metrics_read_by(plan),
            ..Counts::default()
        };
        let mut forecast = Self { counts, bytes_up: 0.0, bytes_down: 0.0 };
        if let Some(beat) = plan.heartbeat().filter(|beat| beat.message) {
            // A message like any other; a ping is none.
            let beats = players * phases / beat.every.as_secs_f64();
            let down = if beat.answered { AROUND / 2.0 } else { 0.0 };
            forecast.counts.heartbeats = beats;
            forecast.exchange(messages::heartbeat_bytes(plan), down, beats);
        }
        for (operation, count) in requests {
            forecast.add(plan, plan.operation(operation), count);
        }
        forecast
    }

    fn add(&mut self, plan: &Plan, planned: &PlannedOperation, count: f64) {
        let outline = plan.protocol.outline();
        match planned.what {
            // A handshake is not a message, and a journey's steps are counted by themselves.
            What::Connect | What::Journey(_) => {}
            What::Ready => self.opening(outline, count),
            What::Request(number) | What::Poll(number) => {
                let Some(operation) = outline.operations.get(number) else { return };
                let (id, text) = (cost::id_bytes(plan), f64::from(planned.size));
                if let Some(push) = operation.push {
                    let pushes = count * plan.pushes_of(planned);
                    self.counts.pushes[push].1 += pushes;
                    let told = outline.pushes[push].work.messages * pushes;
                    let down = if operation.text { AROUND + id + text } else { OUTCOME };
                    self.exchange(0.0, down, pushes);
                    self.exchange(0.0, OUTCOME, told);
                }
                self.exchange(0.0, OUTCOME, operation.work.messages * count);
                if operation.poll {
                    self.counts.rest_requests += POLLED * count;
                    self.bytes_down += 4.0 * AROUND * count;
                } else {
                    let down = match (operation.answered, operation.text) {
                        (false, _) => 0.0,
                        (true, true) => AROUND / 2.0,
                        (true, false) => AROUND,
                    };
                    self.exchange(messages::mean_bytes(plan, planned, number), down, count);
                }
            }
        }
    }

    /// What the steps of an opening ask for, on so many sockets.
    fn opening(&mut self, protocol: &Outline, sockets: f64) {
        for step in &protocol.opening {
            let up = if step.sends { AROUND / 2.0 } else { 0.0 };
            let down = if step.awaits { AROUND } else { 0.0 };
            self.exchange(up, down, sockets);
        }
    }

    /// Messages from players and to them, so often: none where there are no bytes.
    fn exchange(&mut self, up: f64, down: f64, count: f64) {
        let units =
            |bytes: f64| if bytes > 0.0 { Item::message_units(bytes.ceil() as usize) as f64 } else { 0.0 };
        self.counts.messages += (units(up) + units(down)) * count;
        self.bytes_up += up * count;
        self.bytes_down += down * count;
    }

    /// What it would cost.
    #[must_use]
    pub fn bill(&self, plan: &Plan) -> Bill {
        let deliveries = self.counts.pushes.iter().map(|(_, count)| count).sum();
        let achieved = Achieved::of(plan, &self.counts.requests, deliveries);
        cost::bill(plan, &cost::usage(plan, &self.counts, Basis::Plan), &achieved)
    }

    /// What the estimate takes for granted.
    #[must_use]
    pub fn assumptions(plan: &Plan) -> Vec<String> {
        let prices = &plan.prices;
        let mut sentences = vec![format!(
            "List prices of {} as of {}, without free tier, discounts, data transfer and GameLift itself. The whole bill is \
             divided by what is achieved.",
            prices.region, prices.as_of
        )];
        sentences.extend(assumptions::sentences());
        sentences.push(format!(
            "Nothing fails and nothing is repeated; of the polling way one question each; in the closed model and in journeys an \
             answer takes {} ms.",
            ANSWER.as_millis()
        ));
        sentences
    }
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
    use crate::cost::Work;

    use super::*;

    fn plan(text: &str) -> Plan {
        crate::check("f.toml", text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan
    }

    fn forecast(text: &str) -> Forecast {
        Forecast::of(&plan(text))
    }

    fn work(text: &str) -> Work {
        let plan = plan(text);
        Work::of(&plan, &Forecast::of(&plan).counts)
    }

    const BASE: &str = "name = \"f\"\nplayers = 600\nphases = [{ kind = \"hold\", duration = \"60s\" }]\n\
        [sockets]\nconnect_rate = 100.0\n";

    #[test]
    fn an_idle_player_pays_for_its_minutes_and_its_coming_and_going() {
        let idle = forecast(BASE);
        // 6 s of connecting and 1 s of quiet, half of which a player sees on average; then a minute.
        assert!((idle.counts.connection_minutes - 600.0 * 63.5 / 60.0).abs() < 1e-6);
        let expected = Work { invocations: 1_800.0, writes: 2_400.0, reads: 300.0, ..Work::default() };
        assert_eq!(work(BASE), expected);
        let bill = idle.bill(&plan(BASE));
        let gb_second = 0.000_016_666_7;
        let lambda = 1_800.0 * (0.2e-6 + 0.02 * 0.25 * gb_second);
        // One environment for each of three functions; 20 series are read of each.
        let watched = 3.0 * 0.06 * 0.25 * gb_second + 3.0 * 20.0 * 0.01e-3;
        let logged = 1_800.0 * 350.0 / 1_073_741_824.0 * 0.5;
        let tables = 2_400.0 * 0.625e-6 + 300.0 * 0.125e-6;
        let by_hand = 635.0 * 0.25e-6 + lambda + tables + watched + logged;
        assert!(bill.complete && (bill.total - by_hand).abs() < 1e-9, "{} {by_hand}", bill.total);
        assert!(bill.unit_costs.is_empty(), "nothing is achieved");
    }

    #[test]
    fn a_heartbeat_costs_where_it_is_a_message() {
        let idle = work(BASE);
        assert_eq!(work(&format!("{BASE}heartbeat = \"10s\"\n")), idle);
        let beats = format!("{BASE}heartbeat = \"10s\"\nheartbeat_message = \"{{}}\"\n");
        assert!((forecast(&beats).counts.messages - 3_600.0).abs() < 1e-9);
        assert!((work(&beats).invocations - idle.invocations - 3_600.0).abs() < 1e-9);
    }

    #[test]
    fn a_message_is_two_frames_a_push_for_each_recipient_and_their_items() {
        let idle = work(BASE);
        let text = format!("{BASE}[operations.send_message]\nrate = 10.0\nfan_out = 4\n");
        let (Forecast { counts, .. }, sends) = (forecast(&text), work(&text));
        assert!((counts.pushes[0].1 - 2_400.0).abs() < 1e-9);
        assert!((counts.messages - (600.0 * 2.0 + 2_400.0)).abs() < 1e-9);
        assert!((sends.writes - idle.writes - 600.0 * 8.0).abs() < 1e-9);
        assert!((sends.reads - idle.reads - 2.0 * 0.5 * 2_400.0).abs() < 1e-9);
        // 16 batches a second for a minute are fewer than the pushes.
        assert!((sends.invocations - idle.invocations - 600.0 - 960.0).abs() < 1e-9);
        let large = work(&format!("{text}size = 30000\n"));
        assert!((large.writes - idle.writes - 600.0 * 8.0 * 30.0).abs() < 1e-9, "30 units an item");
        // 30,000 bytes of text and 200 names of 16 bytes are two messages of 32 KB; what is pushed is one.
        let many = text.replace("fan_out = 4", "fan_out = 200\nsize = 30000");
        let messages = forecast(&many).counts.messages;
        assert!((messages - 600.0 * (2.0 + 1.0 + 200.0)).abs() < 1e-9, "{messages}");
        let bill = forecast(&text).bill(&plan(&text));
        let [deliveries] = &bill.unit_costs[..] else { panic!("{:?}", bill.unit_costs) };
        assert!((deliveries.amount - bill.total / 2_400.0 * 1e6).abs() < 1e-6);
    }

    #[test]
    fn what_a_protocol_does_not_tell_of_its_backend_is_not_known() {
        let own = format!("protocol = \"chat\"\n{BASE}[operations.send_message]\nrate = 10.0\n");
        let silent = own.replace("chat", "json-rpc").replace("send_message", "say");
        let (told, silent) = (plan(&own), plan(&silent));
        assert!(Forecast::of(&told).bill(&told).complete);
        let bill = Forecast::of(&silent).bill(&silent);
        let amount = |item| bill.item(item).unwrap().amount;
        assert!(!bill.complete && amount(Item::LambdaRequests).is_none());
        assert!(amount(Item::WebsocketMessages).unwrap() > 0.0 && bill.total > 0.0);
    }

    #[test]
    fn a_polled_placement_is_a_wish_and_a_question_which_the_authorizer_sees_unless_they_are_signed() {
        let polling = "[operations.placement_poll]\nrate = 10.0\n[target]\nurl = \"wss://a.example/S\"\n\
            rest = \"https://b.example/S\"\n";
        let with = |auth: &str| plan(&format!("{BASE}{polling}[auth]\nmode = \"{auth}\"\n"));
        let (believed, signed) = (with("header"), with("sigv4"));
        for plan in [&believed, &signed] {
            let forecast = Forecast::of(plan);
            assert!((forecast.counts.rest_requests - 1_200.0).abs() < 1e-9);
            let bill = forecast.bill(plan);
            let requests = bill.item(Item::RestRequests).and_then(|line| line.amount).unwrap();
            assert!((requests - 1_200.0 * 3.5e-6).abs() < 1e-12);
            assert_eq!(bill.unit_costs[0].what, "placement_poll");
            assert!((bill.unit_costs[0].amount - bill.total / 600.0 * 1e3).abs() < 1e-9);
        }
        let of = |plan: &Plan| Work::of(plan, &Forecast::of(plan).counts).invocations;
        assert!((of(&believed) - of(&signed) - (600.0 + 1_200.0)).abs() < 1e-9, "authorizers");
    }

    #[test]
    fn the_closed_model_is_estimated_from_its_pauses() {
        let closed = "[operations.unknown_route]\nmodel = \"closed\"\nthink_time = \"950ms\"\n";
        let (_, requests) = forecast(&format!("{BASE}{closed}")).counts.requests[1];
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
        let Counts { requests, .. } = forecast(&journeys).counts;
        let requests: Vec<_> = requests.iter().map(|(_, count)| count.round()).collect();
        assert_eq!(requests[1..], [60.0 + 450.0 * 60.0 * 4.0 + 150.0 * 4.0, 450.0 * 60.0, 150.0]);
    }
}
