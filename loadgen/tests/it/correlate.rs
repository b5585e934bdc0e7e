//! `correlate`: what CloudWatch gives and does not give, beside a folder that has something already.

mod fake;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use reports::folder::{RunFolder, RunWriter};
use reports::format::{
    CloudWatch, Manifest, OperationSecond, Run, SCHEMA_VERSION, SeriesLine, SeriesStatus, Summary,
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
    assert_eq!((said.tells(&["PartialData"]).points(), said.with(SeriesStatus::PartialData)), (ALL / 2, SERIES));
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
