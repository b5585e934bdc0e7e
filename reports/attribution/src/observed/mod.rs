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

use reports::folder::RunFolder;
use reports::format::{Manifest, Phase, Summary};

use crate::interval::Interval;

pub(crate) use backend::{Backend, Function, Stage, Trigger};
pub(crate) use players::{Broken, Player, PlayerSecond};
pub(crate) use points::{Point, Points};
pub(crate) use promises::{Bound, Promise, quantile};
pub(crate) use resources::Latency;
pub(crate) use server::{Metric, Server};

/// A run folder, ready to be asked.
pub(crate) struct Run<'a> {
    /// The folder.
    pub(crate) folder: &'a RunFolder,
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

    /// How long players were observed.
    pub(crate) fn window(&self) -> Interval {
        let last = self.folder.series.last().map_or(0.0, |line| line.t as f64 + 1.0);
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
    /// its table is.
    pub(crate) fn is_on_path(&self, player: &Player, stage: &Stage) -> bool {
        match stage {
            Stage::Gateway | Stage::Account | Stage::Network | Stage::Generator => true,
            Stage::Table(name) => {
                let table = name.split('/').next().unwrap_or(name);
                self.path(player).iter().any(|on| matches!(on, Stage::Table(other) if other == table))
            }
            _ => self.path(player).contains(stage),
        }
    }

    /// The phases whose figures count.
    pub(crate) fn measured(&self) -> impl Iterator<Item = &'a Phase> {
        self.folder.manifest.phases.iter().filter(|phase| phase.measured)
    }
}
