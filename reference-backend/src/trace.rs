//! The stamps of a traced request: when each stage of its way through the backend began.
//!
//! A request that asks for them (`"trace":true`) carries its stamps along: the route's function writes them into the item,
//! the stream brings them to the function that pushes, and the push has them as its member `trace`. Whoever sent the request
//! can then tell where its time went, without CloudWatch and one by one. Each stage reads the clock of the machine that it
//! runs on. A request that does not ask costs nothing and looks the same as ever.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::IgnoredAny;
use serde::ser::SerializeMap;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::lenient;

/// Where a request is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// API Gateway has taken the frame (`requestContext.requestTimeEpoch`), in epoch **milliseconds**: finer it is not to be had.
    Gateway,
    /// The function of the route begins. From here on all stamps are epoch microseconds.
    Route,
    /// It is about to write the item.
    Table,
    /// Placements only: the function that is told the outcome (SNS) begins.
    Event,
    /// Placements only: it is about to write the outcome.
    Outcome,
    /// The function that pushes begins with the batch of stream records that has the item.
    Stream,
    /// The push is about to be handed to the Management API; of several attempts the last.
    Posted,
}

impl Stage {
    const ALL: [Self; 7] =
        [Self::Gateway, Self::Route, Self::Table, Self::Event, Self::Outcome, Self::Stream, Self::Posted];

    /// Its name in items and pushes.
    const fn name(self) -> &'static str {
        match self {
            Self::Gateway => "gateway",
            Self::Route => "route",
            Self::Table => "table",
            Self::Event => "event",
            Self::Outcome => "outcome",
            Self::Stream => "stream",
            Self::Posted => "posted",
        }
    }
}

/// The stamps of a request, in the order in which they were made.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Trace(Vec<(Stage, i64)>);

impl Trace {
    /// Of a request whose route's function began at `route_us`; `gateway_ms` is when API Gateway took it, 0 where it does not say.
    pub(crate) fn begin(gateway_ms: i64, route_us: i64) -> Self {
        let mut trace = Self(Vec::with_capacity(Stage::ALL.len()));
        if gateway_ms > 0 {
            trace.set(Stage::Gateway, gateway_ms);
        }
        trace.set(Stage::Route, route_us);
        trace
    }

    /// A stage begins at this epoch microsecond; one that begins again begins now.
    pub(crate) fn set(&mut self, stage: Stage, at: i64) {
        self.0.retain(|(known, _)| *known != stage);
        self.0.push((stage, at));
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.0.iter().map(|(stage, at)| (stage.name(), at))).finish()
    }
}

impl Serialize for Trace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (stage, at) in &self.0 {
            map.serialize_entry(stage.name(), at)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Trace {
    /// An attribute map has no order: stages come in that of the way. What is no stage or no number, and an attribute that is
    /// no map, says nothing; the item is read all the same.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Read {
            Map(BTreeMap<String, Whole>),
            Other(IgnoredAny),
        }
        #[derive(Deserialize)]
        struct Whole(#[serde(deserialize_with = "lenient::whole")] Option<i64>);

        let stamps = match Read::deserialize(deserializer)? {
            Read::Map(stamps) => stamps,
            Read::Other(_) => BTreeMap::new(),
        };
        let of = |stage: Stage| Some((stage, stamps.get(stage.name())?.0?));
        Ok(Self(Stage::ALL.into_iter().filter_map(of).collect()))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn stamps_come_back_from_an_item_in_the_order_of_the_way() {
        let mut trace = Trace::default();
        for (stage, at) in [(Stage::Gateway, 1), (Stage::Route, 2), (Stage::Table, 3), (Stage::Table, 4)] {
            trace.set(stage, at);
        }
        let item: serde_dynamo::Item =
            serde_dynamo::to_item(BTreeMap::from([("trace", &trace)])).expect("an item");
        let read: BTreeMap<String, Option<Trace>> = serde_dynamo::from_item(item).expect("reads");
        assert_eq!(read["trace"], Some(trace.clone()));
        let written = serde_json::to_string(&trace).expect("JSON");
        assert_eq!(written, r#"{"gateway":1,"route":2,"table":4}"#);
    }

    #[test]
    fn what_others_wrote_there_says_nothing_and_spoils_nothing() {
        let read = |value: &Value| -> Option<Trace> {
            let item: serde_dynamo::Item =
                serde_json::from_value(json!({ "trace": value })).expect("an item");
            let read: BTreeMap<String, Option<Trace>> = serde_dynamo::from_item(item).expect("never refused");
            read["trace"].clone()
        };
        for value in [
            json!({ "S": "yes" }),
            json!({ "BOOL": true }),
            json!({ "N": "7" }),
            json!({ "L": [{ "N": "1" }] }),
            json!({ "SS": ["a"] }),
            json!({ "B": "AAEC" }),
            json!({ "M": {} }),
            json!({ "M": { "dance": { "N": "1" }, "route": { "M": {} }, "table": { "NULL": true } } }),
        ] {
            assert_eq!(read(&value), Some(Trace::default()), "{value}");
        }
        assert_eq!(read(&json!({ "NULL": true })), None);
        let some = read(&json!({ "M": { "table": { "N": "2.9" }, "gateway": { "S": "1" } } }));
        assert_eq!(some.expect("a map").0, [(Stage::Gateway, 1), (Stage::Table, 2)]);
    }
}
