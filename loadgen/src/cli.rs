//! The command line.

mod history;
pub mod report;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use output::Exit;
use scenarios::{Override, Span, command_line};
use serde_json::Value;
use url::Url;

use self::report::ReportArgs;
use crate::cloudwatch::Patience;
use crate::workers::split::Workers;

pub use history::{AddArgs, ExportArgs, ExportFormat, HistoryCommand, ShowArgs};

/// Load tests for game backends on serverless WebSockets.
#[derive(Debug, Parser)]
#[command(
    name = "loadgen",
    version,
    about,
    long_about = None,
    after_help = "Examples:\n  loadgen run quickstart\n  loadgen scenario list\n  loadgen scenario new my-game\n\n\
                  `check`, `explain`, `list`, `new` and `schema` work without the word `scenario` as well."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

impl Cli {
    /// Reads the command line. Prints help or a usage error and ends the process where that is asked for or needed, without
    /// quoting a value that may be a secret.
    #[must_use]
    pub fn read() -> Self {
        let matches = command().try_get_matches();
        matches
            .and_then(|matches| Self::from_arg_matches(&matches))
            .unwrap_or_else(|error| redacted(error).exit())
    }
}

/// The error without a value that may be a secret.
fn redacted(mut error: clap::Error) -> clap::Error {
    let quoted = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let (argument, value) = (quoted(ContextKind::InvalidArg), quoted(ContextKind::InvalidValue));
    if error.kind() == ErrorKind::UnknownArgument {
        error.insert(ContextKind::InvalidArg, ContextValue::String(command_line::argument(&argument)));
    } else if !value.is_empty() {
        // `--set <KEY=VALUE>`, as its usage has it.
        let flag = argument.split(' ').next().unwrap_or_default();
        error.insert(ContextKind::InvalidValue, ContextValue::String(command_line::flag_value(flag, &value)));
    }
    error
}

/// The command line as clap has it. The commands of `scenario` work without that word as well, but are listed with it only.
#[must_use]
pub fn command() -> clap::Command {
    let shape = Cli::command();
    let direct = ScenarioCommand::augment_subcommands(clap::Command::new("scenario"));
    let names: Vec<_> = direct.get_subcommands().map(|command| command.get_name().to_owned()).collect();
    names.into_iter().fold(shape, |shape, name| shape.mut_subcommand(name, |command| command.hide(true)))
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run a scenario and write a run folder with a report.
    Run(RunArgs),
    /// Write a run folder's report again and print its summary, or the run as Markdown, JUnit, CSV, OpenMetrics, JSON.
    Report(ReportArgs),
    /// Fetch CloudWatch for a run's window (it lags by minutes) and write the report again.
    Correlate(CorrelateArgs),
    /// Find out which part gave way first, again and offline, and write the report again.
    #[command(after_help = "Examples:\n  loadgen attribute runs/quickstart-20261122T090000Z-1a2b3c\n  \
        loadgen attribute --json runs/quickstart-20261122T090000Z-1a2b3c | jq .summary.correlation")]
    Attribute {
        /// The run folder.
        run: PathBuf,
        /// Print one JSON object instead of the summary.
        #[arg(long)]
        json: bool,
    },
    /// Compare runs with earlier ones: is it slower, and is that real?
    Compare(CompareArgs),
    /// Find the highest rate, or number of players, at which a scenario's thresholds pass.
    Capacity(CapacityArgs),
    /// Keep what was measured over the weeks, and show at which commit it changed.
    #[command(subcommand)]
    History(HistoryCommand),
    /// Pre-run checks: this machine, the credentials and the target, with a remedy for each problem.
    Doctor(DoctorArgs),
    /// Validate, explain, create or list scenarios, or print their JSON Schema.
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// List, show, validate or try protocols (how backends talk), or print their JSON Schema.
    #[command(subcommand)]
    Protocol(ProtocolCommand),
    /// Print a shell completion script.
    #[command(
        after_help = "Examples:\n  loadgen completions bash > ~/.local/share/bash-completion/completions/loadgen\n  \
                      loadgen completions zsh > \"${fpath[1]}/_loadgen\"\n  \
                      loadgen completions fish > ~/.config/fish/completions/loadgen.fish"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// The commands of `scenario`, without that word.
    #[command(flatten)]
    Direct(ScenarioCommand),
    /// The embedded backend, started by `run`.
    #[command(name = crate::embedded::COMMAND, hide = true)]
    EmbeddedBackend(reference_backend_local::serve::Serve),
    /// A worker, started by `run`.
    #[command(name = crate::workers::COMMAND, hide = true)]
    Worker {
        /// Threads that run its sockets.
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// A front door of the embedded backend, started by it.
    #[command(name = reference_backend_local::gateway::front::COMMAND, hide = true)]
    FrontDoor,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = format!("Examples:\n  \
    loadgen run quickstart\n  \
    loadgen run idle -p 15000\n  \
    loadgen run scenarios/hundred-thousand.toml --workers 6\n  \
    loadgen run my.toml --target wss://abc.execute-api.eu-west-1.amazonaws.com/Staging --set auth.issuer=https://id.example\n\n\
    Exit codes: {}.", Exit::summary()))]
