//! The proof as tables.

use std::fmt::Write as _;

use reports::capacity::wilson;

use super::real::Plan;
use super::score::{Proof, Row, SIDES};
use super::simulate::{Noise, RATE, SECONDS, SHORTER, Shift};

/// The tables of `docs/comparing.md`.
#[must_use]
pub fn markdown(proof: &Proof) -> String {
    let mut text = simulated(proof);
    text += &real(proof);
    text
}

/// `1 of 200: 0.5 % (0.1 to 2.8)`.
fn share(part: u32, whole: u32) -> String {
    if whole == 0 {
        return "–".to_owned();
    }
    let (low, high) = wilson(part, whole);
    let value = f64::from(part) / f64::from(whole);
    format!("{part} of {whole}: {:.1} % ({:.1} to {:.1})", value * 100.0, low * 100.0, high * 100.0)
}

fn simulated(proof: &Proof) -> String {
    let seeds = proof.simulated.first().map_or(0, |(_, _, row)| row.pairs);
    let mut text = format!(
        "{seeds} seeds of each kind of noise and shift; runs of {SECONDS} s (the shorter ones {SHORTER} s) with {RATE:.0} arrivals a second, one run a \
         side. In brackets Wilson's 95 % bounds.\n\n\
         | noise | nothing planted: flagged | undecided measures | 5 % of p50: found | 10 % of p99: found |\n|---|---|---|---|---|\n"
    );
    let row = |noise: Noise, shift: Shift| {
        let of = |(of_noise, of_shift, _): &&(Noise, Shift, Row)| (*of_noise, *of_shift) == (noise, shift);
        proof.simulated.iter().find(of).map(|(_, _, row)| *row).unwrap_or_default()
    };
    let mut noises: Vec<Noise> = proof.simulated.iter().map(|(noise, _, _)| *noise).collect();
    noises.dedup();
    for noise in &noises {
        let [none, median, tail] = [Shift::None, Shift::Median, Shift::Tail].map(|shift| row(*noise, shift));
        let word: &str = (*noise).into();
        let _ = writeln!(
            text,
            "| {word}: {} | {} | {} | {} | {} |",
            noise.about(),
            share(none.flagged, none.pairs),
            share(none.undecided, none.measures),
            share(median.found, median.pairs),
            share(tail.found, tail.pairs),
        );
    }
    let none = proof.simulated.iter().filter(|(_, shift, _)| *shift == Shift::None).map(|(_, _, row)| row);
    let (flagged, pairs) = none.fold((0, 0), |sum, row| (sum.0 + row.flagged, sum.1 + row.pairs));
    let _ = writeln!(text, "\nAll pairs that do not differ: {} flagged.\n", share(flagged, pairs));
    text
}

fn real(proof: &Proof) -> String {
    if proof.real.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "**Real runs**: {} runs of one plan against the embedded backend ({}), made in turn; {} further ones were not valid, as others took the machine's \
         processor. Sides are drawn from them by chance, so that pairs share runs.\n\n\
         | runs a side | flagged | undecided measures |\n|---|---|---|\n",
        proof.runs,
        Plan::WORDS,
        proof.spoiled,
    );
    for side in SIDES {
        let row = proof.real(side);
        let _ = writeln!(
            text,
            "| {side} | {} | {} |",
            share(row.flagged, row.pairs),
            share(row.undecided, row.measures)
        );
    }
    text
}
