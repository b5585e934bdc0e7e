//! All draws: run, judged, counted.

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use reports::folder::RunFolder;
use serde::Serialize;
use strum::IntoEnumIterator;

use super::baseline;
use super::cases::Case;
use super::draw::{Draw, Expected};
use super::runs::{self, RunError, Runner, Variant};
use super::score::{Answer, Said, Tally};
use super::truth;
use super::views::View;

/// What is to be proven, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The program.
    pub loadgen: PathBuf,
    /// The folder of all run folders.
    pub out: PathBuf,
    /// Runs at once.
    pub jobs: usize,
    /// The cases with their seeds.
    pub draws: Vec<(Case, u64)>,
    /// Each draw that users felt is also run with the accused limit raised, and with another one raised.
    pub counterfactuals: bool,
    /// Runs that `out` has already are judged as they are.
    pub again: bool,
}

/// What came of one draw.
#[derive(Debug, Clone, Serialize)]
pub struct Proven {
    /// The case.
    pub case: &'static str,
    /// What the case is.
    pub about: &'static str,
    /// The seed.
    pub seed: u64,
    /// What was drawn.
    pub what: String,
    /// Whether something was planted.
    pub planted: bool,
    /// What users felt of the fault; absent: nothing, or nothing was planted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub felt: Option<String>,
    /// What would be right, in words.
    pub expected: String,
    /// What attribution said, by view.
    pub said: BTreeMap<View, Said>,
    /// What it said of the run without the fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said_of_clean: Option<Said>,
    /// What the trivial baseline said.
    pub baseline: Said,
    /// Raising the accused limit takes the symptom away; absent: not tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cured: Option<bool>,
    /// Raising another does not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub placebo_fails: Option<bool>,
    /// The folder of its runs.
    pub folder: PathBuf,
}

impl Proven {
    /// Whether users felt what was planted.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        self.planted && self.felt.is_some()
    }

    /// What attribution said of the folder as it is.
    #[must_use]
    pub fn answer(&self) -> Answer {
        self.said.get(&View::AsIs).map_or(Answer::Spoiled, |said| said.answer)
    }

    /// In one line.
    #[must_use]
    pub fn line(&self) -> String {
        let said = self.said.get(&View::AsIs).map(Said::words).unwrap_or_default();
        let felt = match (&self.felt, self.planted) {
            (Some(felt), _) => felt.as_str(),
            (None, true) => "nobody felt it",
            (None, false) => "",
        };
        let answer: &str = self.answer().into();
        format!(
            "{:9} {:4}-{} {said} | wanted {} | {} | {felt}",
            answer, self.case, self.seed, self.expected, self.what
        )
    }
}

/// All draws.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Proof {
    /// In the order of the cases.
    pub draws: Vec<Proven>,
    /// Draws that could not be run, and why.
    pub broken: Vec<String>,
    /// How long it took.
    pub seconds: f64,
}

impl Proof {
    /// Runs and judges everything; `tell` hears of each draw as it is done.
    #[must_use]
    pub fn make(options: &Options, tell: &(dyn Fn(&Proven) + Sync)) -> Self {
        let begin = Instant::now();
        let drawn = options.draws.iter().map(|(case, seed)| (*case, case.draw(*seed)));
        // A starved core is not for others.
        let (alone, together): (Vec<_>, Vec<_>) = drawn.partition(|(_, draw)| draw.starved);
        let done = Mutex::new(Self::default());
        for (jobs, draws) in [(options.jobs, together), (1, alone)] {
            let queue = Mutex::new(VecDeque::from(draws));
            // The lock is held only while one is taken.
            let next = || locked(&queue).pop_front();
            thread::scope(|scope| {
                for _ in 0..jobs {
                    scope.spawn(|| {
                        while let Some((case, draw)) = next() {
                            match prove(options, case, &draw) {
                                Ok(proven) => {
                                    tell(&proven);
                                    locked(&done).draws.push(proven);
                                }
                                Err(error) => locked(&done).broken.push(format!("{}: {error}", draw.name())),
                            }
                        }
                    });
                }
            });
        }
        let mut proof = done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        let place = |proven: &Proven| {
            options.draws.iter().position(|(case, seed)| case.name == proven.case && *seed == proven.seed)
        };
        proof.draws.sort_by_key(place);
        proof.seconds = begin.elapsed().as_secs_f64();
        proof
    }

    /// Draws with a fault that users felt.
    pub fn admitted(&self) -> impl Iterator<Item = &Proven> {
        self.draws.iter().filter(|proven| proven.is_admitted())
    }

    /// Draws of which nothing may be named: nothing planted, or nothing felt.
    pub fn healthy(&self) -> impl Iterator<Item = &Proven> {
        self.draws.iter().filter(|proven| !proven.is_admitted())
    }

