//! `correlate`: what CloudWatch gives and does not give, beside a folder that has something already.

mod fake;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reports::folder::{RunFolder, RunWriter, save_summary};
use reports::format::{
    CloudWatch, Cost, CostItem, Known, Manifest, OperationSecond, Run, SCHEMA_VERSION, SeriesLine,
    SeriesStatus, Summary,
};
use tempfile::TempDir;

use self::fake::{Day, Fake};
use crate::common::{LOADGEN, Scene};

/// The folder of a run of five minutes whose players' tokens have ended, and whose scenario stood elsewhere.
struct Folder {
    scratch: TempDir,
}

/// What `correlate` said.
struct Said {
    code: Option<i32>,
    stdout: String,
    stderr: String,
    cloudwatch: CloudWatch,
    summary: Summary,
    report: String,
}

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

impl Folder {
    /// A run that has been over for so long, and started at the twentieth second of an hour, whatever the time is now.
    fn of(fake: &Fake, age: Duration) -> Self {
        let ago = Timestamp::now() - SignedDuration::try_from(age).unwrap() - SignedDuration::from_mins(6);
        let started_at = Timestamp::from_second(ago.as_second() / 3_600 * 3_600 + 20).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        let run = Run {
            id: "old".into(),
            name: "old".into(),
            started_at,
            ended_at: started_at + SignedDuration::from_secs(303),
            target: "wss://abc.execute-api.eu-west-1.amazonaws.com/Staging".into(),
            ..Run::default()
        };
        let scenario = format!(
            "name = \"old\"\nplayers = \"${{PLAYERS}}\"\n[auth.feeder]\nfile = \"gone/players.csv\"\n\
             [cloudwatch]\nendpoint = \"{}\"\nfunctions = [\"game-Send\", \"game-Inserted\"]\nperiod_s = 60\n",
            fake.url()
        );
        let manifest = Manifest { schema_version: SCHEMA_VERSION, run: run.clone(), ..Manifest::default() };
        let dir = scratch.path().join("run");
        let mut writer = RunWriter::create(&dir, &manifest, &scenario).unwrap();
        for t in 0..303 {
            let busy = OperationSecond { sent: 2, completed: 2, ..OperationSecond::default() };
            let idle = OperationSecond::default();
            let operation = if t < 302 { busy } else { idle };
            let line = SeriesLine {
                t,
                at: started_at + SignedDuration::from_secs(t as i64),
                operations: [("send_message".to_owned(), operation)].into(),
                ..SeriesLine::default()
            };
            writer.second(&line).unwrap();
        }
        writer.summary(&Summary { schema_version: SCHEMA_VERSION, run, ..Summary::default() }).unwrap();
        writer.finish(&Manifest { state: reports::format::RunState::Finished, ..manifest }).unwrap();
        Self { scratch }
    }

    fn dir(&self) -> PathBuf {
        self.scratch.path().join("run")
    }

    fn correlate(&self, arguments: &[&str]) -> Said {
        let output = Command::new(LOADGEN)
            .arg("correlate")
            .arg(self.dir())
            .args(arguments)
            .current_dir(Path::new("/"))
            .output()
            .unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        let folder = RunFolder::read(&self.dir()).unwrap();
        Said {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            cloudwatch: folder.cloudwatch.unwrap_or_else(|| panic!("{stderr}")),
            summary: folder.summary.unwrap(),
            report: std::fs::read_to_string(self.dir().join("report.html")).unwrap(),
            stderr,
        }
    }
}

impl Said {
    /// Asserts that a problem was told everywhere, and that the exit code is 1.
    fn tells(&self, words: &[&str]) -> &Self {
        let Self { stdout, stderr, cloudwatch, report, .. } = self;
        assert_eq!(self.code, Some(1), "{stderr}");
        let unwrapped = stdout.split_whitespace().collect::<Vec<_>>().join(" ");
        for word in words {
            assert!(stderr.contains(word), "{word}: {stderr}");
            assert!(unwrapped.contains(word), "{word}: {stdout}");
            assert!(cloudwatch.problems.concat().contains(word), "{word}: {:?}", cloudwatch.problems);
            assert!(report.replace("&quot;", "\"").contains(word), "{word} is not in the report");
        }
        self
    }

