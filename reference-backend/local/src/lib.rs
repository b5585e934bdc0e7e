//! The local stack: the AWS services around the handlers, emulated in one process.
//!
//! # How the stack is assembled
//! The parts form a cycle (push → socket → Lambda → handler → push). It is closed by the topic, whose publisher and
//! messages are created separately, so the parts are built in this order. A background task stops when its
//! [`Background`](background::Background) is dropped.
//!
//! ```text
//! let clock: Arc<dyn Clock> = Arc::new(SystemClock);
//! let registry: Arc<dyn Pusher> = ...;                                  // gateway's connection registry
//! let identity: Arc<dyn IdentityProvider> = ...;
//! let opening = Opening { profile: &profile.tables, deployment: &deployment, metrics: &metrics, clock: &clock };
//! let storage: Box<dyn Storage> = Memory.open(&opening).await?;
//! let (topic, messages) = sns::topic(&deployment.resource("PlacementEvents"), &metrics);
//! let (queue, placing) = GameLift::start(&profile.gamelift, &deployment, &metrics, topic);
//! let deps = Arc::new(Deps::new(
//!     Ports { tables: storage.store(), pusher: registry, queue, identity, clock },
//!     Settings { auth: AuthMode::Token, queue_name: deployment.resource("Queue"), ..Settings::default() },
//! ));
//! let lambda: Arc<LambdaPools> = LambdaPools::new(&profile.lambda, &deployment, &metrics, deps); // impl Invoke
//! let [streams, expiry] = storage.start(&Targets { profile: &profile.streams, invoke: lambda.clone(), .. });
//! let background = [
//!     placing,
//!     streams,
//!     expiry,
//!     sns::deliver(&profile.sns, messages, lambda.clone(), &deployment.lambda_name(layout, OnPlacementEvent), &metrics),
//! ];
//! ```
//! All of it must be called inside a tokio runtime. `Delay::wait().await` sleeps for a sampled delay and returns
//! at once when the delay is zero; `Delay::sample()` only draws it.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test may fail where it stands"))]

pub mod account;
pub mod background;
pub mod cloudwatch;
pub mod distribution;
mod documented;
pub mod dynamodb;
pub mod gamelift;
pub mod gateway;
pub mod http;
pub mod identity;
pub mod lambda;
pub mod metrics;
mod paging;
pub mod permissions;
pub mod profile;
mod rest_json;
mod rpc;
pub mod serve;
mod service_quotas;
pub mod sns;
pub mod stack;
pub mod storage;
pub mod streams;
mod subscriptions;
pub mod tables;
mod web;

#[cfg(test)]
mod tests;
