//! Commands about scenarios: none of them sends anything.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use output::Look;
use reports::printable;
use scenarios::explain::idle;
use scenarios::shipped::{self, Shipped};
use scenarios::source::STDIN;
use scenarios::{Checked, Mistakes, Plan};
use serde_json::{Value, json};

use super::answer::{Answer, shown};
use super::failure::Failure;
use crate::checked;
use crate::cli::{PlanArgs, ScenarioArgs, ScenarioCommand};

pub(super) fn execute(command: ScenarioCommand) -> Result<Answer, Failure> {
    match command {
        ScenarioCommand::Check(ScenarioArgs { plan, .. }) => {
            let warnings = idle::warnings(&check(&plan)?.plan);
            let scenario = shown(&plan.scenario);
            let mut text = format!("{scenario}: no mistakes\n");
            warnings.iter().for_each(|warning| text.push_str(&format!("warning: {warning}\n")));
            Ok(Answer::fine(text, json!({"scenario": scenario, "mistakes": [], "warnings": warnings})))
        }
        ScenarioCommand::Explain(ScenarioArgs { plan, .. }) => {
            let plan = check(&plan)?.plan;
            Ok(Answer::fine(explained(&plan), scenarios::explain::values(&plan)))
        }
        ScenarioCommand::List { .. } => list(),
        ScenarioCommand::New { file, from, .. } => new(&file, from.as_deref()),
        ScenarioCommand::Schema => {
            Ok(Answer::fine(format!("{:#}", scenarios::schema::json_schema()), Value::Null))
        }
    }
}

/// A plan in words, for a terminal.
pub(super) fn explained(plan: &Plan) -> String {
    let look = Look::of_stdout();
    scenarios::explain::explain(plan, |sentences| look.wrapped(&printable::lines(sentences), "  "))
}

fn check(plan: &PlanArgs) -> Result<Checked, Mistakes> {
    checked::load(&plan.scenario, &plan.all_overrides())
}

fn list() -> Result<Answer, Failure> {
    let look = Look::of_stdout();
    let mut text = String::new();
    let mut entries = Vec::new();
    for Shipped { name, text: toml } in shipped::SCENARIOS {
        let Checked { scenario, plan, .. } = scenarios::check(name, toml, &[])?;
        let length = plan.end();
        let shown = humantime::format_duration(std::time::Duration::from_secs(length.as_secs()));
        text.push_str(&format!("{name:<28} {:>7} players, {shown}\n", plan.players));
        text.push_str(&look.wrapped(&format!("    {}", scenario.description), "    "));
        entries.push(json!({
            "name": name,
            "description": scenario.description,
            "players": plan.players,
            "length_s": length.as_secs_f64(),
        }));
    }
    text.push_str(
        "\nloadgen run NAME runs one, loadgen scenario explain NAME says what it does, loadgen scenario new FILE --from NAME \
         copies it.\n",
    );
    Ok(Answer::fine(text, json!({"scenarios": entries})))
}

fn new(file: &Path, from: Option<&str>) -> Result<Answer, Failure> {
    let from = match from {
        Some(name) => Some(shipped::scenario(name).ok_or_else(|| {
            Failure::usage(format!(
                "no scenario `{name}` ships with this program; `loadgen scenario list` names those that do"
            ))
        })?),
        None => None,
    };
    let default = from.map_or("my-scenario", |shipped| shipped.name);
    if file == Path::new(STDIN) {
        let text = shipped::new(default, from);
        let json = json!({"name": default, "text": text});
        return Ok(Answer::fine(text, json));
    }
    let file =
        if file.extension().is_some() { file.to_path_buf() } else { file.with_added_extension("toml") };
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    let name = shipped::name_of(&stem);
    write_new(&file, &shipped::new(&name, from))?;
    let text = format!("{}: written; run it with: loadgen run {}", file.display(), quoted(&shown(&file)));
    Ok(Answer::fine(text, json!({"file": shown(&file), "name": name})))
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '/');
    if path.chars().all(plain) { path.to_owned() } else { format!("'{}'", path.replace('\'', "'\\''")) }
}

/// Writes a new file; one that exists is not overwritten.
fn write_new(file: &PathBuf, text: &str) -> Result<(), Failure> {
    let opened = OpenOptions::new().write(true).create_new(true).open(file);
    opened.and_then(|mut opened| opened.write_all(text.as_bytes())).map_err(|error| match error.kind() {
        ErrorKind::AlreadyExists => {
            Failure::usage(format!("{} exists already; choose another name", file.display()))
        }
        _ => Failure::machine(format!("cannot write {}: {error}", file.display())),
    })
}