    fn is_fine(&self) -> &Self {
        assert_eq!(self.code, Some(0), "{}", self.stderr);
        let mut lines = self.stderr.lines();
        assert!(lines.next().is_some_and(|line| line.starts_with("CloudWatch: read ")), "{}", self.stderr);
        assert_eq!(lines.next(), None);
        assert_eq!(self.cloudwatch.problems, Vec::<String>::new());
        self
    }

    fn points(&self) -> usize {
        self.cloudwatch.series.iter().map(|series| series.points.len()).sum()
    }

    fn with(&self, status: SeriesStatus) -> usize {
        self.cloudwatch.series.iter().filter(|series| series.status == status).count()
    }

    /// Invocations of the function that sends.
    fn invocations(&self) -> Option<f64> {
        let functions = &self.summary.correlation.as_ref().unwrap().functions;
        functions.iter().find(|function| function.function == "game-Send").and_then(|one| one.invocations)
    }
}

/// Six minutes of six series of two functions; the others have none.
const ALL: usize = 6 * 6 * 2;
/// Fifteen series of each function, and five of the account.
const SERIES: usize = 15 * 2 + 5;

#[test]
fn the_folder_and_its_section_are_all_that_is_needed() {
    let fake = Fake::start(Day::Complete);
    let folder = Folder::of(&fake, 2 * HOUR);
    let said = folder.correlate(&[]);
    assert_eq!(said.is_fine().points(), ALL);
    assert_eq!((said.invocations(), said.cloudwatch.series.len()), (Some(60.0), SERIES));
    assert_eq!(said.cloudwatch.series[0].points[0].0, -20.0, "the first minute began before the run");

    let said = folder.correlate(&["--functions", "game-Connect,game-Send"]);
    assert_eq!(said.is_fine().points(), ALL / 2 * 3, "what was not asked for again is kept");
    let said = folder.correlate(&["--function-prefix", "game-C", "--region", "eu-west-1"]);
    assert_eq!(said.is_fine().points(), ALL / 2 * 3);
    let other = Fake::start(Day::Forbidden);
    folder.correlate(&["--endpoint", &other.url()]).tells(&["Forbidden"]);
    folder.correlate(&["--set", &format!("cloudwatch.endpoint={}", other.url())]).tells(&["Forbidden"]);
    assert_eq!(other.asked().calls, 2);

    let wrong = folder.correlate(&["--set", "players=3", "--set", "phases.0.load=2"]);
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.stderr.contains("2 mistakes") && wrong.stderr.contains("players=3"), "{}", wrong.stderr);
    let wrong = folder.correlate(&["--set", "cloudwatch.perriod_s=1"]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("did you mean `period_s`"), "{}", wrong.stderr);
}

#[test]
fn what_was_fetched_is_kept_on_bad_days_and_each_is_said() {
    let fake = Fake::start(Day::Complete);
    let folder = Folder::of(&fake, 2 * HOUR);
    let good = folder.correlate(&[]);
    let with_points = |said: &Said| {
        let series = said.cloudwatch.series.iter().filter(|series| !series.points.is_empty());
        series.cloned().collect::<Vec<_>>()
    };
    let same = |said: &Said| {
        assert_eq!(said.points(), ALL);
        assert_eq!(with_points(said), with_points(&good));
        assert_eq!(said.summary.correlation, good.summary.correlation);
    };
    for (day, words) in [
        (Day::Partial, &["PartialData", "35 of 35 series", "the last 3 periods of 60 s are missing"][..]),
        (Day::Internal, &["InternalError", "17 of 35 series", "Something went wrong inside"]),
        (Day::Forbidden, &["Forbidden", "Not authorized to read this metric", "cloudwatch:GetMetricData"]),
        (Day::Late, &["the last 3 periods of 60 s are missing"]),
        (Day::Silent, &["there is no data for this window"]),
    ] {
        fake.is(day);
        same(folder.correlate(&[]).tells(words));
    }
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let said = folder.correlate(&["--endpoint", &format!("http://{nobody}")]);
    same(said.tells(&["GetMetricData failed", "Connection refused", "nothing listens at that address"]));
    assert!(!said.stderr.contains("DispatchFailure"), "{}", said.stderr);
    assert_eq!(said.cloudwatch.fetched_at, folder.correlate(&[]).cloudwatch.fetched_at, "nothing came since");
    assert!(said.report.contains("is kept") && said.stdout.contains("is kept"));
    fake.is(Day::Complete);
    same(folder.correlate(&[]).is_fine());
}

