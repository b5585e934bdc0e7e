//! The commands of `history`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Where the history lies unless `--db` says otherwise: beside the runs.
const DEFAULT: &str = "runs/history.sqlite";

/// Commands about the history.
#[derive(Debug, Subcommand)]
pub enum HistoryCommand {
    /// Add runs, capacity searches and criterion benches; what is there already is not added twice.
    Add(AddArgs),
    /// Show how each measure went, and at which commit it changed.
    Show(ShowArgs),
    /// Write every figure as CSV or JSON lines.
    Export(ExportArgs),
}

/// Which history.
#[derive(Debug, Args)]
pub struct DatabaseArgs {
    /// The history, an SQLite file.
    #[arg(long, value_name = "FILE", default_value = DEFAULT)]
    pub db: PathBuf,
}

/// Arguments of `history add`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen history add runs/quickstart-20261122T090000Z-1a2b3c\n  \
    loadgen history add target/criterion --branch main\n  \
    loadgen history add runs/* --db nightly.sqlite\n\n\
    Exit codes: 0 added, or there already, 1 failure, 2 usage error, or a folder that is none of these. On an error nothing is added.")]
pub struct AddArgs {
    /// Which history.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Run folders, folders of capacity searches, or criterion's (target/criterion).
    #[arg(required = true, value_name = "RUN|CAPACITY|CRITERION")]
    pub sources: Vec<PathBuf>,
    /// The commit that was measured [default: the run's own; of benches, that of the working directory, if it is a git checkout].
    #[arg(long, value_name = "COMMIT")]
    pub commit: Option<String>,
    /// Its branch [default: that of the working directory, where it has that commit].
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Print one JSON object instead of a sentence.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `history show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen history show\n  \
    loadgen history show --branch main --out history.html\n  \
    loadgen history show --name quickstart --json | jq '.history.groups[].trends[].changes'\n\n\
    Exit codes: 0 shown, 1 failure, 2 usage error, or no history.")]
pub struct ShowArgs {
    /// Which history.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// Write the trends as one HTML page as well.
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Only what was measured of this branch.
    #[arg(long, value_name = "NAME")]
    pub branch: Option<String>,
    /// Only this scenario, or group of benches; may be given several times.
    #[arg(long = "name", value_name = "NAME")]
    pub names: Vec<String>,
    /// Runs and searches that are not valid as well.
    #[arg(long)]
    pub all: bool,
    /// Least change that is told, as a share of the level before.
    #[arg(long, value_name = "SHARE", default_value = "1%", value_parser = effect)]
    pub min_effect: f64,
    /// Print one JSON object instead of the text.
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `history export`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    loadgen history export > history.csv\n  \
    loadgen history export --format jsonl --out history.jsonl")]
pub struct ExportArgs {
    /// Which history.
    #[command(flatten)]
    pub database: DatabaseArgs,
    /// The format.
    #[arg(long, value_enum, default_value_t)]
    pub format: ExportFormat,
    /// The file [default: standard output].
    #[arg(short, long, value_name = "FILE")]
    pub out: Option<PathBuf>,
}

/// What `history export` writes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// A row for each figure.
    #[default]
    Csv,
    /// A JSON object in a line for each run, search or bench.
    Jsonl,
}

fn effect(text: &str) -> Result<f64, String> {
    let percent = text.strip_suffix('%').ok_or("write a percentage with its sign, e.g. 2%")?;
    let percent = percent.trim().parse::<f64>().map_err(|error| error.to_string())?;
    if (0.0..=1000.0).contains(&percent) {
        Ok(percent / 100.0)
    } else {
        Err("a change must be 0% to 1000%".into())
    }
}
