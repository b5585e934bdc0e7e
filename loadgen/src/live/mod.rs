//! Live output of a run: on the terminal, for Prometheus, over OTLP.
//!
//! ```text
//! collector ─▶ Live::second ─▶ display (a dashboard, or plain lines)
//!                          └─▶ totals ─▶ metrics ─▶ prometheus (asked for)
//!                                              └─▶ otlp (sent every few seconds)
//! ```
//!
//! A failure here is reported once and never affects the run. Live values are approximate; the run folder has the results.

mod display;
mod log;
mod metrics;
mod otlp;
mod prometheus;
mod screen;
mod totals;
mod view;

use std::net::SocketAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use reports::format::{Run, SeriesLine};
use scenarios::Plan;
use url::Url;

use crate::record::{Measures, Names};
use crate::verdict::validity::Validity;
use display::{Display, DisplayThread};
use otlp::Otlp;
use prometheus::Prometheus;
use totals::LiveTotals;

pub use display::{AboveDisplay, say};
pub use log::log_fields;

/// The live outputs that are asked for.
#[derive(Debug, Clone, Default)]
pub struct Watchers {
    /// Neither dashboard nor lines.
    pub quiet: bool,
    /// Where Prometheus may ask.
    pub prometheus: Option<SocketAddr>,
    /// The collector that metrics are sent to, without the path `/v1/metrics`.
    pub otlp: Option<Url>,
}

/// A live output that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The address for Prometheus is taken, or not this machine's.
    #[error("--prometheus {address}: {source}; choose a free address of this machine, e.g. 127.0.0.1:9464")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Nothing can be sent.
    #[error("--otlp: {0}")]
    Otlp(#[from] otlp::OtlpError),
}

/// The live outputs of one run.
pub struct Live {
    /// Nothing where it is to be quiet.
    display: Option<DisplayThread>,
    totals: Arc<Mutex<LiveTotals>>,
    /// Both end with this value.
    _prometheus: Option<Prometheus>,
    otlp: Option<Otlp>,
}

impl Live {
    /// Opens the live outputs of a run of this plan.
    ///
    /// # Errors
    /// [`LiveError`] if one cannot be opened; nothing has been sent to the target yet.
    pub async fn open(watchers: &Watchers, run: &Run, plan: &Plan) -> Result<Self, LiveError> {
        let totals = Arc::new(Mutex::new(LiveTotals::new(run, Names::of(plan))));
        let prometheus = match watchers.prometheus {
            Some(address) => {
                let opened = Prometheus::open(address, Arc::clone(&totals)).await;
                Some(opened.map_err(|source| LiveError::Listen { address, source })?)
            }
            None => None,
        };
        let otlp = match &watchers.otlp {
            Some(url) => Some(Otlp::open(url, Arc::clone(&totals))?),
            None => None,
        };
        let display = (!watchers.quiet).then(|| DisplayThread::open(Display::new(&run.name, plan.end())));
        Ok(Self { display, totals, _prometheus: prometheus, otlp })
    }

    /// Shows one second: its line, its measures (measured and warm-up together), and what the run is worth so far.
    pub fn second(&mut self, line: &SeriesLine, measures: &Measures, validity: &Validity) {
        if let Some(display) = &self.display {
            display.second(line, validity);
        }
        self.totals.lock().add(line, measures, validity);
    }

    /// Prints a warning during the run, unless it is quiet; the report repeats it.
    pub fn warn(&self, what: &str) {
        if self.display.is_some() {
            tracing::warn!("{what}");
        }
    }

    /// Closes the live outputs; the last values are sent first.
    pub async fn close(self) {
        if let Some(display) = self.display {
            display.close();
        }
        if let Some(otlp) = self.otlp {
            otlp.close().await;
        }
    }
}
