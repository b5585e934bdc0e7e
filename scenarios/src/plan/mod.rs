//! The checked plan: phases on one axis, arrivals as pure functions of an index.
//!
//! The axis starts with the `connect` phase (players ÷ connect rate), then a second to settle, then the
//! scenario's phases.

pub mod arrivals;
pub mod auth;
pub mod columns;
pub mod curve;
pub mod disruptions;
pub(crate) mod example;
pub mod expiry;
pub mod feeder;
pub mod journey;
pub mod ledger;
pub mod mint;
pub mod operation;
pub mod parameter;
pub mod rooms;
pub mod shard;
pub mod share;
pub mod threshold;
pub mod way;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use prices::PriceList;
use protocol::Protocol;
use protocol::outline::{Audience, Resources, Tie};
use url::Url;

use crate::keys::draw::Draw;
use crate::plan::arrivals::{Arrivals, Cursor};
pub use crate::plan::auth::Auth;
use crate::plan::columns::{Feeders, Occasion};
use crate::plan::curve::Curve;
pub use crate::plan::disruptions::Disruptions;
use crate::plan::journey::{Journey, Journeys};
use crate::plan::ledger::Ledger;
use crate::plan::operation::{Kind, Operation, What};
use crate::plan::parameter::Parameter;
use crate::plan::rooms::Rooms;
use crate::plan::shard::Shard;
use crate::plan::threshold::Threshold;
pub use crate::plan::way::Way;

/// Largest message that API Gateway takes, in bytes.
pub const MAX_MESSAGE_BYTES: u64 = 128 * 1024;

/// How often players are looked at: for what is overdue, and to wake slow readers, which cannot be woken sooner.
pub const SWEEP: Duration = Duration::from_millis(20);

/// What will run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The scenario's name.
    pub name: String,
    /// Number of players.
    pub players: u32,
    /// Seed of every random choice.
    pub seed: u64,
    /// What is tested.
    pub target: Target,
    /// The way to the target.
    pub way: Way,
    /// How players prove who they are.
    pub auth: Auth,
    /// How long a handshake may take.
    pub connect_timeout: Duration,
    /// Players that one goose user drives.
    pub players_per_goose_user: u32,
    /// Local addresses to open sockets from; empty: the system chooses.
    pub source_addresses: Vec<IpAddr>,
    /// How the target talks.
    pub protocol: Arc<dyn Protocol>,
    /// The phases of the run's axis, `connect` first, without gaps.
    pub phases: Vec<PlannedPhase>,
    /// What players do: `connect`, then `ready` where the protocol has an opening, then what the scenario asks for, in the
    /// protocol's order.
    pub operations: Vec<PlannedOperation>,
    /// What the protocol pushes to players, whether or not the plan has the operation that leads to it.
    pub pushes: Vec<PlannedPush>,
    /// Where operations are polled, if any are.
    pub poll: Option<Poll>,
    /// How long after its time-out a push still counts as late; what has not come then is lost.
    pub grace: Duration,
    /// The operation of each of the protocol's, by number.
    pub(crate) requested: Vec<Option<Operation>>,
    /// The load factor over the phases.
    pub(crate) load: Curve,
    /// Longest message that a player takes.
    pub max_message_bytes: u32,
    /// Values from files for what players send.
    pub feeders: Feeders,
    /// Who is in which room.
    pub rooms: Rooms,
    /// What players do in order, where they do.
    pub journeys: Journeys,
    /// Players that leave and come back, and disruptions.
    pub disruptions: Disruptions,
    /// Rules with a verdict.
    pub thresholds: Vec<Threshold>,
    /// Names of the phases that rules look at, each with a [`Ledger`] of its own, in the order of these.
    pub judged_phases: Vec<String>,
    /// Which functions and tables do the work of which operation.
    pub topology: Topology,
    /// Which server-side series are fetched; `None`: none.
    pub cloudwatch: Option<CloudWatch>,
    /// What AWS asks.
    pub prices: Arc<PriceList>,
}

