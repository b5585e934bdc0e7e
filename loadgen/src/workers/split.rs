//! Over how many processes the players are split.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use crate::health::machine::{SPARE_DESCRIPTORS, descriptor_limit, raise_descriptor_limit};

/// How many workers are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workers {
    /// As many as the descriptors call for.
    Auto,
    /// So many.
    Count(NonZeroU32),
}

impl fmt::Display for Workers {
    /// As the command line takes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Count(count) => count.fmt(f),
        }
    }
}

impl FromStr for Workers {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            count => count.parse().map(Self::Count).map_err(|_| "give a number from 1, or `auto`".into()),
        }
    }
}

/// A run that this machine cannot hold.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// Fewer descriptors than sockets.
    #[error(
        "{players} players over {processes} process(es) need {needed} open files in each, and a process may have {limit}; \
         split them over more with `--workers {enough}`, lower `players`, or raise the limit (`ulimit -n`)"
    )]
    Descriptors {
        /// Players of the plan.
        players: u32,
        /// Processes over which they are split.
        processes: u32,
        /// Descriptors that each needs.
        needed: u64,
        /// The hard limit.
        limit: u64,
        /// Processes that would be enough.
        enough: u64,
    },
    /// There is no room for even one player.
    #[error(
        "a process may have {limit} open files, and a run needs {SPARE_DESCRIPTORS} beside its sockets; raise `ulimit -n`"
    )]
    NoDescriptors {
        /// The hard limit.
        limit: u64,
    },
    /// Some would have nothing to do.
    #[error("{workers} workers are more than the {players} players; give fewer `--workers`")]
    Workers {
        /// What was asked for.
        workers: u32,
        /// Players of the plan.
        players: u32,
    },
}

/// Raises the descriptor limit; returns over how many processes the plan's sockets are split: 1 is this one.
///
/// # Errors
/// [`MachineError`] when they do not fit.
pub fn make_room_for(players: u32, workers: Option<Workers>) -> Result<u32, MachineError> {
    raise_descriptor_limit();
    let limit = descriptor_limit();
    let room = limit.saturating_sub(SPARE_DESCRIPTORS);
    if room == 0 {
        return Err(MachineError::NoDescriptors { limit });
    }
    let enough = u64::from(players).div_ceil(room);
    let processes = match workers {
        None => 1,
        Some(Workers::Count(count)) => count.get(),
        Some(Workers::Auto) => u32::try_from(enough).unwrap_or(u32::MAX),
    };
    if processes > players {
        return Err(MachineError::Workers { workers: processes, players });
    }
    let needed = u64::from(players.div_ceil(processes)) + SPARE_DESCRIPTORS;
    if needed > limit {
        return Err(MachineError::Descriptors { players, processes, needed, limit, enough });
    }
    Ok(processes)
}
