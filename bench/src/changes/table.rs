//! The tables of docs/history.md.

use std::fmt::Write;

use super::annotated::{Public, Series};
use super::planted::{Case, MARGIN, Method, Proof, SHIFTS};

/// The proof, and where there are public series their scores, as Markdown.
#[must_use]
pub fn markdown(proof: &Proof, public: Option<&Public>) -> String {
    let mut out = planted(proof);
    if let Some(public) = public {
        out.push('\n');
        out.push_str(&annotated(public));
    }
    out
}

fn planted(proof: &Proof) -> String {
    let mut out = format!(
        "{} series of 50 points for each kind of noise and each change, at every place from the 6th to the 46th point in turn, up and \
         down; found is what is told within {MARGIN} points.\n\n",
        proof.seeds
    );
    let shifts: String = SHIFTS.iter().map(|shift| format!(" F1 at {shift} widths |")).collect();
    let _ = writeln!(out, "| noise | false alarms |{shifts} Hunter's alarms | Hunter's F1 at 3 |");
    let _ = writeln!(out, "|---|---|{}---|---|", "---|".repeat(SHIFTS.len()));
    for (ours, hunter) in proof.ours.iter().zip(&proof.hunter) {
        let Case { noise, promised, alarms, scores } = ours;
        let noise = if *promised { noise.clone() } else { format!("{noise} (not promised)") };
        let scores: String = scores.iter().map(|(_, score)| format!(" {:.3} |", score.f1())).collect();
        let _ = writeln!(
            out,
            "| {noise} | {:.1} % |{scores} {:.1} % | {:.3} |",
            alarms * 100.0,
            hunter.alarms * 100.0,
            hunter.judged()
        );
    }
    out
}

fn annotated(public: &Public) -> String {
    let mean = |of: &dyn Fn(&Series) -> Option<f64>| {
        let all: Vec<f64> = public.series.iter().filter_map(of).collect();
        all.iter().sum::<f64>() / all.len().max(1) as f64
    };
    let of = |method: Method| move |series: &Series| Some(series.f1(&method.places(&series.values)));
    let published = |index: usize| move |series: &Series| series.published().map(|scores| scores[index]);
    let mut out = format!(
        "{} public series with annotations; F1 as their authors define it, margin 5.\n\n| method | mean F1 |\n|---|---|\n",
        public.series.len()
    );
    for (name, score) in [
        ("`statistics::changes`", mean(&of(Method::Ours))),
        ("Hunter as published", mean(&of(Method::Hunter))),
        ("E-divisive, published (`ecp`, default)", mean(&published(0))),
        ("binary segmentation, published (`binseg`, default)", mean(&published(2))),
        ("finding nothing, published (`zero`)", mean(&published(1))),
    ] {
        let _ = writeln!(out, "| {name} | {score:.3} |");
    }
    out
}
