//! Commands that leave or read a run folder.

use std::path::Path;

use output::Look;
use reports::folder::{REPORT, RunFolder};
use scenarios::Override;
use serde_json::json;

use super::{Answer, Failure, explained, shown};
use crate::cli::{JobArgs, RunArgs};
use crate::exit::Exit;
use crate::live::Watchers;
use crate::run::{self, Dry, Ran, Request};

pub(super) async fn run(args: RunArgs, arguments: Vec<String>) -> Result<Answer, Failure> {
    let RunArgs { job, dry_run, prometheus, otlp } = args;
    let JobArgs { plan, workers, out, quiet, .. } = job;
    let overrides = plan.all_overrides();
    let watchers = Watchers { quiet, prometheus, otlp };
    let request =
        Request { scenario: plan.scenario, overrides, workers, out, watchers, command: redacted(arguments) };
    if dry_run {
        return Ok(rehearsed(&run::rehearse(&request)?, request.out.is_some()));
    }
    let Ran { exit, dir } = run::run(request).await?;
    of_folder(&dir, exit)
}

/// What is in a run folder; the command ends with `exit`.
pub(super) fn of_folder(dir: &Path, exit: Exit) -> Result<Answer, Failure> {
    let folder = RunFolder::read(dir)?;
    let summary = folder.summary_or_rebuilt();
    let verdict = match exit {
        Exit::Interrupted => "Interrupted; what was measured is kept.".to_owned(),
        Exit::Failure if run::nobody_in(&summary) => {
            format!("No player could connect: {}; samples are in errors.jsonl.", run::why_nobody(&summary))
        }
        _ => reports::verdict::in_a_line(&summary),
    };
    Ok(Answer {
        exit,
        text: reports::text::summary_for(&folder, Look::of_stdout()),
        json: json!({
            "folder": shown(dir),
            "report": shown(&dir.join(REPORT)),
            "state": folder.manifest.state,
            "summary": summary,
        }),
        brief: Some(format!("{verdict} Folder: {}", dir.display())),
        asides: Vec::new(),
    })
}

pub(super) async fn correlate(dir: &Path, overrides: &[Override]) -> Result<Answer, Failure> {
    let problems = crate::correlate::correlate(dir, overrides).await?;
    let exit = if problems.is_empty() { Exit::Fine } else { Exit::Failure };
    let mut answer = of_folder(dir, exit)?;
    answer.json["problems"] = json!(problems);
    answer.asides = problems.iter().map(|problem| format!("CloudWatch: {problem}")).collect();
    Ok(answer)
}

/// What a run would do.
fn rehearsed(dry: &Dry, named: bool) -> Answer {
    let Dry { plan, workers, dir } = dry;
    let kept = if named { dir.display().to_string() } else { format!("runs/{}-TIME-…", plan.name) };
    let split = if *workers == 1 { "One process".into() } else { format!("{workers} processes") };
    let text = format!(
        "{}\nNothing was sent. {split} would play the players; the results would be kept in {kept}.\n",
        explained(plan)
    );
    let mut json = scenarios::explain::values(plan);
    json["dry_run"] = true.into();
    json["workers"] = (*workers).into();
    json["folder"] = if named { shown(dir).into() } else { serde_json::Value::Null };
    Answer::fine(text, json)
}

/// The command line without what may be a secret: what stands behind a `?`, and the user and password of URLs.
fn redacted(arguments: Vec<String>) -> Vec<String> {
    arguments.iter().map(|argument| without_users(argument.split('?').next().unwrap_or_default())).collect()
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
        let kept = |argument: &str| redacted(vec![argument.to_owned()]).remove(0);
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