#[test]
fn a_folder_that_had_nothing_takes_what_there_is_and_more_as_it_comes() {
    let fake = Fake::start(Day::Forbidden);
    let folder = Folder::of(&fake, 2 * HOUR);
    let said = folder.correlate(&[]);
    assert_eq!((said.tells(&["Forbidden"]).points(), said.with(SeriesStatus::Forbidden)), (0, SERIES));
    assert_eq!(said.cloudwatch.series[0].messages, ["ArchitectureError: Not authorized to read this metric"]);
    fake.is(Day::Partial);
    let said = folder.correlate(&[]);
    assert_eq!(
        (said.tells(&["PartialData"]).points(), said.with(SeriesStatus::PartialData)),
        (ALL / 2, SERIES)
    );
    assert_eq!(said.invocations(), Some(30.0));
    fake.is(Day::Internal);
    let said = folder.correlate(&[]);
    said.tells(&["InternalError"]);
    assert_eq!(said.points(), ALL / 2 + ALL / 4);
    fake.is(Day::Paged);
    let said = folder.correlate(&[]);
    assert_eq!((said.is_fine().points(), said.with(SeriesStatus::Complete)), (ALL, SERIES));
    assert_eq!(said.invocations(), Some(60.0));
}

#[test]
fn a_slip_in_a_name_and_a_function_without_a_point_are_told() {
    let fake = Fake::start(Day::Complete);
    let folder = Folder::of(&fake, 2 * HOUR);
    let said = folder.correlate(&["--functions", "game-Send,game-Sned"]);
    said.tells(&["does not know the function `game-Sned`", "did you mean `game-Send`?"]);
    assert_eq!(said.cloudwatch.problems.len(), 1, "{:?}", said.cloudwatch.problems);
    assert_eq!(said.points(), ALL / 2, "the other one's are there");
    fake.is(Day::Silent);
    let folder = Folder::of(&fake, 2 * HOUR);
    folder
        .correlate(&["--functions", "game-Sned"])
        .tells(&["`game-Sned`", "there is no data for this window"]);
    folder
        .correlate(&["--function-prefix", "gmae-"])
        .tells(&["no Lambda function whose name begins with `gmae-`"]);
}

#[test]
fn an_old_run_gets_the_finest_period_that_is_left_and_says_so() {
    let fake = Fake::start(Day::Aged);
    for (age, period, points) in [(20 * DAY, 300, 2), (70 * DAY, 3_600, 1)] {
        let folder = Folder::of(&fake, age);
        let said = folder.correlate(&[]);
        assert_eq!((said.is_fine().points(), said.cloudwatch.period_s), (points * 12, period));
        let note = format!("values of 60 s are gone, there is one every {period} s");
        assert!(
            said.report.contains(&note) && said.stdout.contains("note: CloudWatch: the run is"),
            "{}",
            said.stdout
        );
        assert_eq!(fake.asked().period, period as i64);
    }
    Folder::of(&fake, 456 * DAY).correlate(&[]).tells(&["456 days old", "455 days"]);

    // What an earlier fetch had in minutes stays in minutes.
    let folder = Folder::of(&fake, 20 * DAY);
    fake.is(Day::Complete);
    let mut minutes = folder.correlate(&[]).cloudwatch;
    for series in minutes.series.iter_mut().filter(|series| !series.points.is_empty()) {
        series.points = (0..6).map(|minute| (f64::from(minute) * 60.0 - 20.0, 3.0)).collect();
    }
    minutes.period_s = 60;
    reports::folder::save_cloudwatch(&folder.dir(), &minutes).unwrap();
    let said = folder.correlate(&[]);
    assert_eq!((said.is_fine().points(), said.cloudwatch.period_s), (ALL, 60));
    assert_eq!(said.invocations(), Some(18.0));
}

