//! `report`: makes of a run folder what its reader can open.

use std::path::Path;

use output::Exit;
use reports::export;
use reports::folder::RunFolder;
use reports::format::Status;
use serde_json::json;

use super::answer::{Answer, shown};
use super::failure::Failure;
use super::runs;
use crate::cli::report::{Format, ReportArgs};

/// Writes the page into the run folder, or the run in another format to a file or to standard output.
pub(super) fn report(args: &ReportArgs) -> Result<Answer, Failure> {
    let ReportArgs { run, format, out, exit_code, .. } = args;
    let of_run = |status: Status| if *exit_code { status.into() } else { Exit::Fine };
    let folder = RunFolder::read(run)?;
    let Some(format) = exported(*format) else {
        let page = match out {
            None => reports::save_report(&folder)?,
            Some(file) => reports::save_report_to(&folder, file).map(|()| file.clone())?,
        };
        let mut answer = runs::of_folder(&folder, of_run);
        answer.json["report"] = shown(&page).into();
        return Ok(answer);
    };
    let text = export::render(&folder, format).map_err(|error| Failure::machine(error.to_string()))?;
    let exit = of_run(folder.summary_or_rebuilt().status());
    let text = match out {
        None => text,
        Some(file) => {
            write(file, &text)?;
            String::new()
        }
    };
    Ok(Answer { exit, ..Answer::fine(text, json!({})) })
}

/// A file of the user's, e.g. `/dev/stdout` or one beside the folder: written in place, so that a pipe is one, too.
fn write(file: &Path, text: &str) -> Result<(), Failure> {
    std::fs::write(file, text)
        .map_err(|error| Failure::machine(format!("cannot write {}: {error}", file.display())))
}

/// The library's word for a format; `None` for the page.
const fn exported(format: Format) -> Option<export::Format> {
    Some(match format {
        Format::Html => return None,
        Format::Markdown => export::Format::Markdown,
        Format::Json => export::Format::Json,
        Format::Junit => export::Format::Junit,
        Format::Csv => export::Format::Csv,
        Format::Openmetrics => export::Format::Openmetrics,
    })
}
