//! Commands that leave or read a run folder.

use std::path::Path;

use output::{Exit, Look};
use reports::folder::{REPORT, RunFolder};
use reports::format::Status;
use scenarios::command_line;
use serde_json::json;

use super::answer::{Answer, shown};
use super::correlate::{self, Correlated};
use super::failure::Failure;
use super::scenario::explained;
use crate::attributed;
use crate::cli::{CorrelateArgs, JobArgs, RunArgs};
use crate::live::Watchers;
use crate::run::{self, Dry, Ran, Request};

pub(super) async fn run(args: RunArgs, arguments: Vec<String>) -> Result<Answer, Failure> {
    let RunArgs { job, dry_run, prometheus, otlp } = args;
    let JobArgs { plan, workers, out, quiet, .. } = job;
    let overrides = plan.all_overrides();
    let watchers = Watchers { quiet, prometheus, otlp };
    let request = Request {
        scenario: plan.scenario,
        overrides,
        workers,
        out,
        watchers,
        command: command_line::command_line(arguments),
    };
    if dry_run {
        return Ok(rehearsed(&run::rehearse(&request)?, request.out.is_some()));
    }
    let Ran { exit, folder } = run::run(request).await?;
    Ok(of_folder(&folder, |_| exit))
}

/// What is in a run folder; `exit` maps its verdict to the exit code.
pub(super) fn of_folder(folder: &RunFolder, exit: impl FnOnce(Status) -> Exit) -> Answer {
    let dir = folder.dir.as_path();
    let summary = folder.summary_or_rebuilt();
    let verdict = reports::verdict::in_a_line(&summary);
    Answer {
        exit: exit(summary.status()),
        text: reports::text::summary_for(folder, Look::of_stdout()),
        json: json!({
            "folder": shown(dir),
            "report": shown(&dir.join(REPORT)),
            "state": folder.manifest.state,
            "summary": summary,
        }),
        brief: Some(format!("{verdict} Folder: {}", dir.display())),
        asides: Vec::new(),
    }
}

pub(super) async fn correlate(args: &CorrelateArgs) -> Result<Answer, Failure> {
    let Correlated { folder, problems, read, interrupted } =
        correlate::correlate(&args.run, &args.all_overrides(), args.patience()).await?;
    let exit = match problems.is_empty() {
        _ if interrupted => Exit::Interrupted,
        true => Exit::Fine,
        false => Exit::Failure,
    };
    let mut answer = of_folder(&folder, |_| exit);
    answer.asides = problems.iter().chain(&read).map(|line| format!("CloudWatch: {line}")).collect();
    answer.json["problems"] = json!(problems);
    Ok(answer)
}

/// Attributes a run again, from its folder alone.
pub(super) fn attribute(dir: &Path) -> Result<Answer, Failure> {
    let mut folder = RunFolder::read(dir)?;
    attributed::attribute(&mut folder)?;
    reports::save_report(&folder)?;
    Ok(of_folder(&folder, |_| Exit::Fine))
}

/// What a run would do.
fn rehearsed(dry: &Dry, named: bool) -> Answer {
    let Dry { plan, workers, dir } = dry;
    let kept = if named { dir.display().to_string() } else { format!("runs/{}-TIME-…", plan.name) };
    let split = if *workers == 1 { "One process".into() } else { format!("{workers} processes") };
    let text = format!(
        "{}\nNothing was sent. {split} would run the players; the results would be in {kept}.\n",
        explained(plan)
    );
    let mut json = scenarios::explain::values(plan);
    json["dry_run"] = true.into();
    json["workers"] = (*workers).into();
    json["folder"] = if named { shown(dir).into() } else { serde_json::Value::Null };
    Answer::fine(text, json)
}
