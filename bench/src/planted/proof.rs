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
use super::counterfactual::Counterfactual;
use super::draw::{Draw, Expected};
use super::runs::{self, Reuse, RunError, Runner, Variant};
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
    /// Of so many draws of each case, that users felt and whose first suspect is right, there are two more runs: with the accused
    /// limit raised, and with another one.
    pub counterfactuals: usize,
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
    /// What became of the symptom with other limits; absent: not in the sample.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub counterfactual: Option<Counterfactual>,
    /// The folder of its runs.
    pub folder: PathBuf,
}

impl Proven {
    /// Whether users felt what was planted.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        self.planted && self.felt.is_some()
    }

    /// E.g. `P1-3`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}-{}", self.case, self.seed)
    }

    /// What attribution said of the folder as it is.
    #[must_use]
    pub fn answer(&self) -> Answer {
        self.said.get(&View::AsIs).map_or(Answer::Spoiled, |said| said.answer)
    }

    /// Whether others on this machine disturbed one of its runs three times.
    fn is_spoiled(&self) -> bool {
        let clean = self.said_of_clean.as_ref().map(|said| said.answer);
        self.answer() == Answer::Spoiled || clean == Some(Answer::Spoiled)
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
        format!("{answer:9} {:9} {said} | wanted {} | {} | {felt}", self.name(), self.expected, self.what)
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

/// What makes of a draw what came of it.
type Work<'a> = dyn Fn(&(Case, Draw)) -> Result<Proven, RunError> + Sync + 'a;

impl Proof {
    /// Runs and judges everything; `tell` hears of each draw as it is done.
    #[must_use]
    pub fn make(options: &Options, tell: &(dyn Fn(&Proven) + Sync)) -> Self {
        let begin = Instant::now();
        let mut proof = Self::default();
        // A starved core is not for others.
        let draws = options.draws.iter().map(|(case, seed)| (*case, case.draw(*seed)));
        let (alone, together): (Vec<_>, Vec<_>) = draws.partition(|(_, draw)| draw.starved);
        let reuse = options.reuse();
        proof.add(options.jobs, together, &|(case, draw)| prove(options, reuse, *case, draw), tell);
        proof.add(1, alone, &|(case, draw)| prove(options, reuse, *case, draw), tell);
        if !options.again {
            let (spoiled, good) = proof.draws.into_iter().partition(Proven::is_spoiled);
            proof.draws = good;
            let spoiled = options.drawn(&spoiled);
            proof.add(1, spoiled, &|(case, draw)| prove(options, Reuse::Valid, *case, draw), tell);
        }
        let place = |proven: &Proven| {
            options.draws.iter().position(|(case, seed)| case.name == proven.case && *seed == proven.seed)
        };
        proof.draws.sort_by_key(place);
        proof.add_counterfactuals(options);
        proof.seconds = begin.elapsed().as_secs_f64();
        proof
    }

    /// Works on draws, so many at once, and adds what comes of them.
    fn add(
        &mut self,
        jobs: usize,
        draws: Vec<(Case, Draw)>,
        work: &Work<'_>,
        tell: &(dyn Fn(&Proven) + Sync),
    ) {
        let told = |drawn: &(Case, Draw)| work(drawn).inspect(tell);
        for (name, result) in in_parallel(jobs, draws, &told) {
            match result {
                Ok(proven) => self.draws.push(proven),
                Err(error) => self.broken.push(format!("{name}: {error}")),
            }
        }
    }

    /// Runs the sample with other limits.
    fn add_counterfactuals(&mut self, options: &Options) {
        let mut sample: BTreeMap<&str, Vec<Proven>> = BTreeMap::new();
        for proven in self.admitted().filter(|proven| proven.answer() == Answer::Right) {
            let of_case = sample.entry(proven.case).or_default();
            if of_case.len() < options.counterfactuals {
                of_case.push(proven.clone());
            }
        }
        let sample: Vec<Proven> = sample.into_values().flatten().collect();
        let draws = options.drawn(&sample).into_iter().filter(|(_, draw)| draw.cure.is_some()).collect();
        for (name, result) in in_parallel(options.jobs, draws, &|(_, draw)| counterfactual(options, draw)) {
            match result {
                Ok(found) => {
                    let of_draw = self.draws.iter_mut().find(|proven| proven.name() == name);
                    of_draw.expect("a draw of the sample").counterfactual = Some(found);
                }
                Err(error) => self.broken.push(format!("{name}: {error}")),
            }
        }
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
        let counterfactuals = self.draws.iter().filter_map(|proven| proven.counterfactual.as_ref());
        let tried: Vec<bool> =
            counterfactuals.flat_map(|found| [found.went(), found.stayed()]).flatten().collect();
        let refuted = tried.iter().filter(|held| !**held).count();
        self.broken.is_empty() && enough && honest && refuted * 20 <= tried.len()
    }
}

impl Options {
    const fn reuse(&self) -> Reuse {
        if self.again { Reuse::Everything } else { Reuse::Nothing }
    }

    fn runner(&self, reuse: Reuse) -> Runner<'_> {
        Runner { loadgen: self.loadgen.as_path(), out: self.out.as_path(), reuse }
    }

    /// What some draws were drawn as.
    fn drawn(&self, proven: &[Proven]) -> Vec<(Case, Draw)> {
        let is_one_of =
            |case: &Case, seed: u64| proven.iter().any(|one| one.case == case.name && one.seed == seed);
        let draws = self.draws.iter().filter(|(case, seed)| is_one_of(case, *seed));
        draws.map(|(case, seed)| (*case, case.draw(*seed))).collect()
    }
}

