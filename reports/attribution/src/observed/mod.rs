//! The run as it was observed: players by second, server series by period, limits, and the path of each operation.

mod backend;
pub(crate) mod classes;
mod discovery;
mod names;
mod players;
mod points;
mod promises;
mod resources;
mod server;

use std::borrow::Cow;

use hdrhistogram::Histogram;
use reports::folder::{self, RunFolder};
use reports::format::{Manifest, Phase, SeriesLine, Summary};

use crate::interval::Interval;

pub(crate) use backend::{Backend, Function, Stage, Trigger};
pub(crate) use players::{Broken, Player, PlayerSecond};
pub(crate) use points::{Point, Points};
pub(crate) use promises::{Bound, Promise, quantile};
pub(crate) use resources::Latency;
pub(crate) use server::{Metric, Server};

/// A run folder, ready to be asked.
pub(crate) struct Run<'a> {
    /// The folder: what is read of it is read here.
    folder: &'a RunFolder,
    /// Its summary.
    pub(crate) summary: Cow<'a, Summary>,
    /// The server's series and limits.
    pub(crate) server: Server<'a>,
    /// What the backend is made of.
    pub(crate) backend: Backend,
}

impl<'a> Run<'a> {
    pub(crate) fn of(folder: &'a RunFolder) -> Self {
        let server = Server::of(folder.cloudwatch.as_ref());
        let mut backend = Backend::of(&folder.manifest, &server);
        if !backend.declared {
            let (operations, deliveries) = discovery::discover(folder, &server, &backend.functions);
            for (name, path) in operations {
                // What a route's name tells is surer than counts.
                if backend.path_of(&name).is_none() {
                    backend.operations.insert(name, path);
                }
            }
            backend.deliveries.extend(deliveries);
        }
        Self { folder, summary: folder.summary_or_rebuilt(), server, backend }
    }

    /// What the manifest says.
    pub(crate) fn manifest(&self) -> &'a Manifest {
        &self.folder.manifest
    }

    /// The run second by second, as players and generator counted it.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &'a SeriesLine> + use<'a> {
        self.folder.series.iter()
    }

    /// The times of `latency.hlog` whose tag is wanted, interval by interval; those that cannot be read are left out.
    pub(crate) fn intervals_of(
        &self,
        wanted: impl Fn(&str) -> bool,
    ) -> impl Iterator<Item = folder::Interval<'a>> {
        self.folder.intervals_of(wanted).flatten()
    }

    /// All times of a tag.
    pub(crate) fn histogram(&self, tag: &str) -> Option<&'a Histogram<u64>> {
        self.folder.histograms.get(tag)
    }

    /// How long players were observed.
    pub(crate) fn window(&self) -> Interval {
        let last = self.lines().last().map_or(0.0, |line| line.t as f64 + 1.0);
        Interval { from_s: 0.0, to_s: last }
    }

    /// The path of what a symptom is of; empty where it is not known.
    pub(crate) fn path(&self, player: &Player) -> &[Stage] {
        let path = match player {
            Player::Operation(name) => self.backend.path_of(name),
            Player::Delivery(name) => self.backend.deliveries.get(name),
        };
        path.map_or(&[], Vec::as_slice)
    }

    /// Whether a stage is on the path of a player. Gateway, account, network and generator are on every path, an index where
    /// its table is, and every table where functions were found and nobody declared what they use.
    pub(crate) fn is_on_path(&self, player: &Player, stage: &Stage) -> bool {
        match stage {
            Stage::Gateway | Stage::Account | Stage::Network | Stage::Generator => true,
            Stage::Table(name) => {
                let table = name.split('/').next().unwrap_or(name);
                let path = self.path(player);
                let is_named = path.iter().any(|on| matches!(on, Stage::Table(other) if other == table));
                // An undeclared path has functions only: any table may be theirs.
                is_named || (!self.backend.declared && path.iter().any(|on| matches!(on, Stage::Function(_))))
            }
            _ => self.path(player).contains(stage),
        }
    }

    /// The phases whose figures count.
    pub(crate) fn measured(&self) -> impl Iterator<Item = &'a Phase> {
        self.folder.manifest.phases.iter().filter(|phase| phase.measured)
    }
}