pub struct RunArgs {
    /// The scenario, and where its results go.
    #[command(flatten)]
    pub job: JobArgs,
    /// Check everything and print what the run would do; nothing is sent, nothing is written.
    #[arg(long)]
    pub dry_run: bool,
    /// Serve live metrics at http://ADDR/metrics, for Prometheus, e.g. 127.0.0.1:9464.
    #[arg(long, value_name = "ADDR")]
    pub prometheus: Option<SocketAddr>,
    /// Send live metrics every 5 s to an OpenTelemetry collector (OTLP over HTTP), e.g. http://127.0.0.1:4318; headers come
    /// from OTEL_EXPORTER_OTLP_HEADERS.
    #[arg(long, value_name = "URL")]
    pub otlp: Option<Url>,
}

/// Arguments of every command that runs a scenario.
#[derive(Debug, Args)]
pub struct JobArgs {
    /// The scenario.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Split the players over N processes, each with its own limit of open files; `auto`: as many as needed.
    #[arg(long, value_name = "N|auto")]
    pub workers: Option<Workers>,
    /// Folder of the results, new or empty [default: a new one in runs/].
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print neither progress nor summary; errors, and one line if the exit code is not 0, still go to standard error.
    #[arg(short, long)]
    pub quiet: bool,
    /// Print one JSON object instead of the summary; progress goes to standard error.
    #[arg(long)]
    pub json: bool,
}

/// A scenario, and its overrides.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The scenario: a file, `-` for standard input, or the name of one that ships (`loadgen scenario list`).
    pub scenario: PathBuf,
    /// `embedded`, or a ws:// or wss:// URL; overrides the scenario's `target.url`.
    #[arg(long, value_name = "embedded|URL")]
    pub target: Option<String>,
    /// How the target talks: a protocol that ships (`loadgen protocol list`), or a file; overrides the scenario's
    /// `protocol`.
    #[arg(long, value_name = "NAME|PATH")]
    pub protocol: Option<String>,
    /// Number of players; overrides the scenario's `players`.
    #[arg(short, long, value_name = "N")]
    pub players: Option<u32>,
    /// Override a key of the scenario, e.g. `players=5000` or `phases.0.duration=10s`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<Override>,
    /// Seed of every random choice; overrides the scenario's `seed`.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Do not verify certificates; only for a target on this machine. The report has a warning.
    #[arg(long)]
    pub insecure: bool,
}

impl PlanArgs {
    /// All overrides, the flags among them, in the order in which they apply.
    #[must_use]
    pub fn all_overrides(&self) -> Vec<Override> {
        let Self { target, protocol, players, seed, insecure, .. } = self;
        all_overrides(&self.overrides, target.as_ref(), protocol.as_ref(), *players, *seed, *insecure)
    }
}

