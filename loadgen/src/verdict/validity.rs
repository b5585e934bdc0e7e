//! Whether the figures may be used: what makes a run invalid, what deserves a warning, and the cause.
//!
//! A run is invalid when the *generator* did not keep up with the plan, never because the target was slow. So nothing
//! here looks at answers: only at when sends left, when receipts could be stamped, and what the machine had left.

use reports::format::Latency;
use reports::{human, limits};
use scenarios::Plan;
use scenarios::plan::PlannedOperation;

use super::totals::WorkerTotals;
use crate::health::sample::{Second, Watched};
use crate::record::{Class, Classes, Measures, ThreadTally, classes};

/// A run in which more than this share of the arrivals found their player too busy did not send on schedule.
const MAX_BACKLOG_SHARE: f64 = 0.001;
/// Delays of the generator's own beyond this share of an operation's response time are worth a word.
const NOTABLE_SHARE: f64 = 0.1;
/// Whether the figures of a run may be used.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Validity {
    /// Why no figure may be used, each with its cause and remedy; empty when the generator kept up with the plan.
    pub invalid_reasons: Vec<String>,
    /// What a reader should know all the same.
    pub warnings: Vec<String>,
}

impl Validity {
    /// Of a run whose workers did what is told of each: each is judged by its own records, so that none hides in the
    /// mass of the others, and what is notable by all of them together. `total` and `watched` are those of all,
    /// `descriptor_limit` is a process's.
    #[must_use]
    pub fn of<'w>(
        plan: &Plan,
        total: &ThreadTally,
        watched: &Watched,
        workers: impl ExactSizeIterator<Item = &'w WorkerTotals>,
        descriptor_limit: u64,
    ) -> Self {
        let descriptors = descriptor_limit.saturating_mul(workers.len() as u64);
        Self {
            invalid_reasons: workers.flat_map(|worker| reasons_of(worker, total, watched)).collect(),
            warnings: warnings(plan, &total.measured, watched, descriptors),
        }
    }
}

/// Why one worker's figures may not be used. It is named, unless it is the run's own process.
fn reasons_of(worker: &WorkerTotals, total: &ThreadTally, watched: &Watched) -> Vec<String> {
    // They share the machine's cores: what they used together says more than what one of them did.
    let Watched { busy_seconds, seconds, cores, .. } = *watched;
    let health = Watched { busy_seconds, seconds, cores, ..worker.watched };
    let Some(process) = &worker.process else { return invalid_reasons(total, &health) };
    let own = invalid_reasons(&process.total, &health);
    let clock = process.offset.filter(|offset| !offset.may_be_none()).map(|offset| {
        format!(
            "its clock is not the run's ({} ns ahead, within {} ns): deliveries between workers cannot be measured; \
             run all workers in one time namespace",
            offset.ahead_ns, offset.error_ns
        )
    });
    let named = |reason: String| format!("worker {}: {reason}", worker.index);
    worker.lost.clone().into_iter().chain(own.into_iter().chain(clock).map(named)).collect()
}

fn invalid_reasons(total: &ThreadTally, watched: &Watched) -> Vec<String> {
    let measures = &total.measured;
    let mut reasons = Vec::new();
    let delay = Latency::of(measures.dispatch_delay.histogram());
    if delay.p99 > limits::DISPATCH_DELAY_P99_US {
        reasons.push(format!(
            "p99 send delay was {}; the limit is {} ms; {}",
            shown(delay.p99),
            limits::DISPATCH_DELAY_P99_US / 1_000,
            cause(watched)
        ));
    }
    let lag = Latency::of(measures.event_loop_lag.histogram());
    if lag.p99 > limits::LOOP_LAG_P99_US {
        reasons.push(format!(
            "p99 event-loop lag was {}; the limit is {} ms: answers and pushes may have been stamped too late; {}",
            shown(lag.p99),
            limits::LOOP_LAG_P99_US / 1_000,
            cause(watched)
        ));
    }
    let offered: u64 = measures.operations.iter().map(|tally| tally.offered).sum();
    let backlog = count(errors(measures), &classes::UNSENT_BACKLOG);
    if backlog as f64 > offered as f64 * MAX_BACKLOG_SHARE {
        reasons.push(format!(
            "{backlog} of {offered} arrivals found their player too busy to take them; {}",
            cause(watched)
        ));
    }
    for (class, remedy) in classes::OF_THE_MACHINE {
        let seen = count(
            errors(measures).chain([&total.disruptions.reconnects.errors, &total.disruptions.churn.refused]),
            class,
        );
        if seen > 0 {
            reasons.push(format!(
                "{seen} handshakes failed for lack of the machine's resources ({class}); {remedy}"
            ));
        }
    }
    reasons
}