/// What is tested.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// The embedded backend with a profile: a built-in name, a file, or one that ships ([`crate::file::shipped::profile`]).
    Embedded {
        /// `instant`, `aws-like`, or a path.
        profile: String,
    },
    /// Anything that speaks the protocol.
    Url(Url),
}

/// A phase of the run's axis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPhase {
    /// Name.
    pub name: String,
    /// Start, from the run's start.
    pub start: Duration,
    /// End, from the run's start.
    pub end: Duration,
    /// Whether its figures count for the summary.
    pub measured: bool,
    /// Where its arrivals are booked.
    pub ledger: Ledger,
}

impl PlannedPhase {
    /// A phase that no rule looks at by itself.
    pub(crate) const fn new(name: String, start: Duration, end: Duration, measured: bool) -> Self {
        let ledger = if measured { Ledger::MEASURED } else { Ledger::WARM_UP };
        Self { name, start, end, measured, ledger }
    }
}

/// An operation with its arrivals.
#[derive(Debug, Clone, PartialEq)]
pub struct PlannedOperation {
    /// Its number in the plan.
    pub operation: Operation,
    /// Its name.
    pub name: Arc<str>,
    /// What it is.
    pub what: What,
    /// Arrivals per second at load 1; 0 where there is no such rate.
    pub rate: f64,
    /// How long the answer may take.
    pub timeout: Duration,
    /// Whether arrivals wait for answers.
    pub model: Model,
    /// How many players a message names, drawn evenly; one where it names none.
    pub fan_out: RangeInclusive<u32>,
    /// Length in bytes of the text that a message holds; 0 where it holds none.
    pub size: u32,
    /// Where it is polled: the pause between an answer and the next question.
    pub every: Duration,
    /// What the protocol's parameters of it are set to, by name; all of them.
    pub parameters: BTreeMap<String, Parameter>,
    /// Whether players do it by themselves, too, beside its arrivals.
    pub of_itself: bool,
    pub(crate) arrivals: Arrivals,
}

/// What keeps a quiet socket open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beat {
    /// How often it is sent.
    pub every: Duration,
    /// Whether it is a message; else it is a ping frame.
    pub message: bool,
    /// Whether a message answers it.
    pub answered: bool,
}

/// A kind of push.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedPush {
    /// Its name.
    pub name: Arc<str>,
    /// The name of the operation that leads to it.
    pub operation_name: Arc<str>,
    /// That operation, if the plan has it; else nothing is expected.
    pub operation: Option<Operation>,
    /// Its number in the protocol.
    pub push: usize,
    /// After how long it is no longer in time.
    pub timeout: Duration,
}

/// Whether arrivals wait for answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Model {
    /// They come when the plan says.
    Open,
    /// Each player sends, waits for the answer, thinks, and sends again.
    Closed {
        /// The pause between an answer and the next request.
        think: Draw,
    },
}

impl PlannedOperation {
    /// The pause between an answer and a player's next request, in the closed model.
    #[must_use]
    pub const fn think(&self) -> Option<Draw> {
        match self.model {
            Model::Open => None,
            Model::Closed { think } => Some(think),
        }
    }

    /// Recipients of a message on average.
    #[must_use]
    pub fn mean_fan_out(&self) -> f64 {
        f64::midpoint(f64::from(*self.fan_out.start()), f64::from(*self.fan_out.end()))
    }

    /// How many arrivals are due before an offset from the run's start.
    #[must_use]
    pub fn before(&self, offset: Duration) -> u64 {
        self.arrivals.before(offset)
    }

    /// Has it done at these offsets from the run's start, and not at its rate.
    pub fn do_at(&mut self, offsets: Vec<Duration>) {
        self.rate = 0.0;
        self.arrivals = Arrivals::recorded(offsets);
    }

    /// Number of arrivals that the plan calls for; none in the closed model, where answers decide.
    #[must_use]
    pub fn arrivals(&self) -> u64 {
        self.arrivals.count()
    }

    /// When arrival `index` is due, from the run's start; `None` past the end.
    #[must_use]
    pub fn due(&self, index: u64) -> Option<Duration> {
        self.arrivals.due(index)
    }