#[test]
fn throttled_calls_are_made_again() {
    let fake = Fake::start(Day::Complete);
    let folder = Folder::of(&fake, 2 * HOUR);
    fake.throttles(4);
    assert_eq!(folder.correlate(&[]).is_fine().points(), ALL);
    assert_eq!(fake.asked().calls, 5);
    fake.is(Day::Expired);
    folder
        .correlate(&[])
        .tells(&["GetMetricData failed: ExpiredTokenException: The security token is expired"]);
    assert_eq!(fake.asked().calls, 6, "asking again does not help");
}

const EARLY: &str = include_str!("correlate/answers/early.json");
const LATE: &str = include_str!("correlate/answers/late.json");

/// Points of a series, in ascending time.
fn points(said: &Said, metric: &str, statistic: &str, function: &str) -> Vec<(f64, f64)> {
    let is_it = |one: &&reports::format::CloudWatchSeries| {
        let of = one.dimensions.get("FunctionName").map(String::as_str);
        (one.metric.as_str(), one.statistic.as_str(), of) == (metric, statistic, Some(function))
    };
    said.cloudwatch.series.iter().find(is_it).map(|one| one.points.clone()).unwrap_or_default()
}

#[test]
fn recorded_answers_give_what_they_say_and_gaps_stay_gaps() {
    let fake = Fake::start(Day::Recorded(EARLY));
    let folder = Folder::of(&fake, Duration::from_secs(120));
    let said = folder.correlate(&[]);
    said.tells(&["PartialData", "MaxQueryTimeRangeExceeded: not all of it", "the last 1 periods of 60 s are missing"]);
    assert_eq!(
        points(&said, "Invocations", "Sum", "game-Send"),
        [(-20.0, 400.0), (40.0, 600.0), (100.0, 600.0), (160.0, 590.0), (220.0, 310.0)]
    );
    assert_eq!(points(&said, "Throttles", "Sum", "game-Send"), [(160.0, 12.0)], "no data is not zero");
    assert_eq!(points(&said, "IteratorAge", "Maximum", "game-Send"), []);
    assert_eq!(said.cloudwatch.series.len(), SERIES, "empty series are kept");

    fake.is(Day::Recorded(LATE));
    let said = folder.correlate(&[]);
    assert_eq!(said.is_fine().cloudwatch.settled, None);
    assert_eq!(points(&said, "Invocations", "Sum", "game-Send")[4..], [(220.0, 600.0), (280.0, 30.0)]);
    assert_eq!(points(&said, "Throttles", "Sum", "game-Send"), [(160.0, 14.0), (220.0, 3.0)]);
    let inserted = points(&said, "Invocations", "Sum", "game-Inserted");
    assert_eq!(inserted.len(), 5, "the minute in which it did not run has no point: {inserted:?}");
    assert_eq!(points(&said, "Duration", "Average", "game-Inserted").len(), 5);
    assert_eq!(said.invocations(), Some(2_830.0));
    // Points of an earlier answer stay; of what grows the greater counts.
    fake.is(Day::Recorded(EARLY));
    let said = folder.correlate(&[]);
    assert_eq!(said.invocations(), Some(2_830.0));
}

