//! Fetches every series of the backend for the run's window, its limits, and says what is missing from the answers.

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_cloudwatch::Client;
use jiff::Timestamp;
use reports::format::{
    CloudWatch as Fetched, CloudWatchSeries, FetchCost, LimitKind, SCHEMA_VERSION, Topology,
};
use scenarios::plan::CloudWatch;
use url::Url;

use super::client::client;
use super::discover::{self, Listing};
use super::metrics::FUNCTION_NAME;
use super::read::{self, Span};
use super::window::Window;
use super::{cost, gaps, retention};
use crate::aws::{Access, Api};
use crate::inventory::{Inventory, Scope};
use crate::logs::{self, Reading};

/// Right after a run CloudWatch has little of it; this long after it, waiting does not help.
pub(super) const STILL_COMING: Duration = Duration::from_secs(3_600);

/// Of which run, and whom to ask.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// The section `[cloudwatch]`.
    pub wanted: &'a CloudWatch,
    /// Whom to ask instead of AWS.
    pub endpoint: Option<&'a Url>,
    /// The run's window.
    pub window: Window,
    /// The address of the target's sockets.
    pub target: &'a str,
    /// What is declared of the backend.
    pub topology: &'a Topology,
    /// Hears what reading will cost, before it does.
    pub tell: &'a (dyn Fn(&str) + Sync),
}

/// Fetches everything once. What could not be fetched is in `problems`; one failure does not discard the rest.
pub async fn fetch(asked: Asked<'_>) -> Fetched {
    let mut collector = Collector::open(asked).await;
    let mut fetched = collector.read().await;
    collector.read_logs(&mut fetched).await;
    fetched
}

/// Fetches again and again.
pub(super) struct Collector<'a> {
    asked: Asked<'a>,
    client: Client,
    access: Access,
    /// Taken once: limits do not change while metrics arrive.
    inventory: Option<Inventory>,
    /// What the inventory lacks.
    notes: Vec<String>,
}

impl<'a> Collector<'a> {
    pub(super) async fn open(asked: Asked<'a>) -> Self {
        let (client, access) = client(asked.wanted, asked.endpoint, None).await;
        Self { asked, client, access, inventory: None, notes: Vec::new() }
    }

    /// Whether a stack on this machine is asked.
    pub(super) fn is_local(&self) -> bool {
        self.access.is_local()
    }

    /// When everything that the run set off has ended.
    pub(super) fn tail(&self) -> Timestamp {
        let timeouts = self.inventory.iter().flat_map(|inventory| &inventory.limits);
        let timeouts = timeouts.filter(|limit| limit.kind == LimitKind::TimeoutS).map(|limit| limit.value);
        let longest =
            timeouts.max_by(f64::total_cmp).and_then(|value| Duration::try_from_secs_f64(value).ok());
        self.asked.window.tail(self.is_local(), longest)
    }

    /// Fetches everything that there is by now.
    pub(super) async fn read(&mut self) -> Fetched {
        let now = Timestamp::now();
        let Asked { wanted, window, .. } = self.asked;
        let age = Duration::try_from(now.duration_since(window.start)).unwrap_or_default();
        let left = retention::finest(wanted.period_s, age);
        let mut fetched = self.empty(now, left.unwrap_or(wanted.period_s));
        let days = age.as_secs() / 86_400;
        let Some(period_s) = left else {
            fetched.problems.push(format!(
                "the run is {days} days old, and CloudWatch keeps nothing for longer than 455 days"
            ));
            return fetched;
        };
        if period_s != wanted.period_s {
            fetched.notes.push(format!(
                "the run is {} old: values of {} s are gone, there is one every {period_s} s",
                if days > 0 { format!("{days} days") } else { format!("{} hours", age.as_secs() / 3_600) },
                wanted.period_s
            ));
        }
        let mut spent = FetchCost::default();
        let named = match self.functions(&mut spent).await {
            Ok(named) => named,
            Err(problem) => {
                fetched.problems.push(problem);
                return fetched;
            }
        };
        let (series, functions) = self.series(named, &mut spent, &mut fetched).await;
        let span = window.span(period_s, self.tail(), now);
        if !self.is_local() {
            (self.asked.tell)(&cost::before(series.len()));
        }
        let (series, problems) = read::read(&self.client, span, series, &mut spent).await;
        fetched.series = series;
        fetched.problems.extend(problems);
        fetched.window_start = Timestamp::from_second(span.from).unwrap_or(window.start);
        fetched.window_end = Timestamp::from_second(span.to).unwrap_or(window.end);
        fetched.cost = Some(spent);
        self.find_gaps(&functions, age, &mut fetched).await;
        fetched
    }

