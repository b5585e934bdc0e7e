//! The memory of environments that run in this process, as the profile describes it: a function of one process cannot be
//! measured by itself. Processes of their own have real memory, which their `REPORT` lines tell.

use reference_backend::function::Function;

use super::{FunctionProfile, LambdaProfile};

/// What environments of a Lambda have and use.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Memory {
    /// `MemorySize` in megabytes.
    pub(super) size_mb: u32,
    baseline_mb: f64,
    leak_mb: f64,
}

/// The memory that one environment uses.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MemoryUse {
    /// None: it is not modelled.
    mb: Option<f64>,
}

impl Memory {
    /// That of a function, or of all of them.
    pub(super) fn new(profile: &LambdaProfile, function: Option<Function>) -> Self {
        let own: FunctionProfile =
            function.and_then(|function| profile.functions.get(&function)).copied().unwrap_or_default();
        Self {
            size_mb: own.memory_mb.unwrap_or(profile.memory_mb),
            baseline_mb: own.memory_used_mb.unwrap_or(profile.memory_used_mb),
            leak_mb: own.memory_leak_mb.unwrap_or(profile.memory_leak_mb),
        }
    }

    /// The memory of a new environment.
    pub(super) fn fresh(&self) -> MemoryUse {
        MemoryUse { mb: (self.baseline_mb + self.leak_mb > 0.0).then_some(self.baseline_mb) }
    }
}

impl MemoryUse {
    /// Megabytes, at most the size of the environment; none if that is not modelled.
    pub(super) fn used_mb(&self) -> Option<f64> {
        self.mb
    }

    /// Adds what an invocation leaves behind; false if nothing is left then.
    pub(super) fn leak(&mut self, memory: &Memory) -> bool {
        let Some(mb) = &mut self.mb else { return true };
        let size = f64::from(memory.size_mb);
        *mb = (*mb + memory.leak_mb).min(size);
        *mb < size
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_grows_to_its_size_and_no_further() {
        let memory = Memory { size_mb: 128, baseline_mb: 100.0, leak_mb: 10.0 };
        let mut used = memory.fresh();
        assert_eq!([used.leak(&memory), used.leak(&memory), used.leak(&memory)], [true, true, false]);
        assert_eq!(used.used_mb(), Some(128.0));
        let unknown = Memory { size_mb: 128, baseline_mb: 0.0, leak_mb: 0.0 };
        let mut used = unknown.fresh();
        assert!(used.leak(&unknown) && used.used_mb().is_none());
    }
}
