//! Tasks of the local stack that run by themselves, tied to the value that stands for them.

use std::future::Future;

use tokio::task::JoinSet;

/// Tasks that stop when this is dropped.
#[derive(Debug, Default)]
#[must_use = "dropping it stops what runs in the background"]
pub struct Background(JoinSet<()>);

impl Background {
    /// Starts one more task; must be called inside a tokio runtime.
    pub fn spawn(&mut self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    /// The same with a first task.
    pub fn with(task: impl Future<Output = ()> + Send + 'static) -> Self {
        let mut background = Self::default();
        background.spawn(task);
        background
    }

    /// Waits until every task has ended by itself.
    pub(crate) async fn join(&mut self) {
        while self.0.join_next().await.is_some() {}
    }
}
