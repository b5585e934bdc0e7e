//! The proof as tables.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use strum::IntoEnumIterator;

use super::counterfactual::{Changed, Counterfactual};
use super::proof::{Proof, Proven};
use super::score::{Answer, Said, Tally};
use super::views::View;

/// The tables of `docs/planted.md`.
#[must_use]
pub fn markdown(proof: &Proof) -> String {
    let sections =
        [overview(proof), wrong(proof), counterfactuals(proof), kinds(proof), views(proof), cases(proof)];
    sections.into_iter().filter(|section| !section.is_empty()).collect::<Vec<_>>().join("\n")
}

/// `98.6 % (92.7 to 99.8)`.
fn share(tally: &Tally, answer: Answer) -> String {
    let (low, high) = tally.interval(answer);
    let judged = tally.judged();
    if judged == 0 {
        return "–".to_owned();
    }
    let value = f64::from(tally.count(answer)) / f64::from(judged);
    format!("{:.1} % ({:.1} to {:.1})", value * 100.0, low * 100.0, high * 100.0)
}

fn row(text: &mut String, cells: &[String]) {
    let _ = writeln!(text, "| {} |", cells.join(" | "));
}

fn header(names: &[&str]) -> String {
    let rule = names.iter().map(|_| "---").collect::<Vec<_>>().join("|");
    format!("| {} |\n|{rule}|\n", names.join(" | "))
}

fn counts(tally: &Tally) -> Vec<String> {
    [Answer::Wrong, Answer::Right, Answer::Abstained, Answer::Missed, Answer::Spoiled]
        .map(|answer| tally.count(answer).to_string())
        .to_vec()
}

fn overview(proof: &Proof) -> String {
    let mut text =
        format!("{} draws in {:.0} minutes.\n\n", proof.draws.len(), (proof.seconds / 60.0).ceil());
    text += &header(&[
        "",
        "draws",
        "wrong",
        "right",
        "abstained",
        "missed",
        "spoiled",
        "right, with Wilson's 95 % bounds",
    ]);
    let mut line = |name: &str, tally: &Tally, draws: usize| {
        let mut cells = vec![name.to_owned(), draws.to_string()];
        cells.extend(counts(tally));
        cells.push(share(tally, Answer::Right));
        row(&mut text, &cells);
    };
    let admitted = || proof.admitted();
    let healthy = || proof.draws.iter().filter(|proven| !proven.planted);
    let too_weak = || proof.draws.iter().filter(|proven| proven.planted && proven.felt.is_none());
    line("planted, and felt by users", &Proof::tally(admitted(), View::AsIs), admitted().count());
    line("healthy", &Proof::tally(healthy(), View::AsIs), healthy().count());
    line(
        "planted, and felt by nobody: as healthy",
        &Proof::tally(too_weak(), View::AsIs),
        too_weak().count(),
    );
    let clean = || proof.draws.iter().filter_map(|proven| Some(proven.said_of_clean.as_ref()?.answer));
    line("the runs of the planted without the fault", &Tally::of(clean()), clean().count());
    let baseline =
        |draws: &mut dyn Iterator<Item = &Proven>| Tally::of(draws.map(|proven| proven.baseline.answer));
    line("planted, by the most anomalous series", &baseline(&mut admitted()), admitted().count());
    line("healthy, by the most anomalous series", &baseline(&mut healthy()), healthy().count());
    text
}

/// Every wrong accusation of the folders as they are.
fn wrong(proof: &Proof) -> String {
    let wrong: Vec<&Proven> = proof.draws.iter().filter(|proven| proven.answer() == Answer::Wrong).collect();
    if wrong.is_empty() {
        return "**Wrong accusations:** none.\n".to_owned();
    }
    let mut text = "**Wrong accusations**\n\n".to_owned()
        + &header(&["draw", "what was there", "said", "right would be"]);
    for proven in wrong {
        let said = proven.said.get(&View::AsIs).map(Said::words).unwrap_or_default();
        row(
            &mut text,
            &[
                proven.name(),
                proven.what.clone(),
                format!("`{}`", said.trim()),
                format!("`{}`", proven.expected),
            ],
        );
    }
    text
}