/// What held the generator up, with the remedy.
fn cause(watched: &Watched) -> String {
    let Second { busiest_thread_percent, run_delay_percent, steal_percent, .. } = watched.worst;
    if watched.busy_seconds > 0 {
        format!(
            "the generator used up its {} cores in {} of {} seconds: give it more, or lower the rates",
            watched.cores, watched.busy_seconds, watched.seconds
        )
    } else if steal_percent >= limits::STEAL_PERCENT {
        format!(
            "the hypervisor gave up to {steal_percent:.0} % of the cores to others: use a machine with cores of its own"
        )
    } else if run_delay_percent >= limits::RUN_DELAY_PERCENT {
        format!(
            "the generator lacked CPU (waited up to {run_delay_percent:.0} % of the time): other processes take it; move \
             them, or the target, to another machine"
        )
    } else if busiest_thread_percent >= limits::FULL_THREAD_PERCENT {
        format!("one of its threads was full ({busiest_thread_percent:.0} % of a core): lower the rates")
    } else {
        "the cause is none that the generator can see (a paused machine, say): run it again, and on another machine if \
         it stays so"
            .into()
    }
}

fn warnings(plan: &Plan, measures: &Measures, watched: &Watched, descriptor_limit: u64) -> Vec<String> {
    let mut warnings = Vec::new();
    warnings.extend(delayed(plan, measures));
    let worst = &watched.worst;
    if worst.clock_step_ms.abs() > limits::CLOCK_STEP_MS {
        warnings.push(format!(
            "the system's clock was set by {:+.0} ms during the run: latencies do not depend on it, but CloudWatch's \
             series lie shifted by as much from then on",
            worst.clock_step_ms
        ));
    }
    if worst.receive_queue_bytes > limits::QUEUE_BYTES {
        warnings.push(format!(
            "up to {} KiB waited in the kernel for the players to read them",
            worst.receive_queue_bytes / 1_024
        ));
    }
    if worst.send_queue_bytes > limits::QUEUE_BYTES {
        warnings.push(format!(
            "up to {} KiB waited in the kernel for the target to take them: it reads more slowly than the plan sends",
            worst.send_queue_bytes / 1_024
        ));
    }
    if worst.descriptors as f64 > descriptor_limit as f64 * limits::DESCRIPTORS {
        warnings.push(format!("{} of {descriptor_limit} descriptors were open", worst.descriptors));
    }
    warnings
}

/// The operations whose response time the generator's own delay raises by a notable share, in one sentence. How much that is of
/// each shows in its service time, which runs from the actual send.
fn delayed(plan: &Plan, measures: &Measures) -> Option<String> {
    let notable = |planned: &PlannedOperation| {
        let tally = measures.operation(planned.operation);
        let [response, service] = [&tally.response, &tally.service].map(|one| Latency::of(one.histogram()));
        let own = response.p99.saturating_sub(service.p99);
        (service.count > 0 && own as f64 > response.p99 as f64 * NOTABLE_SHARE)
            .then(|| format!("{} ({} of {})", planned.name, shown(own), shown(response.p99)))
    };
    let named: Vec<_> = plan.operations.iter().filter_map(notable).collect();
    (!named.is_empty()).then(|| {
        format!(
            "the generator's own dispatch delay makes up more than a tenth of the response time's p99 of {}: trust the service \
             time there",
            named.join(", ")
        )
    })
}

fn errors(measures: &Measures) -> impl Iterator<Item = &Classes> {
    measures.operations.iter().map(|tally| &tally.errors)
}