    /// Adds what Lambda's log lines tell of every second, if that is wanted: it is billed by what is scanned.
    pub(super) async fn read_logs(&self, fetched: &mut Fetched) {
        let Some(inventory) = self.inventory.as_ref().filter(|_| self.asked.wanted.logs) else { return };
        let api = match Api::new(self.access.clone()) {
            Ok(api) => api,
            Err(refusal) => return fetched.problems.push(format!("the logs cannot be read: {refusal}")),
        };
        let (tell, zero) = (self.asked.tell, self.asked.window.start);
        if !self.is_local() {
            tell(&cost::before_logs(cost::log_bytes(fetched)));
        }
        let reading = Reading {
            groups: inventory.log_groups.clone(),
            from: fetched.window_start.as_second(),
            to: fetched.window_end.as_second(),
            load: load(fetched, zero),
            zero,
        };
        let read = logs::read(&api, &reading).await;
        if read.series.is_empty() && read.problems.is_empty() {
            fetched.notes.push("the logs have no REPORT line of the window".into());
        }
        fetched.series.extend(read.series);
        fetched.problems.extend(read.problems);
        let spent = fetched.cost.get_or_insert_default();
        spent.calls += api.calls();
        spent.scanned_bytes += read.scanned_bytes;
    }

    fn empty(&self, now: Timestamp, period_s: u32) -> Fetched {
        let Window { start, end, .. } = self.asked.window;
        let Span { from, to, .. } = self.asked.window.span(period_s, end, now);
        Fetched {
            schema_version: SCHEMA_VERSION,
            fetched_at: now,
            window_start: Timestamp::from_second(from).unwrap_or(start),
            window_end: Timestamp::from_second(to).unwrap_or(end),
            period_s: u64::from(period_s),
            region: self.access.region.clone(),
            ..Fetched::default()
        }
    }

    /// The functions that are named, or those that `ListMetrics` shows.
    async fn functions(&self, spent: &mut FetchCost) -> Result<Vec<String>, String> {
        let wanted = self.asked.wanted;
        if !wanted.functions.is_empty() {
            let mut seen = BTreeSet::new();
            return Ok(wanted.functions.iter().filter(|name| seen.insert(*name)).cloned().collect());
        }
        let (found, calls) = discover::functions(&self.client, &wanted.function_prefix).await?;
        spent.calls += calls;
        Ok(found)
    }

    /// The series to be read and the functions among what they are of; limits and wiring go into `fetched`.
    async fn series(
        &mut self,
        named: Vec<String>,
        spent: &mut FetchCost,
        fetched: &mut Fetched,
    ) -> (Vec<CloudWatchSeries>, Vec<String>) {
        let Asked { wanted, target, topology, .. } = self.asked;
        let mut scope = Scope::new(target, topology);
        scope.prefix.clone_from(&wanted.function_prefix);
        scope.everything = self.is_local() && wanted.function_prefix.is_empty();
        scope.functions.clone_from(&named);
        let Listing { metrics: listed, calls, notes } = discover::list(&self.client).await;
        spent.calls += calls;
        fetched.notes.extend(notes);
        let mut inventory = match self.inventory.take() {
            Some(inventory) => inventory,
            None => self.inventory(&mut scope, spent).await,
        };
        discover::learn(&listed, &scope, &mut inventory);
        let mut functions = named;
        if wanted.functions.is_empty() {
            functions.extend(
                inventory.called().into_iter().filter(|name| scope.owns_function(name)).map(str::to_owned),
            );
            functions.sort();
            functions.dedup();
        }
        if functions.is_empty() {
            fetched.problems.push(self.no_function());
            self.inventory = Some(inventory);
            return (Vec::new(), functions);
        }
        let series = discover::series(&listed, &functions, &inventory);
        let unlisted = discover::unlisted_queues(&series, &inventory);
        if !unlisted.is_empty() {
            fetched.notes.push(format!(
                "ListMetrics shows nothing of the queue {}: no placement went through it within two weeks, or its first did a \
                 few minutes ago",
                gaps::listed(unlisted.into_iter())
            ));
        }
        fetched.notes.extend(self.notes.iter().cloned());
        fetched.limits.clone_from(&inventory.limits);
        fetched.wiring = inventory.wiring.clone();
        self.inventory = Some(inventory);
        (series, functions)
    }

