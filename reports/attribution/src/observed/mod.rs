//! The run as it was observed: players by second, server series by period, limits, and the path of each operation.

mod backend;
pub(crate) mod classes;
mod names;
mod players;
mod points;
mod promises;
mod resources;
mod server;

use std::borrow::Cow;

use reports::folder::RunFolder;
use reports::format::{Manifest, Phase, Summary};

pub(crate) use backend::{Backend, Function, Stage, Trigger};
pub(crate) use players::{Broken, Player, PlayerSecond};
pub(crate) use points::{Point, Points};
pub(crate) use promises::{Bound, Promise};
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
        let backend = Backend::of(&folder.manifest, &server);
        Self { folder, summary: folder.summary_or_rebuilt(), server, backend }
    }

    /// What the manifest says.
    pub(crate) fn manifest(&self) -> &'a Manifest {
        &self.folder.manifest
    }

    /// The phases whose figures count.
    pub(crate) fn measured(&self) -> impl Iterator<Item = &'a Phase> {
        self.folder.manifest.phases.iter().filter(|phase| phase.measured)
    }
}