/// The sample with other limits: what went, and what stayed.
fn counterfactuals(proof: &Proof) -> String {
    let tried: Vec<(&Proven, &Counterfactual)> =
        proof.draws.iter().filter_map(|proven| Some((proven, proven.counterfactual.as_ref()?))).collect();
    if tried.is_empty() {
        return String::new();
    }
    let count = |of: fn(&Counterfactual) -> Option<bool>| {
        let known: Vec<bool> = tried.iter().filter_map(|(_, found)| of(found)).collect();
        (known.iter().filter(|held| **held).count(), known.len())
    };
    let ((went, cures), (stayed, placebos)) = (count(Counterfactual::went), count(Counterfactual::stayed));
    let mut text = format!(
        "**Counterfactuals:** with the accused limit raised the symptom went in {went} of {cures} draws; with another one raised it \
         stayed in {stayed} of {placebos}.\n\n"
    );
    text += &header(&["draw", "accused", "changed", "symptom", "changed instead", "symptom"]);
    let cells = |changed: &Option<Changed>| {
        let Some(Changed { what, felt }) = changed else { return ["–".to_owned(), "–".to_owned()] };
        [(*what).to_owned(), felt.as_ref().map_or("went".to_owned(), |felt| format!("stays: {felt}"))]
    };
    for (proven, Counterfactual { cure, placebo }) in tried {
        let said = proven.said.get(&View::AsIs).map(Said::words).unwrap_or_default();
        let mut line = vec![proven.name(), format!("`{}`", said.trim())];
        line.extend(cells(cure).into_iter().chain(cells(placebo)));
        row(&mut text, &line);
    }
    text
}

/// What was said of what was planted, by the kind that is right.
fn kinds(proof: &Proof) -> String {
    let mut confusion: BTreeMap<&str, BTreeMap<String, u32>> = BTreeMap::new();
    for proven in proof.admitted() {
        let said = proven.said.get(&View::AsIs);
        let word = said.map_or_else(String::new, |said| {
            said.kind.map_or(said.outcome.to_owned(), |kind| <&str>::from(kind).to_owned())
        });
        *confusion.entry(proven.about).or_default().entry(word).or_default() += 1;
    }
    let mut text = "**What was said of what was planted**\n\n".to_owned()
        + &header(&["planted, and felt", "first suspect, else the outcome"]);
    for (planted, said) in confusion {
        let said: Vec<String> = said.iter().map(|(kind, count)| format!("`{kind}` {count}")).collect();
        row(&mut text, &[planted.to_owned(), said.join(", ")]);
    }
    text
}

fn views(proof: &Proof) -> String {
    let mut text = "**With less data**, of the same runs\n\n".to_owned()
        + &header(&[
            "what is seen",
            "planted: wrong",
            "right",
            "abstained",
            "missed",
            "healthy: wrong",
            "right",
        ]);
    for view in View::iter() {
        let (planted, healthy) = (Proof::tally(proof.admitted(), view), Proof::tally(proof.healthy(), view));
        let mut cells = vec![view.what().to_owned()];
        cells.extend(counts(&planted).into_iter().take(4));
        cells.extend(counts(&healthy).into_iter().take(2));
        row(&mut text, &cells);
    }
    text
}

fn cases(proof: &Proof) -> String {
    let mut by_case: Vec<(&str, &str, Vec<&Proven>)> = Vec::new();
    for proven in &proof.draws {
        match by_case.iter_mut().find(|(case, ..)| *case == proven.case) {
            Some((_, _, draws)) => draws.push(proven),
            None => by_case.push((proven.case, proven.about, vec![proven])),
        }
    }
    let mut text = "**By case**\n\n".to_owned()
        + &header(&["case", "", "draws", "felt", "wrong", "right", "abstained", "missed", "spoiled"]);
    for (case, about, draws) in by_case {
        let mut cells = vec![case.to_owned(), about.to_owned(), draws.len().to_string()];
        let planted = draws.iter().any(|proven| proven.planted);
        let felt = draws.iter().filter(|proven| proven.is_admitted()).count();
        cells.push(if planted { felt.to_string() } else { String::new() });
        cells.extend(counts(&Proof::tally(draws.iter().copied(), View::AsIs)));
        row(&mut text, &cells);
    }
    text
}
