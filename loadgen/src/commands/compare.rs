//! `compare`: two sides of run folders, and the files that say what came of them.

use std::fs;
use std::path::{Path, PathBuf};

use comparison::Options;
use output::{Exit, Look};
use reports::folder::RunFolder;
use reports::format::comparison::{Change, Comparison};
use reports::text::comparison as words;
use serde_json::Value;

use super::answer::{Answer, shown};
use super::failure::Failure;
use crate::cli::{CompareArgs, FailOn};

/// Standard output, as the name of a file.
const STDOUT: &str = "-";

/// Compares, and writes the files that were asked for.
pub(super) fn compare(args: &CompareArgs) -> Result<Answer, Failure> {
    let (base, candidate) = args.sides();
    let (base, candidate) = read(&base, &candidate)?;
    let options =
        Options { margin: args.margin, share_margin: args.share_margin, force: args.force, ..Options::default() };
    let comparison = comparison::compare(&base, &candidate, &options)?;
    if !comparison.objections.is_empty() && !args.force {
        return Err(Failure::usage(refusal(&comparison)));
    }
    let page = reports::html::render_comparison(&comparison).map_err(reports::html::ReportError::from)?;
    let markdown = words::markdown(&comparison);
    let json = serde_json::to_value(&comparison).unwrap_or_default();
    let mut text = words::text(&comparison, Look::of_stdout());
    let mut written = Vec::new();
    for (file, content) in [
        (&args.html, page),
        (&args.markdown, markdown),
        (&args.json, format!("{json:#}\n")),
    ] {
        match file {
            Some(file) if file.as_os_str() == STDOUT => text = content,
            Some(file) => {
                write(file, &content)?;
                written.push(file.as_path());
            }
            None => {}
        }
    }
    Ok(Answer {
        exit: exit(&comparison, args.fail_on),
        text,
        json: Value::Null,
        brief: None,
        asides: written.into_iter().map(|file| format!("written: {}", shown(file))).collect(),
    })
}

/// All folders, or what is wrong with each that cannot be read.
fn read(base: &[PathBuf], candidate: &[PathBuf]) -> Result<(Vec<RunFolder>, Vec<RunFolder>), Failure> {
    let mut problems = Vec::new();
    let mut side = |dirs: &[PathBuf]| {
        let mut folders = Vec::new();
        for dir in dirs {
            match RunFolder::read(dir) {
                Ok(folder) => folders.push(folder),
                Err(error) => problems.push(error.to_string()),
            }
        }
        folders
    };
    let sides = (side(base), side(candidate));
    if problems.is_empty() { Ok(sides) } else { Err(Failure::usage(problems.join("\n"))) }
}

/// Every reason at once, with the remedy.
fn refusal(comparison: &Comparison) -> String {
    let reasons = comparison.objections.iter().map(|objection| format!("\n  {}", objection.reason));
    format!(
        "these runs are not comparable:{}\nrun the same scenario on the same kind of machine, or compare all the same with --force",
        reasons.collect::<String>()
    )
}

fn exit(comparison: &Comparison, fail_on: Option<FailOn>) -> Exit {
    match fail_on {
        Some(FailOn::Regression) if comparison.verdict == Change::Regressed => Exit::Regression,
        _ => Exit::Fine,
    }
}

fn write(file: &Path, content: &str) -> Result<(), Failure> {
    fs::write(file, content).map_err(|error| {
        Failure::machine(format!("cannot write {}: {error}; choose another file", file.display()))
    })
}
