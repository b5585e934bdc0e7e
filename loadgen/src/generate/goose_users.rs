//! goose: starts and stops the users, and keeps metrics of its own of connects and answers.
//!
//! Each goose user drives a group of players (`sockets.per_goose_user`): with 1, every player is a goose user;
//! with more, a player costs what a bare task costs. Goose's figures are rounded and its users learn of the end
//! only between transactions, so the run's figures come from our own histograms, and the run is ended by our own stop
//! followed by goose's kill switch. A sample costs goose more than a whole answer costs us: its metrics are
//! written a few times a second, and at very high rates they hold a part of the samples.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use goose::client::GooseClientBuilder;
use goose::config::{GooseConfiguration, GooseDefault, GooseDefaultType};
use goose::metrics::GooseMetrics;
use goose::prelude::{GooseAttack, GooseError, GooseUser, Scenario, Transaction, TransactionFunction};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::player::{Play, play};
use crate::record::GooseSample;

/// Samples that may wait for goose's metrics; further ones are left out of them.
const GOOSE_BACKLOG: usize = 256;
/// Between two entries into goose's metrics.
const GOOSE_EVERY: Duration = Duration::from_millis(100);
/// How long a user that has nothing left to do sleeps, so that goose does not spin.
const IDLE: Duration = Duration::from_millis(50);

/// Runs all players as groups of goose users until `stop`, and returns goose's own metrics. `groups` counts the
/// groups that have started.
///
/// # Errors
/// Goose's own, when it refuses to start.
pub async fn attack(
    shared: Arc<Play>,
    stop: CancellationToken,
    groups: Arc<AtomicU32>,
) -> Result<GooseMetrics, Box<GooseError>> {
    let per_user = shared.plan.players_per_goose_user;
    let users = shared.players.own().div_ceil(per_user);
    let name = shared.plan.name.clone();
    let drive: TransactionFunction = Arc::new(move |user| {
        let (shared, groups, stop) = (Arc::clone(&shared), Arc::clone(&groups), stop.clone());
        Box::pin(async move {
            let group = groups.fetch_add(1, Ordering::Relaxed);
            if group >= users || stop.is_cancelled() {
                tokio::time::sleep(IDLE).await;
                return Ok(());
            }
            drive_group(user, &shared, group * per_user, per_user).await;
            Ok(())
        })
    });
    let scenario = Scenario::new(&name).register_transaction(Transaction::new(drive).set_name("play"));
    let attack = GooseAttack::initialize_with_config(configuration(users))?
        .register_scenario(scenario)
        .set_client_builder_without_cookies(GooseClientBuilder::new().without_cookies())?
        .set_default(GooseDefault::Host, "ws://players")?;
    attack.execute().await.map_err(Box::new)
}

/// Plays `count` of this process's players from its `first` on, and writes their samples into goose's metrics.
async fn drive_group(user: &mut GooseUser, shared: &Arc<Play>, first: u32, count: u32) {
    let (samples, mut recorded) = mpsc::channel(GOOSE_BACKLOG);
    let mut group = JoinSet::new();
    for nth in first..shared.players.own().min(first + count) {
        group.spawn(play(Arc::clone(shared), shared.players.nth(nth), samples.clone()));
    }
    drop(samples);
    // Ends when the last player of the group has left.
    loop {
        let mut samples = Vec::new();
        if recorded.recv_many(&mut samples, GOOSE_BACKLOG).await == 0 {
            break;
        }
        for GooseSample { operation, response, error } in samples {
            let (name, success, status) = (shared.plan.name(operation), error.is_none(), None);
            // Fails only when goose is shutting down, and then its metrics are complete.
            let _ = user
                .record_custom_request_duration("WS", name, response, success, status, error.as_deref())
                .await;
        }
        tokio::time::sleep(GOOSE_EVERY).await;
    }
    group.join_all().await;
}

/// Goose without its printing, controllers and HTTP clients: all users within a second, then until the kill switch.
///
/// Not as a test plan: for those, goose prints on standard output whatever it is told.
fn configuration(users: u32) -> GooseConfiguration {
    let mut configuration = GooseConfiguration::default();
    configuration.users = Some(users as usize);
    configuration.increase_rate = Some(users.to_string());
    configuration.quiet = 3;
    configuration.no_telnet = true;
    configuration.no_print_metrics = true;
    configuration.no_error_summary = true;
    configuration.no_transaction_metrics = true;
    configuration.no_scenario_metrics = true;
    configuration
}
