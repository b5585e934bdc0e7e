//! The run folder's data format: what `loadgen` writes and every report reads, a module for each file.
//!
//! This is the project's stable contract (see `docs/run-folder.md`). A change of meaning needs a new
//! [`SCHEMA_VERSION`] and a changelog entry. All times inside latency objects are **microseconds**; all
//! instants are UTC in RFC 3339; all offsets (`t`, `start_s`, `end_s`) are seconds since the run's start.

pub mod capacity;
mod cloudwatch;
pub mod comparison;
mod correlation;
mod cost;
pub mod cut_off;
mod document;
pub mod experiment;
pub mod history;
mod hops;
mod interval;
mod latency;
mod limits;
mod manifest;
mod run;
mod schema;
mod series;
mod skip;
mod status;
mod summary;
mod topology;

pub(crate) use document::Document;

pub use cloudwatch::{CloudWatch, CloudWatchSeries, FetchCost, SeriesStatus};
pub use correlation::*;
pub use cost::{Cost, CostBasis, CostItem, CostTier, Known, UnitCost};
pub use document::{OLDEST_SCHEMA_VERSION, SCHEMA_VERSION};
pub use hops::{DeliveryHops, Hop, HopClock, HopSecond, Hops};
pub use interval::wilson;
pub use latency::Latency;
pub use limits::{Limit, LimitKind, Mapping, Route, Subscription, Wiring};
pub use manifest::{Host, Manifest, Phase};
pub use run::{Run, RunState};
pub use schema::json_schemas;
pub use series::{DeliverySecond, ErrorSample, GeneratorSecond, OperationSecond, SeriesLine, SocketsSecond};
pub use status::Status;
pub use summary::*;
pub use topology::{Topology, Work};