    /// A worker's arrivals in order, each with its index.
    #[must_use]
    pub const fn of(&self, shard: Shard) -> Cursor<'_> {
        self.arrivals.of(shard)
    }

    /// The number of arrivals expected between two offsets from the run's start.
    #[must_use]
    pub fn between(&self, from: Duration, to: Duration) -> f64 {
        self.arrivals.between(from, to)
    }
}

/// Where operations are polled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Poll {
    /// The target's REST API; `None`: the embedded backend's.
    pub rest: Option<Url>,
}

/// What is declared of the backend that does the work.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Topology {
    /// By operation of the plan, `connect` among them.
    pub operations: BTreeMap<String, Resources>,
    /// By delivery: the operation that it comes of.
    pub deliveries: BTreeMap<String, String>,
}

/// Which server-side series are fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudWatch {
    /// Endpoint instead of AWS; `None` with the embedded target: the embedded backend's.
    pub endpoint: Option<Url>,
    /// AWS region.
    pub region: Option<String>,
    /// Full function names; empty: what `ListMetrics` shows.
    pub functions: Vec<String>,
    /// Only functions whose name begins so.
    pub function_prefix: String,
    /// Length of a period in seconds.
    pub period_s: u32,
    /// Whether the functions' logs are read as well.
    pub logs: bool,
}

impl Plan {
    /// When the last arrival may be due, from the run's start.
    #[must_use]
    pub fn end(&self) -> Duration {
        self.phases.last().map_or(Duration::ZERO, |phase| phase.end)
    }

    /// How long after [`end`](Self::end) an answer or a push may still be awaited.
    #[must_use]
    pub fn drain(&self) -> Duration {
        // A journey ends with the run at the latest, and is not awaited.
        let awaited = self.operations.iter().filter(|planned| !matches!(planned.what, What::Journey(_)));
        let answers = awaited.map(|planned| planned.timeout).max().unwrap_or_default();
        let pushes = self.pushes.iter().filter(|push| push.operation.is_some());
        let pushes = pushes.map(|push| push.timeout + self.grace).max().unwrap_or_default();
        answers.max(pushes)
    }

    /// How long after its send a push that has not come is lost: its time-out and the grace.
    #[must_use]
    pub fn lost_after(&self, kind: Kind) -> Duration {
        self.pushes[kind.index()].timeout + self.grace
    }

    /// The phase at an offset; past the end, the last.
    ///
    /// # Panics
    /// Never: a plan has a `connect` phase.
    #[must_use]
    pub fn phase_at(&self, offset: Duration) -> &PlannedPhase {
        let after = self.phases.partition_point(|phase| phase.end <= offset);
        &self.phases[after.min(self.phases.len() - 1)]
    }

    /// The load factor at an offset from the run's start: what arrival rates, and the share of players in the closed
    /// model, are multiplied with.
    #[must_use]
    pub fn load_at(&self, offset: Duration) -> f64 {
        self.load.at(offset)
    }

    /// When the first phase begins, after everyone has connected.
    #[must_use]
    pub fn phases_start(&self) -> Duration {
        self.phases.first().map_or(Duration::ZERO, |phase| phase.end)
    }

    /// An operation of this plan.
    ///
    /// # Panics
    /// Where the number is another plan's.
    #[must_use]
    pub fn operation(&self, operation: Operation) -> &PlannedOperation {
        &self.operations[operation.index()]
    }

    /// The operation of a name, if the plan has it.
    #[must_use]
    pub fn operation_named(&self, name: &str) -> Option<Operation> {
        self.operations.iter().find(|planned| *planned.name == *name).map(|planned| planned.operation)
    }

    /// How many players leave and come back: by churn, or on their journeys.
    #[must_use]
    pub fn leaving(&self) -> u64 {
        let travelling = self.journeys.shares().filter(|(_, journey)| journey.leaves());
        let travelling = travelling.flat_map(|(share, _)| share.members());
        let travelling = travelling.filter(|&player| !self.disruptions.is_unusual(player)).count();
        self.disruptions.churning() + travelling as u64
    }