#[test]
fn waiting_ends_when_two_reads_agree_or_at_its_limit() {
    let fake = Fake::start(Day::Growing(4));
    let folder = Folder::of(&fake, 2 * HOUR);
    let said = folder.correlate(&["--wait", "--wait-every", "10ms"]);
    assert_eq!((said.code, said.cloudwatch.settled), (Some(0), Some(true)), "{}", said.stderr);
    assert_eq!(said.invocations(), Some(240.0), "ten a minute, four times as many in the end");
    assert_eq!(fake.asked().calls, 5, "the fifth read was as the fourth");
    let cost = said.cloudwatch.cost.unwrap();
    assert_eq!(cost.metrics, 5 * SERIES as u64);
    assert!(said.stderr.contains("waiting for a read that agrees"), "{}", said.stderr);

    let restless = Fake::start(Day::Growing(u32::MAX));
    let folder = Folder::of(&restless, 2 * HOUR);
    let said = folder.correlate(&["--wait=1s", "--wait-every", "300ms"]);
    assert_eq!((said.code, said.cloudwatch.settled), (Some(1), Some(false)));
    assert!(said.stderr.contains("no two reads agreed within 1 s"), "{}", said.stderr);
    assert!(said.points() > 0, "what came is kept");
}

#[test]
fn an_interrupted_wait_keeps_what_came() {
    let fake = Fake::start(Day::Growing(u32::MAX));
    let folder = Folder::of(&fake, 2 * HOUR);
    let mut child = Command::new(LOADGEN)
        .arg("correlate")
        .arg(folder.dir())
        .args(["--wait", "--wait-every", "100ms"])
        .stderr(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    while fake.asked().calls < 3 {
        std::thread::sleep(Duration::from_millis(20));
    }
    let pid = rustix::process::Pid::from_child(&child);
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130));
    let fetched = RunFolder::read(&folder.dir()).unwrap().cloudwatch.unwrap();
    assert_eq!(fetched.settled, Some(false));
    assert!(fetched.series.iter().any(|series| !series.points.is_empty()));
}

#[test]
fn log_lines_become_series_of_a_second_in_windows_that_nothing_is_cut_off_from() {
    let fake = Fake::start(Day::Complete);
    let folder = Folder::of(&fake, 2 * HOUR);
    let start = RunFolder::read(&folder.dir()).unwrap().manifest.run.started_at.as_millisecond();
    // Nobody expects so many: ten invocations a minute are what the metrics have.
    let report = |n: i64, init: &str| {
        format!("REPORT RequestId: {n}\tDuration: 250.00 ms\tBilled Duration: 250 ms\tMemory Size: 128 MB\tMax Memory Used: 90 MB{init}")
    };
    let mut lines: Vec<_> =
        (0..12_000).map(|n| (start + 10_000 + n * 5, "game-Send".to_owned(), report(n, ""))).collect();
    lines.push((start + 5_000, "game-Inserted".into(), report(-1, "\tInit Duration: 750.00 ms")));
    lines.push((start + 6_000, "other".into(), report(-2, "")));
    fake.logs(lines);
    let said = folder.correlate(&["--logs"]);
    said.is_fine();
    let windows = fake.windows();
    assert!(windows.len() > 1, "the first was cut off: {windows:?}");
    let of = |metric: &str, statistic: &str, function: &str| {
        let own = said.cloudwatch.series.iter().find(|one| {
            one.namespace == "Lambda/Reports"
                && (one.metric.as_str(), one.statistic.as_str()) == (metric, statistic)
                && one.dimensions["FunctionName"] == function
        });
        own.unwrap_or_else(|| panic!("no {metric} of {function}")).points.clone()
    };
    // 200 a second, each for a quarter of one, from the tenth second to the seventieth: 50 at the same time.
    let sum: f64 = of("Invocations", "Sum", "game-Send").iter().map(|(_, value)| value).sum();
    assert_eq!(sum, 12_000.0, "windows share their ends, and no line counts twice");
    let busy = of("ConcurrentExecutions", "Maximum", "game-Send");
    assert!(busy.contains(&(40.0, 50.0)), "{busy:?}");
    let started = of("ConcurrentExecutions", "Average", "game-Inserted");
    assert_eq!(started, [(4.0, 1.0), (5.0, 0.0)], "a quarter of a second, and three to start");
    assert_eq!(of("ColdStarts", "Sum", "game-Inserted")[0], (4.0, 1.0));
    let others = said.cloudwatch.series.iter().any(|one| one.dimensions.values().any(|name| name == "other"));
    assert!(!others, "only the backend's functions");
    assert!(said.cloudwatch.cost.unwrap().scanned_bytes > 0);
    assert_eq!(points(&said, "Errors", "Sum", "game-Send").len(), 6, "minutes stay minutes");
}

