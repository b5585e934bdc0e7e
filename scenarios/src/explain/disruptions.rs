//! Churn and disruptions in sentences, for people.

use crate::keys::disruptions::{Cut, Policy};
use crate::plan::disruptions::{Disruptions, Reconnect};

/// One sentence for each thing that is not as usual.
#[must_use]
pub(super) fn sentences(disruptions: &Disruptions) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(churn) = &disruptions.churn {
        lines.push(format!(
            "{} players stay a while ({}), leave, and come back later ({}).",
            disruptions.churning(),
            churn.session,
            churn.pause
        ));
    }
    lines.extend(disruptions.storms.iter().map(|storm| {
        let how = match storm.cut {
            Cut::Abort => "without a close frame",
            Cut::Reset => "by a reset",
            Cut::Close => "with a close frame",
        };
        let over = if storm.over.is_zero() {
            "at once".into()
        } else {
            format!("within {}", humantime::format_duration(storm.over))
        };
        let at = storm.at.as_secs_f64();
        format!("At {at:.1} s, {:.0} % of the open sockets are cut {over}, {how}.", storm.share * 100.0)
    }));
    lines.extend(reconnecting(&disruptions.reconnect));
    if let Some(slow) = &disruptions.slow {
        lines.push(format!(
            "{} players read slowly; what is sent to them is in no figure.",
            slow.share.size()
        ));
    }
    if let Some(half_open) = &disruptions.half_open {
        lines.push(format!(
            "{} players fall silent without a FIN, some time after their handshakes ({}){}.",
            half_open.share.size(),
            half_open.after,
            half_open.lasts.map_or_else(|| ", to the end".into(), |lasts| format!(", for a while ({lasts})"))
        ));
    }
    let kinds = disruptions.malformed.rates.iter().map(|(kind, rate)| format!("{rate} {kind}"));
    let kinds = kinds.collect::<Vec<_>>().join(", ");
    if !kinds.is_empty() {
        lines.push(format!("Players send what no client should, a second: {kinds}."));
    }
    lines
}

fn reconnecting(reconnect: &Reconnect) -> Option<String> {
    let text = humantime::format_duration;
    let wait = match reconnect.policy {
        Policy::None => return None,
        Policy::Constant => format!("every {}", text(reconnect.base)),
        Policy::Exponential => {
            format!(
                "after a random wait of up to {}, doubled each time up to {}",
                text(reconnect.base),
                text(reconnect.cap)
            )
        }
    };
    let bound = reconnect.max_attempts.map_or_else(String::new, |most| format!(", at most {most} times"));
    Some(format!("A player whose socket is lost or refused tries again {wait}{bound}."))
}
