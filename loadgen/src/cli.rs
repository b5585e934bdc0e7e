//! The command line.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use reports::capacity::Vary;
use scenarios::{Override, Span, redact};
use serde_json::Value;
use url::Url;

use crate::commands::capacity::{self, Progress};
use crate::workers::split::Workers;

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
    /// Reads the command line; ends the process where there is nothing to do but to print help or a mistake. A value that
    /// is wrong may be a secret all the same.
    #[must_use]
    pub fn read() -> Self {
        let matches = command().try_get_matches();
        matches
            .and_then(|matches| Self::from_arg_matches(&matches))
            .unwrap_or_else(|error| hushed(error).exit())
    }
}

/// The error without what may be a secret in the value that it quotes.
fn hushed(mut error: clap::Error) -> clap::Error {
    let quoted = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        _ => String::new(),
    };
    let (argument, value) = (quoted(ContextKind::InvalidArg), quoted(ContextKind::InvalidValue));
    if error.kind() == ErrorKind::UnknownArgument {
        error.insert(ContextKind::InvalidArg, ContextValue::String(redact::argument(&argument)));
    } else if !value.is_empty() {
        // `--set <KEY=VALUE>`, as its usage has it.
        let flag = argument.split(' ').next().unwrap_or_default();
        error.insert(ContextKind::InvalidValue, ContextValue::String(redact::flag_value(flag, &value)));
    }
    error
}

/// The command line's shape. What is said without the word `scenario` is understood, but listed with it only.
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
        /// Print one JSON object instead of the summary.
        #[arg(long)]
        json: bool,
    },
    /// Fetch CloudWatch for a run's window (it lags by minutes) and make the report again.
    Correlate(CorrelateArgs),
    /// Find the highest rate, or number of sockets, that holds a scenario's thresholds.
    Capacity(CapacityArgs),
    /// Look at this machine, the credentials and the target: what stands in a run's way, and how to change it.
    Doctor(DoctorArgs),
    /// Check a scenario, say what it will do, begin a new one, list those that ship, or print the JSON Schema.
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// Print what makes a shell complete this command line.
    #[command(
        after_help = "Examples:\n  loadgen completions bash > ~/.local/share/bash-completion/completions/loadgen\n  \
                      loadgen completions zsh > \"${fpath[1]}/_loadgen\"\n  \
                      loadgen completions fish > ~/.config/fish/completions/loadgen.fish"
    )]
    Completions {
        /// The shell.
        shell: Shell,
    },
    /// What `scenario` does, without the word.
    #[command(flatten)]
    Direct(ScenarioCommand),
    /// The embedded backend of `run`.
    #[command(name = crate::embedded::COMMAND, hide = true)]
    EmbeddedBackend(reference_backend_local::serve::Serve),
    /// Does a part of a run, which starts it.
    #[command(name = crate::workers::COMMAND, hide = true)]
    Worker {
        /// Threads that serve its sockets.
        #[arg(long, default_value_t = 1)]
        threads: usize,
    },
    /// Holds sockets for the embedded backend, which starts it.
    #[command(name = reference_backend_local::gateway::front::COMMAND, hide = true)]
    FrontDoor,
}

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen run quickstart\n  \
    loadgen run idle -p 15000\n  \
    loadgen run scenarios/hundred-thousand.toml --workers 6\n  \
    loadgen run my.toml --target wss://abc.execute-api.eu-west-1.amazonaws.com/Staging --set auth.issuer=https://id.example\n\n\
    Exit codes: 0 fine, 1 failure, 2 usage or scenario error, 3 a threshold failed, 4 invalid run, 130 interrupted.")]
pub struct RunArgs {
    /// What is run, and where it is kept.
    #[command(flatten)]
    pub job: JobArgs,
    /// Check everything and say what would be done; nothing is sent, nothing is written.
    #[arg(long)]
    pub dry_run: bool,
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
    /// The scenario.
    #[command(flatten)]
    pub plan: PlanArgs,
    /// Split the players over so many processes, each with its own limit of open files; `auto`: as many as that takes.
    #[arg(long, value_name = "N|auto")]
    pub workers: Option<Workers>,
    /// The folder of the results, new or empty; left out: one of its own in runs/.
    #[arg(short, long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Neither progress nor summary; errors, and one line if the end is not fine, still go to standard error.
    #[arg(short, long)]
    pub quiet: bool,
    /// Print one JSON object instead of the summary; progress goes to standard error.
    #[arg(long)]
    pub json: bool,
}

/// A scenario, and what is to be different about it.
#[derive(Debug, Args)]
pub struct PlanArgs {
    /// The scenario: a file, `-` for standard input, or the name of one that ships (`loadgen scenario list`).
    pub scenario: PathBuf,
    /// `embedded`, or a ws:// or wss:// URL; overrides the scenario's `target.url`.
    #[arg(long, value_name = "embedded|URL")]
    pub target: Option<String>,
    /// Number of players; overrides the scenario's `players`.
    #[arg(short, long, value_name = "N")]
    pub players: Option<u32>,
    /// Override a key of the scenario, e.g. `players=5000` or `phases.0.duration=10s`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<Override>,
    /// Seed of every random choice; overrides the scenario's `seed`.
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Check no certificate; only with a target on this machine. The report says so.
    #[arg(long)]
    pub insecure: bool,
}