/// A backend of this process, whose policy lacks two permissions.
#[test]
fn limits_and_wiring_are_read_and_each_absent_permission_is_named_once() {
    let scenario = "name = \"own\"\nplayers = 10\nthresholds = []\n[target]\nprofile = \"strict.toml\"\n\
        [[phases]]\nkind = \"hold\"\nduration = \"3s\"\n[operations.send_message]\nrate = 20.0\n\
        [operations.placement_request]\nrate = 3.0\n";
    let profile = "base = \"instant\"\n[lambda]\naccount_concurrency = 120\n[lambda.functions.SendMessage]\n\
        reserved_concurrency = 7\ntimeout_s = 3.0\n[control]\nforbidden = [\"dynamodb:DescribeStream\", \
        \"lambda:GetFunctionConcurrency\"]\n";
    let ran = Scene::new(scenario).with("strict.toml", profile).run(&[]);
    ran.exits(0);
    let CloudWatch { limits, wiring, series, notes, problems, .. } = ran.folder().cloudwatch.unwrap();
    assert_eq!(problems, Vec::<String>::new());
    let said = notes.join("\n");
    for lacking in ["dynamodb:DescribeStream", "lambda:GetFunctionConcurrency"] {
        assert_eq!(said.matches(lacking).count(), 1, "{said}");
    }
    assert_eq!(notes.len(), 1, "everything else is answered: {said}");
    let limit = |kind, end: &str| {
        limits.iter().find(|limit| limit.kind == kind && limit.resource.ends_with(end)).map(|limit| limit.value)
    };
    assert_eq!(limit(LimitKind::AccountConcurrency, ""), Some(120.0));
    assert_eq!(limit(LimitKind::UnreservedConcurrency, ""), Some(113.0));
    assert_eq!(limit(LimitKind::TimeoutS, "-SendMessage"), Some(3.0));
    assert_eq!(limit(LimitKind::ReservedConcurrency, "-SendMessage"), None, "may not be read");
    assert_eq!(limit(LimitKind::OpenShards, "-Messages"), None, "may not be read");
    assert_eq!(limit(LimitKind::ScalingEnvironments, ""), Some(1_000.0));
    assert_eq!(limit(LimitKind::GameliftRequestsPerSecond, ""), None, "the profile switches it off");
    assert!(limit(LimitKind::QueueTimeoutS, "-Queue").is_some());
    assert!(limit(LimitKind::BatchSize, &wiring.mappings[0].uuid).is_some());

    let calls = |function: &str| function.ends_with("-OnMessageInserted");
    assert!(wiring.mappings.iter().any(|one| one.table.ends_with("-Messages") && calls(&one.function)));
    let route = wiring.routes.iter().find(|route| route.route == "$connect").unwrap();
    assert!(route.function.ends_with("-Connect") && route.authorizer.ends_with("-Authorizer"), "{route:?}");
    assert!(wiring.subscriptions.iter().any(|one| one.function.ends_with("-OnPlacementEvent")), "{wiring:?}");

    let has = |namespace: &str, metric: &str, key: &str| {
        series.iter().any(|one| {
            one.namespace == namespace
                && one.metric == metric
                && !one.points.is_empty()
                && one.dimensions.keys().any(|dimension| dimension == key)
        })
    };
    for (namespace, metric, key) in [
        ("AWS/Lambda", "Invocations", "FunctionName"),
        ("AWS/Lambda", "InvokedEventCount", "EventSourceMappingUUID"),
        ("AWS/ApiGateway", "ConnectCount", "ApiId"),
        ("AWS/DynamoDB", "ConsumedWriteCapacityUnits", "TableName"),
        ("AWS/DynamoDB", "SuccessfulRequestLatency", "Operation"),
        ("AWS/GameLift", "PlacementsStarted", "QueueName"),
        ("AWS/SNS", "NumberOfMessagesPublished", "TopicName"),
    ] {
        assert!(has(namespace, metric, key), "no point of {namespace} {metric} by {key}");
    }
    let account = series.iter().find(|one| one.metric == "UnreservedConcurrentExecutions").unwrap();
    assert!(account.dimensions.is_empty() && !account.points.is_empty(), "{account:?}");
    assert!(series.iter().any(|one| one.points.is_empty()), "empty series are kept");
}

