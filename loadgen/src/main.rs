//! `loadgen`: the command line's way into the library.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use loadgen::cli::{Cli, Command, ScenarioArgs, ScenarioCommand};
use loadgen::correlate::correlate;
use loadgen::exit::Exit;
use loadgen::run::{Request, RunError, run};
use reports::folder::RunFolder;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let filter = EnvFilter::try_from_env("LOADGEN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,goose=error,rustls_platform_verifier=off"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .init();
    if let Command::EmbeddedBackend(serve) = cli.command {
        return match reference_backend::cli::run(serve) {
            Ok(()) => Exit::Fine.into(),
            Err(error) => {
                eprintln!("error: embedded backend: {error}");
                error.exit_code().into()
            }
        };
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot be started: {error}");
            return Exit::Failure.into();
        }
    };
    let result = runtime.block_on(execute(cli.command));
    // A task that does not end must not keep the program: everything of worth is written.
    runtime.shutdown_background();
    result
        .unwrap_or_else(|error| {
            eprintln!("error: {error}");
            error.exit()
        })
        .into()
}

async fn execute(command: Command) -> Result<Exit, RunError> {
    match command {
        Command::Run(args) => {
            let overrides = args.all_overrides();
            let command = redacted(std::env::args());
            run(Request { scenario: args.scenario, overrides, out: args.out, quiet: args.quiet, command })
                .await
        }
        Command::Report { run } => {
            reports::write_report(&run)?;
            print!("{}", reports::text::summary(&RunFolder::read(&run)?));
            Ok(Exit::Fine)
        }
        Command::Correlate { run, overrides } => {
            let problems = correlate(&run, &overrides).await?;
            print!("{}", reports::text::summary(&RunFolder::read(&run)?));
            problems.iter().for_each(|problem| eprintln!("CloudWatch: {problem}"));
            Ok(if problems.is_empty() { Exit::Fine } else { Exit::Failure })
        }
        Command::Scenario(ScenarioCommand::Check(ScenarioArgs { scenario, overrides })) => {
            scenarios::load(&scenario, &overrides)?;
            println!("{}: no mistakes", scenario.display());
            Ok(Exit::Fine)
        }
        Command::Scenario(ScenarioCommand::Explain(ScenarioArgs { scenario, overrides })) => {
            let checked = scenarios::load(&scenario, &overrides)?;
            scenarios::explain::sentences(&checked.plan).iter().for_each(|sentence| println!("{sentence}"));
            Ok(Exit::Fine)
        }
        Command::Scenario(ScenarioCommand::Schema) => {
            println!("{:#}", scenarios::schema::json_schema());
            Ok(Exit::Fine)
        }
        // Handled before the runtime starts: the backend brings its own.
        Command::EmbeddedBackend(_) => Ok(Exit::Usage),
    }
}

/// The command line without what stands behind a `?`: a query may carry a token.
fn redacted(arguments: impl Iterator<Item = String>) -> Vec<String> {
    arguments.map(|argument| argument.split('?').next().unwrap_or_default().to_owned()).collect()
}
