//! The pools with code that does as the test says.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{SystemTime, UNIX_EPOCH};

use super::*;
use crate::metrics::{MetricId, Statistic};

/// Answers `"sleep <ms>"`, `"panic"`, `"fail"` and everything else accordingly.
#[derive(Default)]
struct Script {
    handled: AtomicUsize,
}

#[async_trait]
impl Code for Script {
    async fn run(&self, _: Function, payload: Bytes) -> Result<Vec<u8>, HandlerError> {
        let text = String::from_utf8(payload.to_vec()).expect("text");
        if let Some(ms) = text.strip_prefix("sleep ") {
            tokio::time::sleep(Duration::from_millis(ms.parse().expect("a number"))).await;
        }
        assert_ne!(text, "panic", "as told");
        if text == "fail" {
            return Err(HandlerError::Unauthorized);
        }
        self.handled.fetch_add(1, Relaxed);
        Ok(payload.to_vec())
    }
}

struct Fixture {
    lambda: Arc<LambdaPools>,
    script: Arc<Script>,
    metrics: Metrics,
    from: u64,
}

fn fixture(profile: &str) -> Fixture {
    let profile: LambdaProfile = toml::from_str(profile).expect("a profile");
    profile.check().expect("valid");
    let (script, metrics) = (Arc::new(Script::default()), Metrics::default());
    let lambda = LambdaPools::new(&profile, &Deployment::default(), &metrics, script.clone());
    let from = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() - 1;
    Fixture { lambda, script, metrics, from }
}

impl Fixture {
    async fn invoke(&self, payload: &'static str) -> Result<Bytes, InvokeError> {
        self.lambda.invoke(Function::SendMessage, Bytes::from_static(payload.as_bytes())).await
    }

    fn spawn(&self, payload: &'static str) -> tokio::task::JoinHandle<Result<Bytes, InvokeError>> {
        let lambda = Arc::clone(&self.lambda);
        tokio::spawn(async move {
            lambda.invoke(Function::SendMessage, Bytes::from_static(payload.as_bytes())).await
        })
    }

    fn metric(&self, metric: &str, statistic: Statistic, dimensions: &[(&str, &str)]) -> f64 {
        let id = MetricId::new("AWS/Lambda", metric, dimensions);
        let points = self.metrics.query(&id, statistic, self.from, self.from + 3_600, 3_600);
        points.iter().map(|(_, value)| *value).sum()
    }

    fn of_function(&self, metric: &str, statistic: Statistic) -> f64 {
        self.metric(metric, statistic, &[("FunctionName", "reference-Development-SendMessage")])
    }
}

#[tokio::test(start_paused = true)]
async fn a_cold_start_is_paid_once_and_the_environment_reused() {
    let fixture = fixture("init = { p50_ms = 200 }\nduration = { p50_ms = 5 }\nidle_expiry_s = 60");
    let time = async || {
        let started = Instant::now();
        fixture.invoke("x").await.expect("answers");
        started.elapsed().as_millis()
    };
    assert_eq!(time().await, 205);
    assert_eq!(time().await, 5);
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(time().await, 205, "an idle environment is taken away");
    assert_eq!(fixture.of_function("Duration", Statistic::Maximum).round(), 5.0, "without the cold start");
    assert_eq!(fixture.of_function("Invocations", Statistic::Sum), 3.0);
}

#[tokio::test(start_paused = true)]
async fn reserved_concurrency_throttles_and_guarantees() {
    let fixture = fixture("account_concurrency = 102\n[functions.SendMessage]\nreserved_concurrency = 2");
    let running = [fixture.spawn("sleep 1000"), fixture.spawn("sleep 1000")];
    tokio::time::sleep(Duration::from_millis(10)).await;
    let reason = "ReservedFunctionConcurrentInvocationLimitExceeded";
    assert_eq!(fixture.invoke("x").await, Err(InvokeError::Throttled { reason }));
    for task in running {
        assert!(task.await.expect("runs").is_ok());
    }
    assert!(fixture.invoke("x").await.is_ok());
    assert_eq!(fixture.of_function("Throttles", Statistic::Sum), 1.0);
    assert_eq!(fixture.of_function("Invocations", Statistic::Sum), 3.0);
    assert_eq!(fixture.of_function("ConcurrentExecutions", Statistic::Maximum), 2.0);
    assert_eq!(fixture.script.handled.load(Relaxed), 3);
}

