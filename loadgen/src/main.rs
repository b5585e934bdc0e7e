//! `loadgen`: the command line's way into the library.

use std::io::IsTerminal;
use std::process::ExitCode;

use loadgen::capacity;
use loadgen::cli::{Cli, Command, JobArgs, RunArgs, ScenarioArgs, ScenarioCommand};
use loadgen::correlate::correlate;
use loadgen::doctor;
use loadgen::exit::Exit;
use loadgen::live::{self, AboveDisplay, Watchers};
use loadgen::run::{Request, RunError, run};
use reports::folder::RunFolder;
use reports::printable::{line, lines};
use scenarios::redact;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::read();
    let mut filter = EnvFilter::try_from_env("LOADGEN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,goose=error,rustls_platform_verifier=off"));
    // These write whole requests and frames, credentials and all: a target may send them back in any.
    for talkative in [
        "tungstenite::handshake=debug",
        "tungstenite::protocol=info",
        "tokio_tungstenite=debug",
        "aws_sigv4::http_request=debug",
    ] {
        filter = talkative.parse().map_or(filter.clone(), |directive| filter.add_directive(directive));
    }
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| AboveDisplay)
        .with_ansi(std::io::stderr().is_terminal())
        .fmt_fields(live::log_fields())
        .init();
    // Each brings its own runtime.
    let backend = match cli.command {
        Command::EmbeddedBackend(serve) => reference_backend::cli::run(serve),
        Command::FrontDoor => reference_backend::cli::front_door(),
        Command::Worker { threads } => return loadgen::workers::work(threads),
        command => return generator(command),
    };
    match backend {
        Ok(()) => Exit::Fine.into(),
        Err(error) => {
            eprintln!("error: embedded backend: {}", lines(&error.to_string()));
            error.exit_code().into()
        }
    }
}

fn generator(command: Command) -> ExitCode {
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime cannot be started: {error}");
            return Exit::Failure.into();
        }
    };
    let result = runtime.block_on(execute(command));
    // A task that does not end must not keep the program: everything of worth is written.
    runtime.shutdown_background();
    result
        .unwrap_or_else(|error| {
            eprintln!("error: {}", lines(&error.to_string()));
            error.exit()
        })
        .into()
}

async fn execute(command: Command) -> Result<Exit, RunError> {
    match command {
        Command::Run(args) => {
            let RunArgs { job, prometheus, otlp } = args;
            let overrides = job.all_overrides();
            let command = redact::command_line(std::env::args());
            let watchers = Watchers { quiet: job.quiet, prometheus, otlp };
            let JobArgs { scenario, workers, out, .. } = job;
            run(Request { scenario, overrides, workers, out, watchers, command }).await
        }
        Command::Report { run } => {
            reports::write_report(&run)?;
            print!("{}", reports::text::summary(&RunFolder::read(&run)?));
            Ok(Exit::Fine)
        }
        Command::Correlate { run, overrides } => {
            let problems = correlate(&run, &overrides).await?;
            print!("{}", reports::text::summary(&RunFolder::read(&run)?));
            problems.iter().for_each(|problem| eprintln!("CloudWatch: {}", line(problem)));
            Ok(if problems.is_empty() { Exit::Fine } else { Exit::Failure })
        }
        Command::Capacity(args) => Ok(match capacity::find(&args.request()).await {
            Ok(found) => capacity::exit(found.ended),
            Err(error) => {
                eprintln!("error: {}", lines(&error.to_string()));
                error.exit()
            }
        }),
        Command::Doctor(args) => {
            let report = doctor::examine(args.scenario.as_deref(), &args.all_overrides()).await?;
            if args.json {
                println!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
            } else {
                print!("{}", lines(&report.to_string()));
            }
            Ok(report.exit())
        }
        Command::Scenario(ScenarioCommand::Check(ScenarioArgs { scenario, overrides })) => {
            scenarios::load(&scenario, &overrides)?;
            println!("{}: no mistakes", line(&scenario.display().to_string()));
            Ok(Exit::Fine)
        }
        Command::Scenario(ScenarioCommand::Explain(ScenarioArgs { scenario, overrides })) => {
            let checked = scenarios::load(&scenario, &overrides)?;
            print!("{}", lines(&scenarios::explain::explain(&checked.plan)));
            Ok(Exit::Fine)
        }
        Command::Scenario(ScenarioCommand::Schema) => {
            println!("{:#}", scenarios::schema::json_schema());
            Ok(Exit::Fine)
        }
        // Handled before the runtime starts: they bring their own.
        Command::EmbeddedBackend(_) | Command::FrontDoor | Command::Worker { .. } => Ok(Exit::Usage),
    }
}
