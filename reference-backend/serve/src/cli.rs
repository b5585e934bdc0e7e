//! The command line of the program `reference-backend`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use reference_backend_local::gateway::front;
use reference_backend_local::lambda::process::spawner::Launch;
use reference_backend_local::serve;
use reference_backend_local::storage::{Memory, OpenStorage};
use url::Url;

use crate::dynamodb::DynamoDb;
use crate::persistent::DataConfig;

/// A game backend on serverless WebSockets, run on one machine.
#[derive(Debug, Parser)]
#[command(name = "reference-backend", version, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the local stack until it is stopped.
    ///
    /// When it is ready, it prints one line of JSON on standard output: the URLs of its endpoints. Everything else goes
    /// to standard error. It ends at Ctrl-C or SIGTERM, after every socket has been closed.
    Serve(Box<ServeArgs>),
    /// Executes another program that is killed when its parent ends: how `serve` starts Lambda processes.
    #[command(hide = true)]
    Environment(Launch),
    /// Holds sockets for `serve --front-doors`, which starts it.
    #[command(name = front::COMMAND, hide = true)]
    FrontDoor,
    /// Print the profile schema or validate a profile.
    #[command(subcommand)]
    Profile(ProfileCommand),
}

/// Arguments of `serve`: those of the local stack, and where its tables are.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// The local stack.
    #[command(flatten)]
    pub stack: serve::Serve,
    /// Directory in which the tables are persisted; created if it is missing.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// With `--data`: seconds that undelivered records of an earlier process wait for their players to reconnect.
    #[arg(long, value_name = "SECONDS", default_value_t = 10, requires = "data")]
    pub data_wait: u32,
    /// Use an existing DynamoDB (DynamoDB Local, or AWS) instead of the embedded tables; missing tables are created.
    #[arg(long, value_name = "URL", conflicts_with = "data")]
    pub dynamodb: Option<Url>,
}

impl ServeArgs {
    /// The tables that the arguments name; in memory if they name none.
    #[must_use]
    pub fn storage(&self) -> Arc<dyn OpenStorage> {
        match (&self.dynamodb, &self.data) {
            (Some(url), _) => Arc::new(DynamoDb(url.clone())),
            (None, Some(directory)) => Arc::new(DataConfig {
                directory: directory.clone(),
                wait: Duration::from_secs(self.data_wait.into()),
            }),
            (None, None) => Arc::new(Memory),
        }
    }
}

/// Commands about profiles.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// Print the JSON Schema of profile files: every key with its meaning, unit, limits and default.
    Schema,
    /// Validate a profile file; exit code 2 if there is a mistake in it.
    Check {
        /// `instant`, `aws-like` or a TOML file.
        file: PathBuf,
    },
}