impl PlanArgs {
    /// All overrides, the flags among them, in the order in which they apply.
    #[must_use]
    pub fn all_overrides(&self) -> Vec<Override> {
        all_overrides(&self.overrides, self.target.as_ref(), self.players, self.seed, self.insecure)
    }
}

fn all_overrides(
    overrides: &[Override],
    target: Option<&String>,
    players: Option<u32>,
    seed: Option<u64>,
    insecure: bool,
) -> Vec<Override> {
    let flag = |key: &str, value: String| Override { key: key.into(), value };
    let mut all = overrides.to_vec();
    all.extend(target.map(|target| flag("target.url", target.clone())));
    all.extend(players.map(|players| flag("players", players.to_string())));
    all.extend(seed.map(|seed| flag("seed", seed.to_string())));
    all.extend(insecure.then(|| flag("target.insecure", "true".into())));
    all
}

/// Arguments of `correlate`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen correlate runs/staging-20261122T090000Z-1a2b3c\n  \
    loadgen correlate runs/staging-20261122T090000Z-1a2b3c --function-prefix mygame-Staging- --region eu-west-1\n\n\
    Exit codes: 0 everything was fetched, 1 something was not, 2 usage error or a mistake in [cloudwatch].")]
pub struct CorrelateArgs {
    /// The run folder.
    pub run: PathBuf,
    /// Full names of the Lambda functions; overrides the scenario's `cloudwatch.functions`.
    #[arg(long, value_name = "NAME,NAME", value_delimiter = ',')]
    pub functions: Vec<String>,
    /// All functions whose name begins so, in place of those that the scenario names; overrides `cloudwatch.function_prefix`.
    #[arg(long, value_name = "PREFIX", conflicts_with = "functions")]
    pub function_prefix: Option<String>,
    /// AWS region; overrides `cloudwatch.region`.
    #[arg(long)]
    pub region: Option<String>,
    /// Endpoint to ask instead of AWS; overrides `cloudwatch.endpoint`.
    #[arg(long, value_name = "URL")]
    pub endpoint: Option<String>,
    /// Override a key of `[cloudwatch]` in the run's scenario, e.g. `cloudwatch.period_s=300`.
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub overrides: Vec<Override>,
    /// Print one JSON object instead of the summary.
    #[arg(long)]
    pub json: bool,
}

impl CorrelateArgs {
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
        for (key, value) in [("region", &self.region), ("endpoint", &self.endpoint)] {
            all.extend(value.as_ref().map(|value| set(key, Value::from(value.as_str()))));
        }
        all
    }
}

/// Arguments of `capacity`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen capacity quickstart\n  \
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
        let JobArgs { plan, workers, out, quiet, json } = self.job;
        let overrides = plan.all_overrides();
        capacity::Request {
            scenario: plan.scenario,
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
            progress: match (quiet, json) {
                (true, _) => Progress::Nowhere,
                (false, true) => Progress::Aside,
                (false, false) => Progress::Output,
            },
        }
    }
}

fn level(text: &str) -> Result<f64, String> {
    let level = scenarios::units::rate(text)?;
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
    loadgen doctor my.toml -p 20000\n  \
    loadgen doctor --target wss://abc.execute-api.eu-west-1.amazonaws.com/Staging --json\n\n\
    Exit codes: 0 nothing is in the way, 1 a run would fail, 2 usage or scenario error.")]
pub struct DoctorArgs {
    /// The scenario to prepare for (a file, `-`, or one that ships); left out: the machine alone, and the target if one is
    /// named.
    pub scenario: Option<PathBuf>,
    /// A ws:// or wss:// URL to try; overrides the scenario's `target.url`.
    #[arg(long, value_name = "URL")]
    pub target: Option<String>,
    /// Number of players; overrides the scenario's `players`.
    #[arg(short, long, value_name = "N", requires = "scenario")]
    pub players: Option<u32>,
    /// Override a key of the scenario, e.g. `players=5000`.
    #[arg(long = "set", value_name = "KEY=VALUE", requires = "scenario")]
    pub overrides: Vec<Override>,
    /// Check no certificate; only with a target on this machine.
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
        all_overrides(&self.overrides, self.target.as_ref(), self.players, None, self.insecure)
    }
}

/// What to do with a scenario.
#[derive(Debug, Subcommand)]
pub enum ScenarioCommand {
    /// Report every mistake of a scenario, with file, line and remedy.
    #[command(after_help = "Examples:\n  loadgen scenario check my.toml -p 5000\n  \
        generate | loadgen scenario check -")]
    Check(ScenarioArgs),
    /// Say in sentences what a scenario will do.
    #[command(after_help = "Example:\n  loadgen scenario explain quickstart")]
    Explain(ScenarioArgs),
    /// List the scenarios that ship within this program; `run NAME` runs one.
    #[command(after_help = "Example:\n  loadgen scenario list")]
    List {
        /// Print one JSON object instead.
        #[arg(long)]
        json: bool,
    },
    /// Write a commented scenario to begin with, or a copy of one that ships.
    #[command(
        after_help = "Examples:\n  loadgen scenario new my-game\n  loadgen scenario new evening --from lobby\n  \
        loadgen scenario new - --from spike > mine.toml"
    )]
    New {
        /// The file; `.toml` is added where it has no ending. `-`: standard output.
        #[arg(default_value = "my-scenario")]
        file: PathBuf,
        /// Copy this one of those that ship.
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

/// A scenario, and how what is found is printed.
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
