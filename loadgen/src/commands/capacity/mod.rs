//! `loadgen capacity`: the highest rate, or number of sockets, that holds the scenario's thresholds.
//!
//! ```text
//! driver ─▶ search (pure: the next level) ─▶ candidate (can this machine hold it?) ─▶ step (a child `loadgen run`)
//!        ◀─ step result (its verdict) ◀──────────────────────────────────────────────┘
//! ```
//!
//! `capacity.json` and `capacity.html` are written after every step, so that a search that ends early leaves what it has
//! found.

mod driver;
mod error;
mod estimate;
mod find;
mod load;
mod request;
mod search;
mod step;

pub use error::CapacityError;
pub use find::{Found, find, text};
pub use request::{Progress, SearchRequest};
pub use search::{Next, Rules, Search};