fn all_overrides(
    overrides: &[Override],
    target: Option<&String>,
    protocol: Option<&String>,
    players: Option<u32>,
    seed: Option<u64>,
    insecure: bool,
) -> Vec<Override> {
    let flag = |key: &str, value: String| Override { key: key.into(), value };
    let mut all = overrides.to_vec();
    all.extend(target.map(|target| flag("target.url", target.clone())));
    all.extend(protocol.map(|protocol| flag("protocol", Value::from(protocol.as_str()).to_string())));
    all.extend(players.map(|players| flag("players", players.to_string())));
    all.extend(seed.map(|seed| flag("seed", seed.to_string())));
    all.extend(insecure.then(|| flag("target.insecure", "true".into())));
    all
}

/// Arguments of `correlate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen correlate runs/staging-20261122T090000Z-1a2b3c\n  \
    loadgen correlate runs/staging-20261122T090000Z-1a2b3c --wait\n  \
    loadgen correlate runs/staging-20261122T090000Z-1a2b3c --function-prefix mygame-Staging- --region eu-west-1\n\n\
    Exit codes: 0 everything was fetched, 1 something could not be fetched, 2 usage error or a mistake in [cloudwatch], 130 interrupted.")]
pub struct CorrelateArgs {
    /// The run folder.
    pub run: PathBuf,
    /// Full names of the Lambda functions; overrides the scenario's `cloudwatch.functions`.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub functions: Vec<String>,
    /// All functions whose name begins with PREFIX, instead of those that the scenario names; overrides
    /// `cloudwatch.function_prefix`.
    #[arg(long, value_name = "PREFIX", conflicts_with = "functions")]
    pub function_prefix: Option<String>,
    /// AWS region; overrides `cloudwatch.region`.
    #[arg(long)]
    pub region: Option<String>,
    /// Endpoint to ask instead of AWS; overrides `cloudwatch.endpoint`.
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Read until two reads a minute apart agree, for LIMIT at most: points grow for minutes after they first show.
    #[arg(long, value_name = "LIMIT", num_args = 0..=1, require_equals = true, default_missing_value = "20m")]
    pub wait: Option<Span>,
    /// Read the functions' logs as well, for concurrency, cold starts and memory of every second; AWS bills the bytes scanned,
    /// which are told before. Overrides `cloudwatch.logs`.
    #[arg(long)]
    pub logs: bool,
    /// Time between two reads instead of a minute.
    #[arg(long, hide = true, requires = "wait")]
    pub wait_every: Option<Span>,
    /// Override a key of `[cloudwatch]` in the run's scenario, e.g. `cloudwatch.period_s=300`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<Override>,
    /// Print one JSON object instead of the summary.
    #[arg(long)]
    pub json: bool,
}

impl CorrelateArgs {
    /// How long to wait; `None`: not at all.
    #[must_use]
    pub fn patience(&self) -> Option<Patience> {
        let wait = self.wait?;
        Some(Patience { limit: wait.0, every: self.wait_every.map(|every| every.0) })
    }

    /// All overrides, the flags among them, in the order in which they apply.
    #[must_use]
    pub fn all_overrides(&self) -> Vec<Override> {
        let set =
            |key: &str, value: Value| Override { key: format!("cloudwatch.{key}"), value: value.to_string() };
        let mut all = self.overrides.clone();
        if !self.functions.is_empty() {
            all.push(set("functions", Value::from(self.functions.clone())));
        }
        if let Some(prefix) = &self.function_prefix {
            all.push(set("functions", Value::Array(Vec::new())));
            all.push(set("function_prefix", Value::from(prefix.as_str())));
        }
        all.extend(self.logs.then(|| set("logs", true.into())));
        for (key, value) in [("region", &self.region), ("endpoint", &self.endpoint)] {
            all.extend(value.as_ref().map(|value| set(key, Value::from(value.as_str()))));
        }
        all
    }
}