#[test]
fn a_run_says_at_its_end_what_cloudwatch_did_not_give() {
    let scenario = |fake: &Fake| {
        format!(
            "name = \"own\"\nplayers = 5\nthresholds = []\n[target]\nprofile = \"instant\"\n[auth]\nmode = \"header\"\n\
             [[phases]]\nkind = \"hold\"\nduration = \"2s\"\n[operations.send_message]\nrate = 5.0\n\
             [cloudwatch]\nendpoint = \"{}\"\n",
            fake.url()
        )
    };
    let fake = Fake::start(Day::Forbidden);
    let ran = Scene::new(&scenario(&fake)).run(&[]);
    ran.exits(0);
    assert!(
        ran.stderr.contains("Forbidden") && ran.stdout.contains("Forbidden"),
        "{}\n{}",
        ran.stderr,
        ran.stdout
    );
    let fetched = ran.folder().cloudwatch.unwrap();
    assert!(fetched.problems[0].contains("Not authorized"), "{:?}", fetched.problems);
    assert_eq!((fetched.period_s, fake.asked().period), (1, 1), "a stack on this machine keeps seconds");
}

#[test]
fn a_bill_takes_what_cloudwatch_has_instead_of_what_was_estimated() {
    let fake = Fake::start(Day::Complete);
    let folder = Folder::of(&fake, 2 * HOUR);
    let line = |item: &str, quantity, price, known| CostItem {
        item: item.into(),
        quantity,
        price,
        per: 1e6,
        amount: quantity.map(|quantity| quantity * price / 1e6),
        known,
        ..CostItem::default()
    };
    let items = vec![
        line("connection_minutes", Some(4e6), 0.25, Known::Counted),
        line("lambda_requests", None, 0.2, Known::NotKnown),
        line("lambda_gb_seconds", Some(7.0), 16.0, Known::Estimated),
        line("lambda_init_gb_seconds", Some(7.0), 16.0, Known::Estimated),
    ];
    let cost = Cost { currency: "USD".into(), total: 1.0, items, ..Cost::default() };
    let summary = RunFolder::read(&folder.dir()).unwrap().summary.unwrap();
    save_summary(&folder.dir(), &Summary { cost: Some(cost), ..summary }).unwrap();

    let cost = folder.correlate(&[]).is_fine().summary.cost.clone().unwrap();
    let quantities: Vec<_> = cost.items.iter().map(|item| (item.quantity.unwrap(), item.known)).collect();
    // Two functions, six minutes of ten invocations of 20 ms each, four at once; of 256 MB and 60 ms of initialisation.
    let expected = [
        (4e6, Known::Counted),
        (120.0, Known::Cloudwatch),
        (120.0 * 0.02 * 0.25, Known::Estimated),
        (8.0 * 0.06 * 0.25, Known::Estimated),
    ];
    assert_eq!(quantities, expected);
    let gb_seconds = 120.0 * 0.02 * 0.25 + 8.0 * 0.06 * 0.25;
    assert!(
        cost.complete && (cost.total - (1.0 + 120.0 * 0.2e-6 + gb_seconds * 16e-6)).abs() < 1e-12,
        "{cost:?}"
    );
}
