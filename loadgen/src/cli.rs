//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use reports::capacity::Vary;
use scenarios::{Override, Span};
use url::Url;

use crate::capacity;
use crate::workers::Workers;

/// Load tests for game backends on serverless WebSockets.
#[derive(Debug, Parser)]
#[command(name = "loadgen", version, about, long_about = None, after_help = "Example:\n  loadgen run scenarios/quickstart.toml")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario, measure, and leave a run folder with a report.
    Run(RunArgs),
    /// Make a run folder's report again and print its summary.
    #[command(after_help = "Examples:\n  loadgen report runs/quickstart-20261122T090000Z-1a2b3c\n  \
        loadgen report --exit-code runs/quickstart-20261122T090000Z-1a2b3c && echo fine")]
    Report {
        /// The run folder.
        run: PathBuf,
        /// Exit with the code that the run had: 0 fine, 1 failure, 3 a threshold failed, 4 invalid, 130 interrupted.
        #[arg(long)]
        exit_code: bool,
    },
    /// Fetch CloudWatch for a run's window (it lags by minutes) and make the report again.
    #[command(
        after_help = "Example:\n  loadgen correlate runs/staging-20261122T090000Z-1a2b3c --set cloudwatch.function_prefix=mygame-Staging-"
    )]
    Correlate {
        /// The run folder.
        run: PathBuf,
        /// Override a key of the run's scenario, e.g. `cloudwatch.region=eu-west-1`.
        #[arg(long = "set", value_name = "KEY=VALUE")]
        overrides: Vec<Override>,
    },
    /// Find the highest rate, or number of sockets, that holds a scenario's thresholds.
    Capacity(CapacityArgs),
    /// Look at this machine, the credentials and the target: what stands in a run's way, and how to change it.
    Doctor(DoctorArgs),
    /// Check a scenario, say what it will do, or print the JSON Schema.
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// The embedded backend of `run`.
    #[command(name = crate::embedded::COMMAND, hide = true)]
    EmbeddedBackend(reference_backend::cli::Serve),
    /// Does a part of a run, which starts it.
    #[command(name = crate::workers::COMMAND, hide = true)]
    Worker {
        /// Threads that serve its sockets.
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// Holds sockets for the embedded backend, which starts it.
    #[command(name = reference_backend::local::gateway::front::COMMAND, hide = true)]
    FrontDoor,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen run scenarios/quickstart.toml\n  \
    loadgen run scenarios/idle.toml --set players=15000\n  \
    loadgen run scenarios/hundred-thousand.toml --workers 6\n  \
    loadgen run my.toml --target wss://abc.execute-api.eu-west-1.amazonaws.com/Staging --set auth.issuer=https://id.example\n\n\
    Exit codes: 0 fine, 1 failure, 2 usage or scenario error, 3 a threshold failed, 4 invalid run, 130 interrupted.")]
pub struct RunArgs {
    /// What is run, and where it is kept.
    #[command(flatten)]
    pub job: JobArgs,
    /// Serve the figures so far at http://ADDR/metrics, for Prometheus, e.g. 127.0.0.1:9464.
    #[arg(long, value_name = "ADDR")]
    pub prometheus: Option<SocketAddr>,
    /// Send the figures so far every 5 s to an OpenTelemetry collector (OTLP over HTTP), e.g. http://127.0.0.1:4318;
    /// OTEL_EXPORTER_OTLP_HEADERS may hold headers.
    #[arg(long, value_name = "URL")]
    pub otlp: Option<Url>,
}

/// What every command that runs a scenario takes.
#[derive(Debug, Args)]
pub struct JobArgs {
    /// The scenario file.
    pub scenario: PathBuf,
    /// `embedded`, or a ws:// or wss:// URL; overrides the scenario's `target.url`.
    #[arg(long, value_name = "embedded|URL")]
    pub target: Option<String>,
    /// Split the players over so many processes, each with its own limit of open files; `auto`: as many as that takes.
    #[arg(long, value_name = "N|auto")]
    pub workers: Option<Workers>,
    /// The folder of the results, new or empty; left out: one of its own in runs/.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Override a key of the scenario, e.g. `players=5000` or `phases.0.duration=10s`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<Override>,
    /// Seed of every random choice; overrides the scenario's `seed`.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Neither progress nor summary; errors still go to standard error.
    #[arg(long)]
    pub quiet: bool,
}

impl JobArgs {
    /// All overrides, the flags among them, in the order in which they apply.
    #[must_use]
    pub fn all_overrides(&self) -> Vec<Override> {
        all_overrides(&self.overrides, self.target.as_ref(), self.seed)
    }
}

fn all_overrides(overrides: &[Override], target: Option<&String>, seed: Option<u64>) -> Vec<Override> {
    let flag = |key: &str, value: String| Override { key: key.into(), value };
    let mut all = overrides.to_vec();
    all.extend(target.map(|target| flag("target.url", target.clone())));
    all.extend(seed.map(|seed| flag("seed", seed.to_string())));
    all
}

/// Arguments of `capacity`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen capacity scenarios/quickstart.toml\n  \
    loadgen capacity my.toml --from 200 --precision 3% --max-duration 2h\n  \
    loadgen capacity scenarios/idle.toml --vary players --from 1000 --to 20000\n\n\
    Exit codes: 0 the knee is found, or even --to holds, 1 failure or out of time, 2 usage or scenario error,\n\
    3 not even the lowest load holds, 4 the generator gave way before the target, 130 interrupted.")]
pub struct CapacityArgs {
    /// What is run, and where it is kept.
    #[command(flatten)]
    pub job: JobArgs,
    /// What is varied: the rates of all operations together, or the number of players.
    #[arg(long, value_enum, default_value_t)]
    pub vary: Varied,
    /// First load: operations a second in all, or players; left out: the scenario's own.
    #[arg(long, value_parser = level)]
    pub from: Option<f64>,
    /// Highest load to try.
    #[arg(long, value_parser = level)]
    pub to: Option<f64>,
    /// Widest interval that counts as found.
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    pub precision: f64,
    /// Runs of a load at most; the majority decides.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub repeats: u32,
    /// Pause between two runs, for the target to recover.
    #[arg(long, default_value = "2s")]
    pub cool_down: Span,
    /// Begin no run that would likely end after this.
    #[arg(long, default_value = "1h")]
    pub max_duration: Span,
}

/// What `capacity` varies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Varied {
    /// The rates of all operations together.
    #[default]
    Rate,
    /// The number of players.
    Players,
}

