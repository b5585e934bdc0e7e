//! An experiment as Markdown, for `docs/experiments.md`.

use std::fmt::Write as _;

use reports::format::experiment::{Experiment, ExperimentRow, ExperimentTable};

/// Its answers, its arms and its tables.
#[must_use]
pub fn markdown(experiment: &Experiment) -> String {
    let mut text = format!("*{}*\n\n", experiment.question);
    for sentence in &experiment.answers {
        let _ = writeln!(text, "- {sentence}");
    }
    text += "\n| arm | what differs | valid runs |\n|---|---|---|\n";
    for arm in &experiment.arms {
        let _ = writeln!(text, "| {} | {} | {} |", arm.name, arm.about, arm.runs);
    }
    for ExperimentTable { title, how, rows } in &experiment.tables {
        let names: Vec<&str> = experiment.arms.iter().map(|arm| arm.name.as_str()).collect();
        let _ = write!(
            text,
            "\n**{title}.** {how}\n\n| | {} |\n|---|{}\n",
            names.join(" | "),
            "---|".repeat(names.len())
        );
        for row in rows {
            let _ = writeln!(text, "| {} | {} |", row.measure, cells(row).join(" | "));
        }
    }
    text
}

fn cells(row: &ExperimentRow) -> Vec<String> {
    let show =
        |value: &Option<_>| value.as_ref().map_or("–".to_owned(), |measured| row.unit.show(measured));
    row.values.iter().map(show).collect()
}

#[cfg(test)]
mod tests {
    use reports::format::experiment::{Arm, ExperimentUnit, Measured};

    use super::*;

    #[test]
    fn a_figure_has_the_range_of_its_runs_and_nothing_is_no_zero() {
        let arm = |name: &str| Arm { name: name.into(), about: "as it is".into(), runs: 2 };
        let measured = Measured { value: 2_000.0, low: 1_000.0, high: 4_000.0 };
        let row = ExperimentRow {
            measure: "p50".into(),
            unit: ExperimentUnit::Microseconds,
            values: vec![Some(measured), None],
        };
        let table = ExperimentTable { title: "Times".into(), how: "All.".into(), rows: vec![row] };
        let experiment =
            Experiment { arms: vec![arm("a"), arm("b")], tables: vec![table], ..Experiment::default() };
        let text = markdown(&experiment);
        assert!(text.contains("| p50 | 2.00 ms (1.00 ms to 4.00 ms) | – |"), "{text}");
    }
}