#[tokio::test(start_paused = true)]
async fn the_account_bounds_all_functions_together() {
    let fixture = fixture("account_concurrency = 2");
    let other = Arc::clone(&fixture.lambda);
    let one =
        tokio::spawn(async move { other.invoke(Function::Connect, Bytes::from_static(b"sleep 1000")).await });
    let two = fixture.spawn("sleep 1000");
    tokio::time::sleep(Duration::from_millis(10)).await;
    let reason = "ConcurrentInvocationLimitExceeded";
    assert_eq!(fixture.invoke("x").await, Err(InvokeError::Throttled { reason }));
    assert!(one.await.expect("runs").is_ok() && two.await.expect("runs").is_ok());
    assert!(fixture.invoke("x").await.is_ok());
    assert_eq!(fixture.metric("ConcurrentExecutions", Statistic::Maximum, &[]), 2.0);
    assert_eq!(fixture.metric("Invocations", Statistic::Sum, &[]), 3.0);
}

#[tokio::test(start_paused = true)]
async fn new_environments_come_at_the_scaling_rate() {
    let fixture = fixture("scaling_environments = 3\nscaling_period_s = 86400.0");
    let running: Vec<_> = (0..5).map(|_| fixture.spawn("sleep 100")).collect();
    let mut throttled = 0;
    for task in running {
        throttled += usize::from(task.await.expect("runs").is_err());
    }
    assert_eq!(throttled, 2);
    assert!(fixture.invoke("x").await.is_ok(), "warm environments need no allowance");
}

#[tokio::test(start_paused = true)]
async fn a_slow_handler_is_dropped_at_the_time_out() {
    let fixture = fixture("timeout_s = 2.0\ninit = { p50_ms = 100 }");
    let started = Instant::now();
    assert_eq!(fixture.invoke("sleep 60000").await, Err(InvokeError::TimedOut { seconds: 2.0 }));
    assert_eq!(started.elapsed().as_millis(), 2_100);
    assert_eq!(fixture.of_function("Errors", Statistic::Sum), 1.0);
    assert_eq!(fixture.script.handled.load(Relaxed), 0);
    let started = Instant::now();
    fixture.invoke("x").await.expect("answers");
    assert_eq!(started.elapsed().as_millis(), 100, "the environment was reset");
}

#[tokio::test]
async fn errors_and_panics_are_function_errors() {
    let fixture = fixture("");
    let error = fixture.invoke("fail").await.expect_err("fails");
    assert_eq!(
        error,
        InvokeError::Function { error_type: "Unauthorized".into(), message: "Unauthorized".into() }
    );
    let InvokeError::Function { error_type, message } = fixture.invoke("panic").await.expect_err("panics")
    else {
        panic!("another error");
    };
    assert_eq!(error_type, "Runtime.ExitError");
    assert!(message.contains("as told"), "{message}");
    assert!(fixture.invoke("x").await.is_ok(), "the pool survives");
    assert_eq!(fixture.of_function("Errors", Statistic::Sum), 2.0);
}

#[tokio::test]
async fn the_error_rate_fails_invocations_before_the_handler() {
    let fixture = fixture("error_rate = 1.0\n[functions.Connect]\nerror_rate = 0.0");
    assert!(matches!(fixture.invoke("x").await, Err(InvokeError::Function { .. })));
    assert!(fixture.lambda.invoke(Function::Connect, Bytes::new()).await.is_ok());
    assert_eq!(fixture.script.handled.load(Relaxed), 1);
}

#[tokio::test]
async fn the_throttle_rate_refuses_although_there_is_capacity() {
    let fixture = fixture("throttle_rate = 1.0\n[functions.Connect]\nthrottle_rate = 0.0");
    assert!(matches!(fixture.invoke("x").await, Err(InvokeError::Throttled { .. })));
    assert!(fixture.lambda.invoke(Function::Connect, Bytes::new()).await.is_ok());
    assert_eq!(fixture.of_function("Throttles", Statistic::Sum), 1.0);
    assert_eq!(fixture.of_function("Invocations", Statistic::Sum), 0.0);
}

#[tokio::test]
async fn a_single_lambda_runs_every_function() {
    let fixture = fixture("layout = \"single\"");
    for &function in Function::ALL {
        fixture.lambda.invoke(function, Bytes::new()).await.expect("answers");
    }
    let single = [("FunctionName", "reference-Development-Backend")];
    assert_eq!(fixture.metric("Invocations", Statistic::Sum, &single), 10.0);
    assert_eq!(fixture.metric("ConcurrentExecutions", Statistic::Maximum, &single), 1.0);
}

#[tokio::test(start_paused = true)]
async fn an_abandoned_invocation_gives_its_environment_back() {
    let fixture = fixture("[functions.SendMessage]\nreserved_concurrency = 1");
    let running = fixture.spawn("sleep 1000");
    tokio::time::sleep(Duration::from_millis(10)).await;
    running.abort();
    assert!(running.await.is_err());
    assert!(fixture.invoke("x").await.is_ok());
}

