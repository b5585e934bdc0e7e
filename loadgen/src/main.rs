//! `loadgen`: the command line's way into the library.

use std::io::IsTerminal;
use std::process::ExitCode;

use clap::Parser;
use loadgen::capacity;
use loadgen::cli::{Cli, Command, JobArgs, RunArgs, ScenarioArgs, ScenarioCommand};
use loadgen::correlate::correlate;
use loadgen::doctor;
use loadgen::exit::Exit;
use loadgen::live::{AboveDisplay, Watchers};
use loadgen::run::{Request, RunError, run};
use reports::folder::RunFolder;
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let mut filter = EnvFilter::try_from_env("LOADGEN_LOG")
        .unwrap_or_else(|_| EnvFilter::new("warn,goose=error,rustls_platform_verifier=off"));
    // These write whole requests at the level `trace`, credentials and all.
    for talkative in ["tungstenite::handshake::client=debug", "aws_sigv4::http_request::sign=debug"] {
        filter = talkative.parse().map_or(filter.clone(), |directive| filter.add_directive(directive));
    }
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| AboveDisplay)
        .with_ansi(std::io::stderr().is_terminal())
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
            eprintln!("error: embedded backend: {error}");
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
            eprintln!("error: {error}");
            error.exit()
        })
        .into()
}

async fn execute(command: Command) -> Result<Exit, RunError> {
    match command {
        Command::Run(args) => {
            let RunArgs { job, prometheus, otlp } = args;
            let overrides = job.all_overrides();
            let command = redacted(std::env::args());
            let watchers = Watchers { quiet: job.quiet, prometheus, otlp };
            let JobArgs { scenario, workers, out, .. } = job;
            run(Request { scenario, overrides, workers, out, watchers, command }).await
        }
        Command::Report { run, exit_code } => {
            reports::write_report(&run)?;
            let folder = RunFolder::read(&run)?;
            print!("{}", reports::text::summary(&folder));
            Ok(if exit_code { folder.summary_or_rebuilt().status().into() } else { Exit::Fine })
        }
        Command::Correlate { run, overrides } => {
            let problems = correlate(&run, &overrides).await?;
            print!("{}", reports::text::summary(&RunFolder::read(&run)?));
            problems.iter().for_each(|problem| eprintln!("CloudWatch: {problem}"));
            Ok(if problems.is_empty() { Exit::Fine } else { Exit::Failure })
        }
        Command::Capacity(args) => Ok(match capacity::find(&args.request()).await {
            Ok(found) => capacity::exit(found.ended),
            Err(error) => {
                eprintln!("error: {error}");
                error.exit()
            }
        }),
        Command::Doctor(args) => {
            let report = doctor::examine(args.scenario.as_deref(), &args.all_overrides()).await?;
            if args.json {
                println!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
            } else {
                print!("{report}");
            }
            Ok(report.exit())
        }
        Command::Scenario(ScenarioCommand::Check(ScenarioArgs { scenario, overrides })) => {
            scenarios::load(&scenario, &overrides)?;
            println!("{}: no mistakes", scenario.display());
            Ok(Exit::Fine)
        }
        Command::Scenario(ScenarioCommand::Explain(ScenarioArgs { scenario, overrides })) => {
            let checked = scenarios::load(&scenario, &overrides)?;
            print!("{}", scenarios::explain::explain(&checked.plan));
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

/// The command line without what may be a secret: what stands behind a `?`, and the user and password of URLs.
fn redacted(arguments: impl Iterator<Item = String>) -> Vec<String> {
    arguments.map(|argument| without_users(argument.split('?').next().unwrap_or_default())).collect()
}

/// A text without what stands between the `//` and the last `@` of a URL's authority; rather too much than too little.
fn without_users(text: &str) -> String {
    let mut urls = text.split("://");
    let mut kept = urls.next().unwrap_or_default().to_owned();
    for url in urls {
        let authority = url.find(['/', '\\', '#']).unwrap_or(url.len());
        let host = url[..authority].rfind('@').map_or(0, |at| at + 1);
        kept.push_str("://");
        kept.push_str(&url[host..]);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_is_kept_without_tokens_and_passwords() {
        let kept = |argument: &str| redacted(std::iter::once(argument.to_owned())).remove(0);
        for (argument, wanted) in [
            ("--otlp=https://ann:p@\"w, x@otel.example:4318/base", "--otlp=https://otel.example:4318/base"),
            ("http://token@collector", "http://collector"),
            ("wss://x.example/stage?token=abc", "wss://x.example/stage"),
            ("wss://ann:pw@x.example?token=abc", "wss://x.example"),
            (
                "cloudwatch={ endpoint = \"http://a:b@one/\", functions = [\"http://c@two\"] }",
                "cloudwatch={ endpoint = \"http://one/\", functions = [\"http://two\"] }",
            ),
            ("auth.player_prefix=ann@", "auth.player_prefix=ann@"),
            ("http://x.example/@connections", "http://x.example/@connections"),
        ] {
            assert_eq!(kept(argument), wanted);
        }
    }
}
