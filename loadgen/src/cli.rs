//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use scenarios::Override;

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
    #[command(after_help = "Example:\n  loadgen report runs/quickstart-20261122T090000Z-1a2b3c")]
    Report {
        /// The run folder.
        run: PathBuf,
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
    /// Check a scenario, say what it will do, or print the JSON Schema.
    #[command(subcommand)]
    Scenario(ScenarioCommand),
    /// The embedded backend of `run`.
    #[command(name = crate::embedded::COMMAND, hide = true)]
    EmbeddedBackend(reference_backend::cli::Serve),
}

/// Arguments of `run`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen run scenarios/quickstart.toml\n  \
    loadgen run scenarios/idle.toml --set players=15000\n  \
    loadgen run my.toml --target wss://abc.execute-api.eu-west-1.amazonaws.com/Staging --set auth.issuer=https://id.example\n\n\
    Exit codes: 0 fine, 1 failure, 2 usage or scenario error, 3 a threshold failed, 4 invalid run, 130 interrupted.")]
pub struct RunArgs {
    /// The scenario file.
    pub scenario: PathBuf,
    /// `embedded`, or a ws:// or wss:// URL; overrides the scenario's `target.url`.
    #[arg(long, value_name = "embedded|URL")]
    pub target: Option<String>,
    /// The run folder, new or empty; left out: runs/ID.
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

impl RunArgs {
    /// All overrides, the flags among them, in the order in which they apply.
    #[must_use]
    pub fn all_overrides(&self) -> Vec<Override> {
        let flag = |key: &str, value: String| Override { key: key.into(), value };
        let mut all = self.overrides.clone();
        all.extend(self.target.iter().map(|target| flag("target.url", target.clone())));
        all.extend(self.seed.map(|seed| flag("seed", seed.to_string())));
        all
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