#[tokio::test]
async fn the_rate_goes_with_the_concurrency_reserved_or_of_the_account() {
    // Ten invocations a second, and as many at once: what comes after them is refused, however short it is.
    let reserved = fixture(
        "account_concurrency = 200\nrequests_per_concurrency = 10\n[functions.SendMessage]\nreserved_concurrency = 1",
    );
    let account = fixture("account_concurrency = 1\nrequests_per_concurrency = 10");
    for (fixture, reason) in [
        (&reserved, "ReservedFunctionInvocationRateLimitExceeded"),
        (&account, "FunctionInvocationRateLimitExceeded"),
    ] {
        for _ in 0..10 {
            fixture.invoke("x").await.expect("within the rate");
        }
        let mut refused = 0;
        for _ in 0..30 {
            match fixture.invoke("x").await {
                Ok(_) => {}
                Err(error) => {
                    assert_eq!(error, InvokeError::Throttled { reason });
                    refused += 1;
                }
            }
        }
        assert!(refused >= 20, "only what the time has refilled is admitted: {refused}");
        assert_eq!(fixture.of_function("Throttles", Statistic::Sum), f64::from(refused));
        assert_eq!(fixture.metric("Throttles", Statistic::Sum, &[]), f64::from(refused));
        assert_eq!(fixture.of_function("ConcurrentExecutions", Statistic::Maximum), 1.0);
    }
    reserved.lambda.invoke(Function::Connect, Bytes::new()).await.expect("the account has rate left");
    let off = fixture("account_concurrency = 1");
    for _ in 0..100 {
        off.invoke("x").await.expect("without a limit");
    }
}

#[tokio::test(start_paused = true)]
async fn the_account_shows_what_is_claimed_and_what_others_hold() {
    let fixture = fixture(
        "account_concurrency = 110\nforeign_concurrency = 4\n[functions.SendMessage]\nreserved_concurrency = 5",
    );
    let maximum = |metric| fixture.metric(metric, Statistic::Maximum, &[]);
    let running = fixture.spawn("sleep 1000");
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert_eq!(maximum("ConcurrentExecutions"), 5.0);
    assert_eq!(maximum("UnreservedConcurrentExecutions"), 4.0);
    assert_eq!(maximum("ClaimedAccountConcurrency"), 9.0, "reserved concurrency is claimed, used or not");
    assert!(running.await.expect("runs").is_ok());
    assert!(fixture.invoke("fail").await.is_err());
    assert_eq!(fixture.metric("Errors", Statistic::Sum, &[]), 1.0);

    let full = self::fixture("account_concurrency = 3\nforeign_concurrency = 2");
    let running = full.spawn("sleep 1000");
    tokio::time::sleep(Duration::from_millis(10)).await;
    assert!(matches!(full.invoke("x").await, Err(InvokeError::Throttled { .. })), "others count, too");
    assert!(running.await.expect("runs").is_ok());
    assert_eq!(full.metric("UnreservedConcurrentExecutions", Statistic::Maximum, &[]), 3.0);
    let wrong: LambdaProfile =
        toml::from_str("account_concurrency = 3\nforeign_concurrency = 4").expect("a profile");
    assert!(wrong.check().is_err_and(|wrong| wrong.contains("foreign_concurrency")));
}

#[tokio::test(start_paused = true)]
async fn a_leak_kills_the_environment_once_its_memory_is_used_up() {
    let fixture = fixture(
        "init = { p50_ms = 100 }\n[functions.SendMessage]\nmemory_mb = 128\nmemory_used_mb = 100\nmemory_leak_mb = 10",
    );
    assert!(fixture.invoke("x").await.is_ok() && fixture.invoke("x").await.is_ok());
    let Err(InvokeError::Function { error_type, .. }) = fixture.invoke("x").await else {
        panic!("memory is left")
    };
    assert_eq!(error_type, "Runtime.OutOfMemory");
    let started = Instant::now();
    assert!(fixture.invoke("x").await.is_ok());
    assert_eq!(started.elapsed().as_millis(), 100, "the next one needs a cold start");
    assert_eq!(fixture.of_function("Errors", Statistic::Sum), 1.0);
    let id = MetricId::new(
        "LambdaInsights",
        "memory_utilization",
        &[("function_name", "reference-Development-SendMessage")],
    );
    let of = |statistic| fixture.metrics.query(&id, statistic, fixture.from, fixture.from + 60, 3_600)[0].1;
    assert_eq!(of(Statistic::Maximum), 100.0);
    assert_eq!(of(Statistic::Minimum), 110.0 / 128.0 * 100.0);
    assert_eq!(of(Statistic::SampleCount), 4.0);
}
