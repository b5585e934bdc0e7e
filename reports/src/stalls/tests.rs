//! Made-up seconds with known stalls.

use hdrhistogram::Histogram;

use super::*;

/// A run of `seconds` at `rate` arrivals a second with a usual wait of `usual_us`, whose target answers nothing within the
/// given stretches (start and length in microseconds) and everything at their ends.
fn run(seconds: u64, rate: u64, usual_us: u64, stalls: &[(u64, u64)]) -> Vec<SeriesLine> {
    let mut lines: Vec<_> = (0..seconds).map(|t| SeriesLine { t, ..SeriesLine::default() }).collect();
    let mut answers: Vec<_> = (0..seconds).map(|_| Histogram::<u64>::new(3).unwrap()).collect();
    for arrival in 0..seconds * rate {
        let at = arrival * 1_000_000 / rate;
        // Waits differ a little, by a fixed pattern.
        let ready = at + usual_us * (80 + arrival * 7 % 41) / 100;
        let held = stalls.iter().find(|(start, length)| (*start..start + length).contains(&ready));
        let answered = held.map_or(ready, |(start, length)| start + length + usual_us / 2);
        let sent = lines[(at / 1_000_000) as usize].operations.entry("send".into()).or_default();
        sent.sent += 1;
        if let Some(histogram) = answers.get_mut((answered / 1_000_000) as usize) {
            histogram.record(answered - at).unwrap();
        }
    }
    for (line, histogram) in lines.iter_mut().zip(&answers) {
        let second = line.operations.entry("send".into()).or_default();
        second.completed = histogram.len();
        second.response_time_us = Latency::of(histogram);
    }
    lines
}

fn found(series: &[SeriesLine]) -> Stalls {
    let mut finder = Finder::default();
    series.iter().for_each(|line| finder.second(line));
    finder.finish()
}

#[test]
fn a_second_in_every_ten_is_found_with_its_period() {
    for (rate, offset) in [(200, 0), (200, 500_000), (20, 300_000), (2_000, 900_000)] {
        let stalls: Vec<_> = (1..12).map(|nth| (nth * 10_000_000 + offset, 1_000_000)).collect();
        let found = found(&run(120, rate, 2_000, &stalls));
        assert_eq!(found.stalls.len(), 11, "{rate}/s: {found:?}");
        let period = found.period.expect("they are regular");
        assert!((period.median_s - 10.0).abs() < 0.6, "{period:?}");
        for stall in &found.stalls {
            assert!((900_000..=1_010_000).contains(&stall.longest_us), "{stall:?}");
        }
        let sentence = found.sentence().expect("something was found");
        assert!(sentence.starts_with("11 times answers stood still for up to "), "{sentence}");
        assert!(sentence.contains(", every 10 s") && sentence.contains("and 8 more"), "{sentence}");
    }
}

#[test]
fn long_and_short_stalls_are_found_where_they_were() {
    let found = found(&run(60, 100, 5_000, &[(12_400_000, 3_700_000), (40_200_000, 300_000)]));
    let at: Vec<_> = found.stalls.iter().map(|stall| (stall.from_s, stall.to_s)).collect();
    assert_eq!(at, [(13, 17), (40, 41)]);
    assert!(found.stalls[0].longest_us > 3_600_000 && found.stalls[1].longest_us < 310_000);
    assert_eq!(found.period, None);
    assert!(found.sentence().is_some(), "one of them is long");
    let short = Stalls { stalls: found.stalls[1..].to_vec(), period: None };
    assert_eq!(short.sentence(), None);
}

#[test]
fn an_even_run_an_overload_and_a_pause_of_the_plan_are_no_stalls() {
    assert_eq!(found(&run(100, 200, 2_000, &[])).sentence(), None);
    // Twenty seconds of slow answers.
    let mut series = run(100, 200, 2_000, &[]);
    for line in &mut series[40..60] {
        let latency = &mut line.operations.get_mut("send").unwrap().response_time_us;
        (latency.p50, latency.p90, latency.max) = (300_000, 400_000, 900_000);
    }
    assert_eq!(found(&series), Stalls::default());
    // Two seconds of very slow ones, while others are answered.
    let mut series = run(100, 200, 2_000, &[]);
    for line in &mut series[40..42] {
        let latency = &mut line.operations.get_mut("send").unwrap().response_time_us;
        (latency.p50, latency.p90, latency.max) = (300_000, 1_400_000, 2_900_000);
    }
    assert_eq!(found(&series), Stalls::default());
    // Ten seconds in which nothing is asked.
    let mut series = run(100, 200, 2_000, &[]);
    series[40..50].iter_mut().for_each(|line| line.operations.clear());
    assert_eq!(found(&series), Stalls::default());
    // One slow answer in a hundred.
    let mut series = run(100, 200, 2_000, &[]);
    for line in &mut series {
        line.operations.get_mut("send").unwrap().response_time_us.max = 2_000_000;
    }
    assert_eq!(found(&series), Stalls::default());
}

#[test]
fn a_stall_of_the_generator_is_called_so() {
    let mut series = run(60, 100, 5_000, &[(30_000_000, 1_000_000)]);
    series[30].generator.dispatch_delay_us.max = 950_000;
    let found = found(&series);
    assert!(found.stalls.len() == 1 && found.stalls[0].of_generator, "{found:?}");
    let sentence = found.sentence().expect("something was found");
    assert!(
        sentence.starts_with("Once ") && sentence.contains("The generator was late itself"),
        "{sentence}"
    );
}

#[test]
fn the_chance_is_the_binomial_tail() {
    // 2^-0.9 - 2^-1.1 = 0.535887 - 0.466517.
    assert!((by_chance(1, 1, 0.1) - 0.069_370).abs() < 1e-5);
    assert!((by_chance(2, 2, 0.1) - 0.069_370_f64.powi(2)).abs() < 1e-5);
    assert!((by_chance(5, 0, 0.1) - 1.0).abs() < 1e-9);
    // C(3,2)·p²·(1-p) + p³.
    let p = 0.069_370_f64;
    assert!((by_chance(3, 2, 0.1) - (3.0 * p * p * (1.0 - p) + p.powi(3))).abs() < 1e-5);
}

#[test]
fn random_stalls_hardly_ever_have_a_period() {
    // Weyl's sequence through the inverse of the exponential distribution's function, shuffled by its multiplier.
    let mut state = 0x9E37_79B9_u64;
    let mut unit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    };
    let mut named = 0;
    for run in 0..2_000 {
        let (mut at, mut starts) = (0.0, vec![0]);
        for _ in 0..3 + run % 12 {
            at += 2.0 - 20.0 * f64::ln(unit());
            starts.push(at as u64);
        }
        named += u32::from(Period::of(&starts).is_some());
    }
    assert!(named < 40, "{named} of 2000 random rows of stalls have a period");
    let regular = [3, 13, 23, 32, 43, 53];
    let period = Period::of(&regular).expect("regular to the second");
    assert_eq!((period.median_s, period.low_s, period.high_s), (10.0, 9.0, 11.0));
    assert_eq!(period.in_words(), "every 10 s (9 s to 11 s apart)");
    assert_eq!(Period::of(&[1, 11, 21]), None, "two gaps are no rhythm");
}
