//! What candidates of all families are made with.

use reports::format::Evidence;

use crate::candidate::Candidate;

/// Points of a series that evidence shows at most.
const MOST_POINTS: usize = 20;

/// An observation with so many points of its series that it can be drawn: evenly chosen where there are more, the greatest of each
/// part kept.
pub(super) fn evidence(series: String, says: String, points: impl Iterator<Item = (f64, f64)>) -> Evidence {
    let all: Vec<(f64, f64)> = points.collect();
    let length = all.len().div_ceil(MOST_POINTS).max(1);
    let greatest = |part: &[(f64, f64)]| part.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1));
    Evidence { series, says, points: all.chunks(length).filter_map(greatest).collect() }
}

/// Candidates of the same kind and place as one: it explains what each of them does.
pub(super) fn gather(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut gathered: Vec<Candidate> = Vec::new();
    for candidate in candidates {
        match gathered.iter_mut().find(|known| known.kind == candidate.kind && known.stage == candidate.stage) {
            Some(known) => join(known, candidate),
            None => gathered.push(candidate),
        }
    }
    gathered
}

fn join(known: &mut Candidate, other: Candidate) {
    if other.onset.from_s < known.onset.from_s {
        known.onset = other.onset;
    }
    known.end_s = known.end_s.max(other.end_s);
    known.observed = match (known.observed, other.observed) {
        (Some(a), Some(b)) => Some(a.max(b)),
        (a, b) => a.or(b),
    };
    for (position, share) in other.explains {
        match known.explains.iter_mut().find(|(same, _)| *same == position) {
            Some((_, greatest)) => *greatest = greatest.max(share),
            None => known.explains.push((position, share)),
        }
    }
    let news = |known: &[String], word: &String| !known.contains(word);
    known.or.extend(other.or.into_iter().filter(|word| news(&known.or, word)).collect::<Vec<_>>());
    known.follows.extend(other.follows);
    for one in other.evidence {
        if !known.evidence.iter().any(|same| same.series == one.series && same.says == one.says) {
            known.evidence.push(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use reports::format::SuspectKind;

    use super::*;
    use crate::candidate::Interval;
    use crate::observed::Stage;

    #[test]
    fn many_points_are_thinned_and_the_greatest_stays() {
        let points = (0..200).map(|n| (f64::from(n), if n == 77 { 900.0 } else { 1.0 }));
        let evidence = evidence("a".into(), "b".into(), points);
        assert_eq!(evidence.points.len(), 20);
        assert!(evidence.points.contains(&(77.0, 900.0)));
    }

    #[test]
    fn one_cause_of_two_symptoms_is_one_candidate() {
        let candidate = |from_s: f64, explains: (usize, f64)| {
            let onset = Interval { from_s, to_s: from_s + 1.0 };
            let stage = Stage::Function("F".into());
            let mut candidate = Candidate::new(SuspectKind::SlowFunction, stage, onset, from_s + 10.0);
            candidate.explains.push(explains);
            candidate
        };
        let gathered = gather(vec![candidate(5.0, (0, 0.8)), candidate(3.0, (1, 0.6)), candidate(9.0, (0, 0.9))]);
        assert_eq!(gathered.len(), 1);
        assert_eq!(gathered[0].explains, [(0, 0.9), (1, 0.6)]);
        assert!((gathered[0].onset.from_s - 3.0).abs() < 1e-9 && (gathered[0].end_s - 19.0).abs() < 1e-9);
    }
}
