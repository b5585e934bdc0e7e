//! Background tasks that stop when their value is dropped.

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

    /// Creates it with a first task.
    pub fn with(task: impl Future<Output = ()> + Send + 'static) -> Self {
        let mut background = Self::default();
        background.spawn(task);
        background
    }

    /// Waits until every task has ended.
    pub(crate) async fn join(&mut self) {
        while self.0.join_next().await.is_some() {}
    }
}