/// Arguments of `compare`.
#[derive(Debug, Args)]
#[command(
    override_usage = "loadgen compare [OPTIONS] <BASE> <CANDIDATE>\n       \
        loadgen compare [OPTIONS] --base <BASE>... --candidate <CANDIDATE>...",
    after_help = "Examples:\n  \
    loadgen compare runs/before runs/after\n  \
    loadgen compare runs/before runs/after --fail-on regression --html comparison.html\n  \
    loadgen compare --base runs/main-* --candidate runs/branch-* --markdown - >> \"$GITHUB_STEP_SUMMARY\"\n\n\
    Exit codes: 0 compared, 1 failure, 2 usage error, or the runs are not comparable, 5 a regression (with --fail-on)."
)]
pub struct CompareArgs {
    /// The run folder to compare with, and the one that is judged.
    #[arg(
        value_names = ["BASE", "CANDIDATE"],
        num_args = 2,
        required_unless_present = "base",
        conflicts_with_all = ["base", "candidate"]
    )]
    pub runs: Vec<PathBuf>,
    /// Run folders to compare with: repeated runs of the same.
    #[arg(long, value_name = "BASE", num_args = 1.., requires = "candidate")]
    pub base: Vec<PathBuf>,
    /// Run folders that are judged: repeated runs of the same.
    #[arg(long, value_name = "CANDIDATE", num_args = 1.., requires = "base")]
    pub candidate: Vec<PathBuf>,
    /// Exit with 5 where a measure has regressed.
    #[arg(long, value_enum, value_name = "regression")]
    pub fail_on: Option<FailOn>,
    /// Differences up to this share of the base do not matter.
    #[arg(long, value_name = "SHARE", default_value = "2.5%", value_parser = margin)]
    pub margin: f64,
    /// Differences of error and loss rates up to this do not matter, in percentage points.
    #[arg(long, value_name = "POINTS", default_value = "0.1%", value_parser = margin)]
    pub share_margin: f64,
    /// Compare runs that are not comparable; every output says so.
    #[arg(long)]
    pub force: bool,
    /// Write a page with everything, which opens offline.
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Write Markdown; `-`: to standard output, instead of the text.
    #[arg(long, value_name = "FILE")]
    pub markdown: Option<PathBuf>,
    /// Write JSON; `-`: to standard output, instead of the text.
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
}

impl CompareArgs {
    /// The folders of both sides.
    #[must_use]
    pub fn sides(&self) -> (Vec<PathBuf>, Vec<PathBuf>) {
        match self.runs.as_slice() {
            [base, candidate] => (vec![base.clone()], vec![candidate.clone()]),
            _ => (self.base.clone(), self.candidate.clone()),
        }
    }
}

/// What `compare` fails on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A measure has regressed.
    Regression,
}

fn margin(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').ok_or("write a percentage with its sign, e.g. 5%")?;
    let percent = percent.trim().parse::<f64>().map_err(|error| error.to_string())?;
    if (0.0..=100.0).contains(&percent) {
        Ok(percent / 100.0)
    } else {
        Err("a margin must be 0% to 100%".into())
    }
}

/// Arguments of `capacity`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen capacity quickstart\n  \
    loadgen capacity my.toml --from 200 --precision 3% --max-duration 2h\n  \
    loadgen capacity scenarios/idle.toml --vary players --from 1000 --to 20000\n\n\
    Exit codes: 0 the knee is found, or --to holds, 1 failure or out of time, 2 usage or scenario error,\n\
    3 the lowest load fails, 4 the generator reached its limit before the target, 130 interrupted.")]
