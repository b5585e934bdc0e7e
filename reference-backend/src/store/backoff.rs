//! Retries of throttled table operations.

use std::future::Future;
use std::time::Duration;

use super::StoreError;
use crate::function::Table;
use crate::ports::TableError;

/// Exponential backoff with full jitter: before retry *n* (from 0) it sleeps a uniformly random time between
/// zero and min(`cap`, `base` · 2ⁿ).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Upper bound of the first sleep.
    pub base: Duration,
    /// Upper bound of every sleep.
    pub cap: Duration,
    /// Maximum number of attempts, including the first.
    pub attempts: u32,
}

impl Default for Backoff {
    /// Eight attempts within at most 2.4 s, so that a Lambda with a time-out of 10 s can still answer.
    fn default() -> Self {
        Self { base: Duration::from_millis(25), cap: Duration::from_millis(800), attempts: 8 }
    }
}

impl Backoff {
    /// No retry at all.
    #[must_use]
    pub const fn once(self) -> Self {
        Self { attempts: 1, ..self }
    }

    /// The same number of attempts with pauses twice as long.
    #[must_use]
    pub fn longer(self) -> Self {
        Self { base: self.base.saturating_mul(2), cap: self.cap.saturating_mul(2), ..self }
    }

    /// Sleeps before retry `retry`.
    pub async fn sleep(&self, retry: u32) {
        let bound = self.base.saturating_mul(2_u32.saturating_pow(retry)).min(self.cap);
        if !bound.is_zero() {
            tokio::time::sleep(bound.mul_f64(rand::random::<f64>())).await;
        }
    }

    /// Runs one operation until it is neither throttled nor unanswered, or the attempts are exhausted.
    pub(super) async fn run<T, F>(
        &self,
        table: Table,
        mut operation: impl FnMut() -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, TableError>>,
    {
        let mut retry = 0;
        loop {
            match operation().await {
                Ok(done) => return Ok(done),
                Err(TableError::Throttled(_) | TableError::Unavailable(_)) if retry + 1 < self.attempts => {
                    self.sleep(retry).await;
                    retry += 1;
                }
                Err(source) => return Err(StoreError::Table { table, source }),
            }
        }
    }

    /// Sends the batch that `whole` creates, then its unprocessed rest, until nothing is left or the attempts are
    /// exhausted. `send` returns the results and the rest. If there is no answer, the whole batch is sent again, so the
    /// operation must be idempotent.
    pub(super) async fn drain<T, R, F>(
        &self,
        table: Table,
        whole: impl Fn() -> Result<Vec<T>, StoreError>,
        mut send: impl FnMut(Vec<T>) -> F,
    ) -> Result<Vec<R>, StoreError>
    where
        F: Future<Output = Result<(Vec<R>, Vec<T>), TableError>>,
    {
        let mut batch = whole()?;
        let mut got = Vec::new();
        let mut retry = 0;
        loop {
            let last = retry + 1 >= self.attempts;
            match send(batch).await {
                Ok((more, left)) => {
                    got.extend(more);
                    if left.is_empty() {
                        return Ok(got);
                    }
                    if last {
                        let left = left.len();
                        return Err(StoreError::Unprocessed { table, left, attempts: self.attempts });
                    }
                    batch = left;
                }
                Err(TableError::Throttled(_) | TableError::Unavailable(_)) if !last => {
                    got.clear();
                    batch = whole()?;
                }
                Err(source) => return Err(StoreError::Table { table, source }),
            }
            self.sleep(retry).await;
            retry += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EAGER: Backoff = Backoff { base: Duration::ZERO, cap: Duration::ZERO, attempts: 4 };

    #[tokio::test]
    async fn a_throttled_operation_is_repeated_up_to_the_bound() {
        for (failures, succeeds) in [(0, true), (3, true), (4, false)] {
            let mut left = failures;
            let result = EAGER
                .run(Table::Messages, || {
                    let throttled = left > 0;
                    left -= i32::from(throttled);
                    async move { if throttled { Err(TableError::Throttled("t".into())) } else { Ok(()) } }
                })
                .await;
            assert_eq!(result.is_ok(), succeeds, "{failures} failures");
        }
    }

    #[tokio::test]
    async fn a_batch_without_an_answer_is_sent_again_as_a_whole() {
        for (failures, succeeds) in [(0, true), (2, true), (3, false)] {
            let mut requests = 0;
            let result = EAGER
                .drain(
                    Table::Messages,
                    || Ok(vec![1, 2, 3]),
                    |mut batch| {
                        requests += 1;
                        // The first answer is a part, then come the failures.
                        let (first, fails) = (requests == 1, requests <= failures + 1);
                        let left = if first { batch.split_off(1) } else { Vec::new() };
                        let failure = || Err(TableError::Unavailable("reset".into()));
                        async move { if fails && !first { failure() } else { Ok((batch, left)) } }
                    },
                )
                .await;
            assert_eq!(result.ok(), succeeds.then(|| vec![1, 2, 3]), "{failures} failures");
            assert_eq!(requests, (failures + 2).min(4));
        }
    }

    #[tokio::test]
    async fn a_wrong_request_is_not_repeated() {
        let mut requests = 0;
        let result: Result<(), _> = EAGER
            .run(Table::Messages, || {
                requests += 1;
                async { Err(TableError::Validation("wrong".into())) }
            })
            .await;
        assert!(result.is_err());
        assert_eq!(requests, 1);
    }

    #[tokio::test(start_paused = true)]
    async fn sleeps_stay_below_their_bound() {
        let backoff = Backoff::default();
        for retry in 0..40 {
            let start = tokio::time::Instant::now();
            backoff.sleep(retry).await;
            let bound = backoff.cap.min(backoff.base * 2_u32.saturating_pow(retry.min(20)));
            assert!(start.elapsed() <= bound + Duration::from_millis(1));
        }
    }
}