    /// The answers of a view.
    #[must_use]
    pub fn tally<'a>(draws: impl Iterator<Item = &'a Proven>, view: View) -> Tally {
        Tally::of(draws.filter_map(|proven| Some(proven.said.get(&view)?.answer)))
    }

    /// Whether attribution may be believed: no wrong accusation in any view beyond one in twenty, and as it is the first suspect is
    /// right in 95 % of what was felt.
    #[must_use]
    pub fn holds(&self) -> bool {
        let right = Self::tally(self.admitted(), View::AsIs);
        let enough = right.judged() == 0 || right.count(Answer::Right) * 20 >= right.judged() * 19;
        let honest = View::iter().all(|view| {
            let [planted, healthy] = [Self::tally(self.admitted(), view), Self::tally(self.healthy(), view)]
                .map(|t| (t.count(Answer::Wrong), t.judged()));
            planted.0 * 20 <= planted.1 && healthy.0 * 20 <= healthy.1
        });
        self.broken.is_empty() && enough && honest
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One draw: its runs, what users felt, what is said in every view.
fn prove(options: &Options, case: Case, draw: &Draw) -> Result<Proven, RunError> {
    let runner = Runner { loadgen: &options.loadgen, out: &options.out, again: options.again };
    let run = |variant| runner.run(draw, variant);
    let compared = draw.is_planted() && !draw.starved;
    let folder = run(if draw.is_planted() { Variant::Fault } else { Variant::Clean })?;
    let clean = compared.then(|| run(Variant::Clean)).transpose()?;
    let felt = match (&clean, draw.starved) {
        (Some(clean), _) => truth::felt(&folder, clean),
        (None, true) => (!folder.summary_or_rebuilt().verdict.valid).then(|| "the run is invalid".to_owned()),
        (None, false) => None,
    };
    let is_felt = felt.is_some();
    let said = View::iter().map(|view| Ok((view, said(&folder.dir, draw, view, is_felt)?)));
    let said = said.collect::<Result<_, RunError>>()?;
    let said_of_clean = clean.as_ref().map(|clean| said_of_clean(clean, draw));
    let baseline = baseline_of(&folder, draw, is_felt);
    let mut counterfactual = (None, None);
    if options.counterfactuals
        && is_felt
        && let Some(clean) = &clean
    {
        let still_felt = |variant| Ok::<_, RunError>(truth::felt(&run(variant)?, clean).is_some());
        if draw.cure.is_some() {
            counterfactual.0 = Some(!still_felt(Variant::Cured)?);
        }
        if draw.placebo.is_some() {
            counterfactual.1 = Some(still_felt(Variant::Placebo)?);
        }
    }
    Ok(Proven {
        case: case.name,
        about: case.what,
        seed: draw.seed,
        what: draw.what.clone(),
        planted: draw.is_planted(),
        expected: expected(draw, is_felt),
        felt,
        said,
        said_of_clean,
        baseline,
        cured: counterfactual.0,
        placebo_fails: counterfactual.1,
        folder: options.out.join(draw.name()),
    })
}

/// What attribution says of a folder in a view.
fn said(dir: &Path, draw: &Draw, view: View, felt: bool) -> Result<Said, RunError> {
    let mut folder = runs::read(dir)?;
    view.apply(&mut folder);
    Ok(Said::of(&attribution::attribute(&folder), draw, felt))
}

fn said_of_clean(clean: &RunFolder, draw: &Draw) -> Said {
    let without = Draw { expected: Expected::NothingNamed, ..draw.clone() };
    Said::of(&attribution::attribute(clean), &without, false)
}

/// What the baseline says, judged by the same rules.
fn baseline_of(folder: &RunFolder, draw: &Draw, felt: bool) -> Said {
    use reports::format::{Correlation, Outcome, Suspect};
    let named = baseline::most_anomalous(folder);
    let suspects: Vec<Suspect> = named
        .into_iter()
        .map(|(kind, resource)| Suspect {
            kind,
            resource,
            from_s: 0.0,
            to_s: 0.0,
            limit: None,
            observed: None,
            unit: String::new(),
            explained: 1.0,
            symptoms: Vec::new(),
            or: vec![String::new()],
            evidence: Vec::new(),
            refuted_by: String::new(),
            remedy: String::new(),
        })
        .collect();
    let outcome = if suspects.is_empty() { Outcome::NothingGaveWay } else { Outcome::Suspects };
    Said::of(&Correlation { outcome: Some(outcome), suspects, ..Correlation::default() }, draw, felt)
}

fn expected(draw: &Draw, felt: bool) -> String {
    match &draw.expected {
        Expected::FirstSuspect(accepted) if felt => {
            let words = accepted.iter().map(|accepted| {
                let kind: &str = accepted.kind.into();
                format!(
                    "{kind} {}{}",
                    accepted.resource,
                    if accepted.doubtful { " with an `or`" } else { "" }
                )
            });
            words.map(|words| words.trim().to_owned()).collect::<Vec<_>>().join(", ")
        }
        Expected::InvalidRun => "invalid_run".to_owned(),
        _ => "nothing named".to_owned(),
    }
}