fn count<'c>(errors: impl Iterator<Item = &'c Classes>, wanted: &Class) -> u64 {
    errors.flat_map(Classes::iter).filter(|(class, _)| wanted == class).map(|(_, count)| count).sum()
}

fn shown(micros: u64) -> String {
    human::duration(micros as f64)
}

#[cfg(test)]
mod tests {
    use scenarios::plan::operation::Operation;

    use super::super::totals::ProcessTotals;
    use super::*;
    use crate::health::clock_offset::Offset;
    use crate::record::Tally;

    fn watched(worst: Second, busy_seconds: u64) -> Watched {
        Watched { worst, busy_seconds, seconds: 30, cores: 2, ..Watched::default() }
    }

    fn plan() -> Plan {
        let text = "name = \"v\"\nplayers = 1\nphases = [{ kind = \"hold\", duration = \"1s\" }]\n\
            [operations.send_message]\nrate = 1.0\n";
        scenarios::check("v.toml", text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan
    }

    fn of(measured: Measures) -> ThreadTally {
        ThreadTally { measured, ..ThreadTally::default() }
    }

    /// Of a run in one process.
    fn judge(total: ThreadTally, watched: Watched) -> Validity {
        let worker = WorkerTotals { watched, ..WorkerTotals::default() };
        Validity::of(&plan(), &total, &watched, [&worker].into_iter(), 20_000)
    }

    fn late() -> Measures {
        let mut measures = Measures::default();
        (0..1_000).for_each(|_| measures.dispatch_delay.record(300));
        (0..50).for_each(|_| measures.dispatch_delay.record(200_000));
        measures
    }

    #[test]
    fn a_slow_target_makes_no_run_invalid() {
        let mut measures = Measures::default();
        let slow_target = measures.operation_mut(Operation::of(1));
        slow_target.offered = 1_000;
        slow_target.timed_out = 900;
        slow_target.response.record(9_000_000);
        (0..1_000).for_each(|_| measures.dispatch_delay.record(300));
        (0..1_000).for_each(|_| measures.event_loop_lag.record(100));
        assert_eq!(judge(of(measures), watched(Second::default(), 0)), Validity::default());
    }

    #[test]
    fn late_sends_and_late_receipts_are_told_apart() {
        let quiet = watched(Second::default(), 0);
        assert!(
            judge(of(late()), quiet).invalid_reasons[0]
                .starts_with("p99 send delay was 200 ms; the limit is 50 ms;")
        );
        let mut measures = Measures::default();
        (0..50).for_each(|_| measures.event_loop_lag.record(200_000));
        let reasons = judge(of(measures), quiet).invalid_reasons;
        assert!(reasons.len() == 1 && reasons[0].contains("stamped"), "{reasons:?}");
    }

    #[test]
    fn a_handshake_that_lacks_a_port_or_a_descriptor_makes_the_run_invalid_whosever_it_is() {
        let mut total = ThreadTally::default();
        total.measured.operation_mut(Operation::CONNECT).errors.count(&classes::NO_PORTS);
        total.disruptions.reconnects.errors.add(&classes::NO_PORTS, 2);
        total.disruptions.reconnects.errors.add(&classes::REFUSED, 9);
        total.disruptions.churn.refused.count(&classes::NO_DESCRIPTORS);
        let reasons = judge(total, watched(Second::default(), 0)).invalid_reasons;
        assert_eq!(reasons.len(), 2, "{reasons:?}");
        assert!(reasons[0].starts_with("1 handshakes") && reasons[0].contains("ulimit"), "{reasons:?}");
        assert!(reasons[1].starts_with("3 handshakes") && reasons[1].contains("(no_ports)"), "{reasons:?}");
    }

    #[test]
    fn one_worker_makes_the_run_invalid_and_is_named() {
        let one = |index| WorkerTotals {
            index,
            process: Some(ProcessTotals::default()),
            watched: watched(Second::default(), 0),
            ..WorkerTotals::default()
        };
        let mut workers: Vec<_> = (0..20).map(one).collect();
        fn process(worker: &mut WorkerTotals) -> &mut ProcessTotals {
            worker.process.as_mut().unwrap()
        }
        let judged = |workers: &[WorkerTotals]| {
            let mut all = ThreadTally::default();
            let processes = workers.iter().filter_map(|worker| worker.process.as_ref());
            processes.for_each(|process| all.merge(&process.total));
            Validity::of(&plan(), &all, &watched(Second::default(), 7), workers.iter(), 20_000)
                .invalid_reasons
        };
        assert_eq!(judged(&workers), Vec::<String>::new());
        // Ten times as many good ones: the p99 of all is fine, and that of one is not.
        workers.iter_mut().for_each(|worker| {
            (0..1_000).for_each(|_| process(worker).total.measured.dispatch_delay.record(300));
        });
        process(&mut workers[3]).total.measured = late();
        let reasons = judged(&workers);
        assert_eq!(reasons.len(), 1);
        assert!(reasons[0].starts_with("worker 3: p99 send delay was"), "{reasons:?}");
        assert!(reasons[0].contains("in 7 of 30 seconds"), "the cores are used together: {reasons:?}");
        workers[4].lost = Some("worker 4 ended".into());
        process(&mut workers[5]).offset = Some(Offset { ahead_ns: 900, error_ns: 100 });
        assert_eq!(judged(&workers).len(), 3);
    }

    #[test]
    fn a_reason_names_its_cause() {
        let seen = |worst, busy| judge(of(late()), watched(worst, busy)).invalid_reasons.remove(0);
        let none = Second::default();
        assert!(seen(none, 9).contains("used up its 2 cores in 9 of 30 seconds"));
        assert!(
            seen(Second { run_delay_percent: 60.0, ..none }, 0)
                .contains("lacked CPU (waited up to 60 % of the time)")
        );
        assert!(seen(Second { steal_percent: 30.0, ..none }, 0).contains("hypervisor"));
        assert!(seen(Second { busiest_thread_percent: 99.0, ..none }, 0).contains("one of its threads"));
        assert!(seen(none, 0).contains("none that the generator can see"));
    }

    #[test]
    fn what_does_not_spoil_a_run_is_a_warning() {
        let mut measures = Measures::default();
        measures.operation_mut(Operation::of(1)).response.record(20_000);
        measures.operation_mut(Operation::of(1)).service.record(16_000);
        let worst = Second {
            clock_step_ms: -900.0,
            receive_queue_bytes: 3 << 20,
            send_queue_bytes: 2 << 20,
            descriptors: 19_500,
            ..Second::default()
        };
        let validity = judge(of(measures), watched(worst, 0));
        assert_eq!(validity.invalid_reasons, Vec::<String>::new());
        for (warning, word) in validity.warnings.iter().zip(["tenth", "-900 ms", "3072", "2048", "19500"]) {
            assert!(warning.contains(word), "{warning}");
        }
        assert_eq!(validity.warnings.len(), 5);
        assert!(
            validity.warnings[0].contains("p99 of send_message (4.01 ms of 20.0 ms)"),
            "{}",
            validity.warnings[0]
        );
    }

    #[test]
    fn the_generator_s_own_delay_is_noted_once_and_only_where_it_matters() {
        let text = "name = \"v\"\nplayers = 1\nphases = [{ kind = \"hold\", duration = \"1s\" }]\n\
            [operations.send_message]\nrate = 1.0\n[operations.placement_request]\nrate = 1.0\n";
        let plan = scenarios::check("v.toml", text, &[]).unwrap_or_else(|mistakes| panic!("{mistakes}")).plan;
        let mut measures = Measures::default();
        // All three waited for the generator as long; for one of them it is much.
        for (operation, service) in [(0, 900_000), (1, 10_000), (2, 1_000_000)] {
            let tally = measures.operation_mut(Operation::of(operation));
            tally.service.record(service);
            tally.response.record(service + 5_000);
        }
        let noted = delayed(&plan, &measures).expect("one is delayed");
        let delayed = &plan.operations[1].name;
        assert!(
            noted.contains(&format!("p99 of {delayed} (")) && noted.matches(" of ").count() == 3,
            "{noted}"
        );
    }
}