/// Works on all draws, so many at once; what came of each, by its name.
fn in_parallel<T: Send>(
    jobs: usize,
    draws: Vec<(Case, Draw)>,
    work: &(dyn Fn(&(Case, Draw)) -> T + Sync),
) -> Vec<(String, T)> {
    let (queue, done) = (Mutex::new(VecDeque::from(draws)), Mutex::new(Vec::new()));
    // The lock is held only while one is taken.
    let next = || locked(&queue).pop_front();
    thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while let Some(drawn) = next() {
                    let result = work(&drawn);
                    locked(&done).push((drawn.1.name(), result));
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// One draw: its runs, what users felt, what is said in every view.
fn prove(options: &Options, reuse: Reuse, case: Case, draw: &Draw) -> Result<Proven, RunError> {
    let run = |variant| options.runner(reuse).run(draw, variant);
    let compared = draw.is_planted() && !draw.starved;
    let folder = run(if draw.is_planted() { Variant::Fault } else { Variant::Clean })?;
    let clean = compared.then(|| run(Variant::Clean)).transpose()?;
    let felt = match (&clean, draw.starved) {
        (Some(clean), _) => truth::felt(&folder, clean),
        (None, true) => (!folder.summary_or_rebuilt().verdict.valid).then(|| "the run is invalid".to_owned()),
        (None, false) => None,
    };
    let is_felt = felt.is_some();
    let mut said = BTreeMap::new();
    for view in View::iter() {
        said.extend(said_in(&folder.dir, draw, view, is_felt)?.map(|said| (view, said)));
    }
    let said_of_clean = clean.as_ref().map(|clean| said_of_clean(clean, draw));
    let baseline = baseline_of(&folder, draw, is_felt);
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
        counterfactual: None,
        folder: options.out.join(draw.name()),
    })
}

/// What attribution says of a folder in a view; `None` where the view takes nothing away.
fn said_in(dir: &Path, draw: &Draw, view: View, felt: bool) -> Result<Option<Said>, RunError> {
    let mut folder = runs::read(dir)?;
    let shows = view.apply(&mut folder);
    Ok(shows.then(|| Said::of(&attribution::attribute(&folder), draw, felt)))
}

/// The runs of a draw with other limits.
fn counterfactual(options: &Options, draw: &Draw) -> Result<Counterfactual, RunError> {
    let clean = options.runner(Reuse::Everything).run(draw, Variant::Clean)?;
    Counterfactual::of(&options.runner(options.reuse()), draw, &clean)
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
                format!("{kind} {}{}", accepted.resource, if accepted.doubtful { " with an or" } else { "" })
            });
            words.map(|words| words.trim().to_owned()).collect::<Vec<_>>().join(", ")
        }
        Expected::InvalidRun => "invalid_run".to_owned(),
        _ => "nothing named".to_owned(),
    }
}
