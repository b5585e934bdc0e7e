//! What a reader looks for first: the verdict with its reasons, six answers with their evidence, thresholds, key figures.

use maud::{Markup, html};

use super::answers;
use super::context::Context;
use super::figures;
use super::thresholds;
use crate::format::Status;
use crate::html::banner::{self, Banner, Tone};
use crate::verdict;

pub(super) fn body(context: &Context<'_>) -> Markup {
    let Context { summary, .. } = context;
    let verdict = verdict::of(summary);
    let tone = match verdict.status {
        Status::Passed => Tone::Good,
        Status::NotJudged => Tone::Unsaid,
        Status::ThresholdsFailed | Status::NothingConnected | Status::Failed => Tone::Bad,
        Status::Invalid | Status::Interrupted | Status::Unfinished => Tone::Open,
    };
    let run = &summary.run;
    let banner = Banner {
        section: "answer",
        name: &run.name,
        started_at: run.started_at,
        target: &run.target,
        version: &run.version,
        tone,
        headline: verdict.headline,
        sentence: &verdict.sentence,
    };
    html! {
        (banner.render())
        @if !verdict.reasons.is_empty() {
            ul { @for reason in &verdict.reasons { li { (reason) } } }
        }
        (answers::render(context))
        @if !summary.thresholds.is_empty() { (thresholds::table(summary).render()) }
        (banner::figures(&figures::of(context), context.usable()))
        @for what in &summary.verdict.not_judged {
            p.notice { strong { "Not judged: " } (what) "." }
        }
        @if !summary.verdict.warnings.is_empty() {
            details open[summary.verdict.warnings.len() < 3] {
                summary { "Notes (" (summary.verdict.warnings.len()) ")" }
                ul.notice { @for warning in &summary.verdict.warnings { li { (warning) "." } } }
            }
        }
    }
}