    /// The journey of a player; none for one that reads slowly or falls silent.
    #[must_use]
    pub fn journey_of(&self, player: u32) -> Option<&Journey> {
        self.journeys.of(player).filter(|_| !self.disruptions.is_unusual(player))
    }

    /// The operation of a number in the protocol, if the plan has it.
    #[must_use]
    pub fn requested(&self, number: usize) -> Option<Operation> {
        self.requested.get(number).copied().flatten()
    }

    /// What the protocol's opening counts as, where it has one.
    #[must_use]
    pub fn ready(&self) -> Option<Operation> {
        self.operations.iter().find(|planned| planned.what == What::Ready).map(|planned| planned.operation)
    }

    /// The push that an operation leads to.
    #[must_use]
    pub fn push_of(&self, operation: Operation) -> Option<Kind> {
        match self.operation(operation).what {
            What::Request(number) | What::Poll(number) => {
                self.protocol.outline().operations.get(number)?.push.map(Kind::of)
            }
            What::Connect | What::Ready | What::Journey(_) => None,
        }
    }

    /// What a parameter of an operation is set to for a send: arrival `index` of it, by this player.
    #[must_use]
    pub fn parameter<'p>(
        &'p self,
        planned: &'p PlannedOperation,
        name: &str,
        player: u32,
        index: u64,
    ) -> Option<Cow<'p, str>> {
        let occasion = Occasion { player, what: planned.what, index };
        Some(planned.parameters.get(name)?.value(&self.feeders, self.seed, occasion))
    }

    /// Whether an operation is answered, so that something is awaited.
    #[must_use]
    pub fn is_answered(&self, planned: &PlannedOperation) -> bool {
        match planned.what {
            What::Request(number) | What::Poll(number) => {
                let operation = self.protocol.outline().operations.get(number);
                operation.is_some_and(|operation| operation.answered || operation.poll)
            }
            What::Connect | What::Ready | What::Journey(_) => true,
        }
    }

    /// What keeps a quiet socket open: what the scenario says, else what the protocol does.
    #[must_use]
    pub fn heartbeat(&self) -> Option<Beat> {
        let own = self.way.heartbeat.as_ref();
        let own =
            own.map(|beat| Beat { every: beat.every, message: beat.message.is_some(), answered: false });
        let of_protocol = || {
            let beat = self.protocol.outline().heartbeat.as_ref()?;
            Some(Beat { every: beat.every, message: beat.sends, answered: beat.answered && beat.sends })
        };
        own.or_else(of_protocol)
    }

    /// How many players get a push of each send of an operation, on average: what is expected to be delivered.
    #[must_use]
    pub fn pushes_of(&self, planned: &PlannedOperation) -> f64 {
        let outline = self.protocol.outline();
        let number = match planned.what {
            What::Request(number) | What::Poll(number) => number,
            What::Connect | What::Ready | What::Journey(_) => return 0.0,
        };
        let push = outline.operations.get(number).and_then(|operation| outline.pushes.get(operation.push?));
        let Some(push) = push else { return 0.0 };
        let others = |players: f64| if push.sender { players } else { players - 1.0 };
        match (push.tie, push.to) {
            (Tie::Player, _) | (_, Audience::Sender) => 1.0,
            (_, Audience::Recipients) => planned.mean_fan_out(),
            (_, Audience::Room) => others(self.rooms.mean_size()),
            (_, Audience::Everyone) => others(f64::from(self.players)),
        }
    }

    /// The name of an operation of this plan.
    #[must_use]
    pub fn name(&self, operation: Operation) -> &str {
        &self.operation(operation).name
    }

    /// The name of a push of this plan.
    #[must_use]
    pub fn push_name(&self, kind: Kind) -> &str {
        &self.pushes[kind.index()].name
    }

    /// The kinds of pushes with what leads to them.
    pub fn kinds(&self) -> impl Iterator<Item = (Kind, &PlannedPush)> {
        self.pushes.iter().enumerate().map(|(index, push)| (Kind::of(index), push))
    }

    /// Player number → id.
    #[must_use]
    pub fn player_id(&self, number: u32) -> String {
        self.auth.ids.id(number)
    }
}