impl CapacityArgs {
    /// What is asked for.
    #[must_use]
    pub fn request(self) -> capacity::Request {
        let overrides = self.job.all_overrides();
        let JobArgs { scenario, workers, out, quiet, .. } = self.job;
        capacity::Request {
            scenario,
            overrides,
            out,
            workers,
            vary: match self.vary {
                Varied::Rate => Vary::Rate,
                Varied::Players => Vary::Players,
            },
            from: self.from,
            to: self.to,
            precision: self.precision,
            repeats: self.repeats,
            cool_down: self.cool_down.0,
            max_duration: self.max_duration.0,
            quiet,
        }
    }
}

fn level(text: &str) -> Result<f64, String> {
    let level = text.parse::<f64>().map_err(|error| error.to_string())?;
    if level.is_finite() && level > 0.0 { Ok(level) } else { Err("a load lies above 0".into()) }
}

fn share(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').ok_or("write a share with its sign, e.g. 5%")?;
    let percent = percent.trim().parse::<f64>().map_err(|error| error.to_string())?;
    if (0.1..=100.0).contains(&percent) {
        Ok(percent / 100.0)
    } else {
        Err("a precision is 0.1% to 100%".into())
    }
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen doctor\n  \
    loadgen doctor my.toml --set players=20000\n  \
    loadgen doctor --target wss://abc.execute-api.eu-west-1.amazonaws.com/Staging --json\n\n\
    Exit codes: 0 nothing is in the way, 1 a run would fail, 2 usage or scenario error.")]
pub struct DoctorArgs {
    /// The scenario to prepare for; left out: the machine alone, and the target if one is named.
    pub scenario: Option<PathBuf>,
    /// A ws:// or wss:// URL to try; overrides the scenario's `target.url`.
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Override a key of the scenario, e.g. `players=5000`.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "scenario")]
    pub overrides: Vec<Override>,
    /// Print the findings as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl DoctorArgs {
    /// All overrides, the target among them.
    #[must_use]
    pub fn all_overrides(&self) -> Vec<Override> {
        all_overrides(&self.overrides, self.target.as_ref(), None)
    }
}

/// What to do with a scenario.
#[derive(Debug, Subcommand)]
pub enum ScenarioCommand {
    /// Report every mistake of a scenario, with file, line and remedy.
    #[command(after_help = "Example:\n  loadgen scenario check my.toml --set players=5000")]
    Check(ScenarioArgs),
    /// Say in sentences what a scenario will do.
    #[command(after_help = "Example:\n  loadgen scenario explain scenarios/quickstart.toml")]
    Explain(ScenarioArgs),
    /// Print the JSON Schema of scenario files.
    #[command(after_help = "Example:\n  loadgen scenario schema > scenario.schema.json")]
    Schema,
}

/// A scenario with overrides.
#[derive(Debug, Args)]
pub struct ScenarioArgs {
    /// The scenario file.
    pub scenario: PathBuf,
    /// Override a key of the scenario.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<Override>,
}