    async fn inventory(&mut self, scope: &mut Scope, spent: &mut FetchCost) -> Inventory {
        match Api::new(self.access.clone()) {
            Ok(api) => {
                let inventory = Inventory::take(&api, scope).await;
                spent.calls += api.calls();
                self.notes = api.notes();
                inventory
            }
            Err(refusal) => {
                self.notes = vec![format!("limits and wiring are unknown: {refusal}")];
                Inventory::default()
            }
        }
    }

    fn no_function(&self) -> String {
        let prefix = &self.asked.wanted.function_prefix;
        let all =
            if prefix.is_empty() { String::new() } else { format!(" whose name begins with `{prefix}`") };
        format!(
            "ListMetrics knows no Lambda function{all} in {} (it lists what had data within two weeks); name them with --functions",
            self.access.region
        )
    }

    /// Adds what the answers lack.
    async fn find_gaps(&self, functions: &[String], age: Duration, fetched: &mut Fetched) {
        let mut problems = gaps::incomplete(fetched);
        problems.extend(gaps::missing_end(fetched, self.asked.window));
        let silent = gaps::silent(fetched, functions);
        let nothing = !fetched.series.is_empty() && silent.len() == functions.len();
        if nothing {
            problems.push(self.nothing(age));
        }
        if !self.asked.wanted.functions.is_empty() {
            if !silent.is_empty() {
                problems.extend(self.unheard(&silent, nothing).await);
            }
        } else if !nothing && !self.is_local() && !silent.is_empty() {
            // They are no slips; not every run makes every function run.
            let silent = gaps::listed(silent.iter().copied());
            fetched.notes.push(format!("no point in the window, so not invoked in it: {silent}"));
        }
        fetched.problems.extend(problems);
    }

    fn nothing(&self, age: Duration) -> String {
        if self.is_local() {
            "there is no data for this window: a local stack keeps it as long as it runs, three hours at most"
                .into()
        } else if age < STILL_COMING {
            "CloudWatch has no data for this window yet; run `loadgen correlate --wait` to wait for it".into()
        } else {
            format!(
                "CloudWatch in {} has no data for this window; check region, account and the functions' names",
                self.access.region
            )
        }
    }

    /// Why named functions have no point: slips, above all.
    async fn unheard(&self, silent: &[&str], nothing: bool) -> Vec<String> {
        let known = match discover::functions(&self.client, "").await {
            Ok((known, _)) => known,
            Err(problem) => return vec![problem],
        };
        let region = &self.access.region;
        let why = |name: &&str| {
            if known.iter().any(|known| known == name) {
                let still = format!(
                    "`{name}` has no point in the window: it was not invoked, or its data is still to come"
                );
                return (!nothing).then_some(still);
            }
            let near = scenarios::nearest(name, &known)
                .map(|near| format!("; did you mean `{near}`?"))
                .unwrap_or_default();
            Some(format!(
                "ListMetrics does not know the function `{name}` in {region} (it lists what had data within two weeks, a new \
                 function after up to 15 minutes){near}"
            ))
        };
        silent.iter().filter_map(why).collect()
    }
}

/// How many invocations there were when: start in seconds since the epoch, length, number.
fn load(fetched: &Fetched, zero: Timestamp) -> Vec<(i64, i64, f64)> {
    let zero = zero.as_microsecond() as f64 / 1e6;
    let own = fetched
        .series
        .iter()
        .filter(|one| one.metric == "Invocations" && one.dimensions.contains_key(FUNCTION_NAME));
    let length = fetched.period_s.max(1) as i64;
    own.flat_map(|one| &one.points).map(|(at, count)| ((zero + at).round() as i64, length, *count)).collect()
}