pub struct CapacityArgs {
    /// The scenario, and where its results go.
    #[command(flatten)]
    pub job: JobArgs,
    /// What to vary: the rates of all operations together, or the number of players.
    #[arg(long, value_enum, default_value_t)]
    pub vary: Varied,
    /// First load: operations per second in total, or players [default: the scenario's].
    #[arg(long, value_parser = level)]
    pub from: Option<f64>,
    /// Highest load to try.
    #[arg(long, value_parser = level)]
    pub to: Option<f64>,
    /// Widest interval that counts as found.
    #[arg(long, value_name = "SHARE", default_value = "5%", value_parser = share)]
    pub precision: f64,
    /// Maximum number of runs per load; the majority decides.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub repeats: u32,
    /// Pause between two runs, for the target to recover.
    #[arg(long, default_value = "2s")]
    pub cool_down: Span,
    /// Start no run that would likely end after this.
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

fn level(text: &str) -> Result<f64, String> {
    let level = scenarios::units::rate(text)?;
    if level.is_finite() && level > 0.0 { Ok(level) } else { Err("a load must be above 0".into()) }
}

fn share(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').ok_or("write a percentage with its sign, e.g. 5%")?;
    let percent = percent.trim().parse::<f64>().map_err(|error| error.to_string())?;
    if (0.1..=100.0).contains(&percent) {
        Ok(percent / 100.0)
    } else {
        Err("a precision must be 0.1% to 100%".into())
    }
}

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen doctor\n  \
    loadgen doctor my.toml -p 20000\n  \
    loadgen doctor --target wss://abc.execute-api.eu-west-1.amazonaws.com/Staging --json\n\n\
    Exit codes: 0 no failures, 1 a run would fail, 2 usage or scenario error.")]
pub struct DoctorArgs {
    /// The scenario to check for (a file, `-`, or one that ships) [default: none, only the machine and `--target`].
    pub scenario: Option<PathBuf>,
    /// A ws:// or wss:// URL to connect to; overrides the scenario's `target.url`.
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// How the target talks: a protocol that ships, or a file; overrides the scenario's `protocol`.
    #[arg(long, value_name = "NAME|PATH")]
    pub protocol: Option<String>,
    /// Number of players; overrides the scenario's `players`.
    #[arg(short, long, value_name = "N", requires = "scenario")]
    pub players: Option<u32>,
    /// Override a key of the scenario, e.g. `players=5000`.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "scenario")]
    pub overrides: Vec<Override>,
    /// Do not verify certificates; only for a target on this machine.
    #[arg(long)]
    pub insecure: bool,
    /// Print the findings as one JSON object.
    #[arg(long)]
    pub json: bool,
}

impl DoctorArgs {
    /// All overrides, the target among them.
    #[must_use]
    pub fn all_overrides(&self) -> Vec<Override> {
        let Self { target, protocol, players, insecure, .. } = self;
        all_overrides(&self.overrides, target.as_ref(), protocol.as_ref(), *players, None, *insecure)
    }
}

/// Commands about scenarios.
#[derive(Debug, Subcommand)]
pub enum ScenarioCommand {
    /// Validate a scenario: every mistake with file, line and remedy.
    #[command(after_help = "Examples:\n  loadgen scenario check my.toml -p 5000\n  \
        generate | loadgen scenario check -")]
    Check(ScenarioArgs),
    /// Explain what a scenario will do, with a chart and the cost on AWS.
    #[command(after_help = "Example:\n  loadgen scenario explain quickstart")]
    Explain(ScenarioArgs),
    /// List the scenarios that ship with this program; `run NAME` runs one.
    #[command(after_help = "Example:\n  loadgen scenario list")]
    List {
        /// Print one JSON object instead.
        #[arg(long)]
        json: bool,
    },
    /// Write a commented scenario to start from, or a copy of one that ships.
    #[command(
        after_help = "Examples:\n  loadgen scenario new my-game\n  loadgen scenario new evening --from lobby\n  \
        loadgen scenario new - --from spike > mine.toml"
    )]
    New {
        /// The file; `.toml` is added if it has no extension. `-`: standard output.
        #[arg(default_value = "my-scenario")]
        file: PathBuf,
        /// The scenario to copy, of those that ship.
        #[arg(long, value_name = "NAME")]
        from: Option<String>,
        /// Print one JSON object instead of a sentence.
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of scenario files.
    #[command(after_help = "Example:\n  loadgen scenario schema > scenario.schema.json")]
    Schema,
}

