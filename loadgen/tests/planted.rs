//! A subset of the proof of attribution (`docs/planted.md`): planted and healthy runs with fixed seeds. Nothing may be accused
//! wrongly, and of what users felt the right part is named first.

use std::path::Path;

use bench::planted::cases;
use bench::planted::{Answer, Options, Proof};

/// Cases with their seeds: one of each family of suspects, and what looks most like a fault.
const DRAWS: [(&str, u64); 18] = [
    ("P1", 1),
    ("P2", 1),
    ("P5", 1),
    ("P6", 1),
    ("P7", 1),
    ("P8", 1),
    ("P9", 1),
    ("P11", 1),
    ("P14", 1),
    ("P19", 1),
    ("P20", 1),
    ("P22", 1),
    ("H2", 1),
    ("H8", 1),
    ("H10", 1),
    ("H11", 1),
    ("H13", 1),
    ("H15", 1),
];

#[test]
fn the_first_suspect_is_what_was_planted_and_nothing_healthy_is_accused() {
    let out = tempfile::tempdir().expect("a folder");
    let all = cases::all();
    let case = |name: &str| *all.iter().find(|case| case.name == name).expect("a case of that name");
    let proof = Proof::make(
        &Options {
            loadgen: Path::new(env!("CARGO_BIN_EXE_loadgen")).to_owned(),
            out: out.path().to_owned(),
            jobs: 4,
            draws: DRAWS.map(|(name, seed)| (case(name), seed)).to_vec(),
            counterfactuals: 0,
            again: false,
        },
        &|_| {},
    );
    assert_eq!(proof.broken, Vec::<String>::new());
    let lines: Vec<String> = proof.draws.iter().map(|proven| proven.line()).collect();
    let lines = lines.join("\n");
    for proven in &proof.draws {
        // A run that others on this machine disturbed says nothing, and says that it does.
        let good = [Answer::Right, Answer::Spoiled].contains(&proven.answer());
        assert!(good, "{}\n\nof all draws:\n{lines}", proven.line());
    }
    let judged = proof.draws.iter().filter(|proven| proven.answer() == Answer::Right).count();
    assert!(judged * 2 > DRAWS.len(), "too few runs were undisturbed:\n{lines}");
    assert!(proof.admitted().count() >= 8, "too few of the faults were felt:\n{lines}");
}
