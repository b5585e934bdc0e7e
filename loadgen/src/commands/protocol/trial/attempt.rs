//! Tries a protocol: makes the plan, carries it out, shows every message as it comes, and says what did not come.

use std::sync::Arc;

use output::{Exit, Look};
use serde_json::json;
use tokio::sync::mpsc;

use super::missing::Findings;
use super::narrator::{Narrator, Told};
use super::scenario::{Planned, Wanted};
use crate::cli::TryArgs;
use crate::clock::Micros;
use crate::commands::answer::Answer;
use crate::commands::failure::Failure;
use crate::embedded::EMBEDDED;
use crate::generate::generation::Setup;
use crate::generate::stage::StopReason;
use crate::player::{Sight, Tap};
use crate::run::RunError;
use crate::run::prepared::Prepared;
use crate::workers::alone;

/// Hands on what it sees.
#[derive(Debug)]
struct Lookout(mpsc::UnboundedSender<(u32, Micros, Sight)>);

impl Tap for Lookout {
    fn see(&self, player: u32, at: Micros, sight: Sight) {
        // Whoever shows it is there until the last.
        let _ = self.0.send((player, at, sight));
    }
}

pub(in crate::commands::protocol) async fn attempt(args: TryArgs) -> Result<Answer, Failure> {
    let protocol = protocol::load_named(&args.protocol)?;
    let overrides = args.all_overrides();
    let wanted = Wanted {
        protocol: &args.protocol,
        outline: protocol.outline(),
        timeout: args.timeout.0,
        overrides: &overrides,
        embedded: args.target == EMBEDDED,
    };
    let Planned { plan, left_out } = wanted.plan()?;
    let prepared = Prepared::target_of(&plan).await?;
    let (setup, embedded) = prepared.alone(&plan).await?;
    let (sights, mut seen) = mpsc::unbounded_channel();
    let setup = Setup { tap: Some(Arc::new(Lookout(sights))), ..setup };
    // It ends when the players, who have the other end, do.
    let mut carried_out = Box::pin(alone::carry_out(setup));
    let mut narrator = Narrator::new(&plan);
    let mut show = |(player, at, sight)| print(&narrator.tell(player, at, sight), &args);
    let ended = loop {
        tokio::select! {
            biased;
            Some(sight) = seen.recv() => show(sight)?,
            ended = &mut carried_out => break ended,
        }
    };
    let shown = std::iter::from_fn(|| seen.try_recv().ok()).try_for_each(show);
    if let Some(embedded) = embedded {
        embedded.stop().await;
    }
    shown?;
    let (reason, total) = ended.map_err(RunError::from)?;
    Ok(answer(&Findings::of(&plan, &total, &left_out), reason))
}

fn print(told: &Told, args: &TryArgs) -> Result<(), Failure> {
    let line = if args.json { format!("{}\n", told.json()) } else { told.line(Look::of_stdout(), args.full) };
    output::print(&line)
        .map_err(|error| Failure::machine(format!("cannot write to standard output: {error}")))
}

fn answer(found: &Findings, reason: StopReason) -> Answer {
    let Findings { missing, notes, answers, pushes, unclassified, unreachable } = found;
    let interrupted = reason == StopReason::Interrupted;
    let exit = match (interrupted, unreachable, missing.is_empty()) {
        (true, ..) => Exit::Interrupted,
        (false, true, _) => Exit::Failure,
        (false, false, false) => Exit::ThresholdFailed,
        (false, false, true) => Exit::Fine,
    };
    let look = Look::of_stdout();
    let came = format!("{answers} answers and {pushes} pushes");
    let headline = match exit {
        Exit::Fine => look.good(&format!("Everything that was expected came: {came}.")),
        Exit::Interrupted => look.doubtful(&format!("Interrupted. Until then came {came}.")),
        _ => look.bad(&format!("{came} came as expected. Did not:")),
    };
    let list = |lines: &[String]| lines.iter().map(|line| format!("  {line}\n")).collect::<String>();
    let mut text = format!("\n{headline}\n{}", list(missing));
    if !notes.is_empty() {
        text.push_str(&format!("Besides:\n{}", list(notes)));
    }
    let json = json!({
        "answers": answers,
        "pushes": pushes,
        "missing": missing,
        "notes": notes,
        "unclassified": unclassified,
    });
    Answer { exit, ..Answer::fine(look.wrapped(&text, "    "), json) }
}