/// Commands about protocols.
#[derive(Debug, Subcommand)]
pub enum ProtocolCommand {
    /// List the protocols that a scenario can name.
    #[command(after_help = "Example:\n  loadgen protocol list")]
    List {
        /// Print one JSON object instead.
        #[arg(long)]
        json: bool,
    },
    /// Print a protocol's file, and before it, as comments, what is sent and awaited.
    #[command(after_help = "Examples:\n  loadgen protocol show reference\n  \
        loadgen protocol show tutorial > mine.toml\n  loadgen protocol show mine.toml --json")]
    Show(ProtocolArgs),
    /// Validate a protocol: every mistake with file, line and remedy; else what is sent and awaited.
    #[command(after_help = "Examples:\n  loadgen protocol check mine.toml\n  \
        loadgen protocol check mine.toml --json\n\n\
        Exit codes: 0 no mistakes, 2 mistakes.")]
    Check(ProtocolArgs),
    /// Try a protocol on a target: two players do each operation once, and every message is printed with what it was taken
    /// for and why.
    Try(TryArgs),
    /// Print the JSON Schema of protocol files.
    #[command(after_help = "Example:\n  loadgen protocol schema > protocol.schema.json")]
    Schema,
}

/// A protocol, and the form of the output.
#[derive(Debug, Args)]
pub struct ProtocolArgs {
    /// The protocol: a file, or a name of `loadgen protocol list`.
    pub protocol: String,
    /// Print one JSON object instead.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `protocol try`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen protocol try reference --target embedded\n  \
    loadgen protocol try mine.toml --target ws://127.0.0.1:3001\n  \
    loadgen protocol try mine.toml --target wss://abc.execute-api.eu-west-1.amazonaws.com/Staging --set auth.mode=none\n\n\
    Exit codes: 0 everything that was expected came, 1 failure, or no player could connect, 2 usage error or mistakes in the\n\
    protocol, 3 something that was expected did not come, 130 interrupted.")]
pub struct TryArgs {
    /// The protocol: a file, or a name of `loadgen protocol list`.
    pub protocol: String,
    /// `embedded`, or a ws:// or wss:// URL.
    #[arg(long, value_name = "embedded|URL")]
    pub target: String,
    /// The target's REST API; without it, operations that are polled are left out.
    #[arg(long, value_name = "URL")]
    pub rest: Option<String>,
    /// How long an answer or a push is awaited.
    #[arg(long, default_value = "10s")]
    pub timeout: Span,
    /// Set a key that a scenario would have, e.g. `auth.mode=none` or `operations.chat.lobby=blue`. Without any `auth`
    /// players say who they are in `X-Player-Id` (`auth.mode=header`), unless the protocol holds a token.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<Override>,
    /// Do not verify certificates; only for a target on this machine.
    #[arg(long)]
    pub insecure: bool,
    /// Print long messages whole.
    #[arg(long)]
    pub full: bool,
    /// Print one JSON object in a line for each message, and one for the outcome.
    #[arg(long)]
    pub json: bool,
}

impl TryArgs {
    /// All overrides, the flags among them.
    #[must_use]
    pub fn all_overrides(&self) -> Vec<Override> {
        let mut all = all_overrides(&self.overrides, Some(&self.target), None, None, None, self.insecure);
        all.extend(
            self.rest.as_ref().map(|rest| Override { key: "target.rest".into(), value: rest.clone() }),
        );
        all
    }
}

/// A scenario, and the form of the output.
#[derive(Debug, Args)]
pub struct ScenarioArgs {
    /// The scenario.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Print one JSON object instead.
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        command().debug_assert();
    }
}
