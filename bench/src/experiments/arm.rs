//! What an experiment runs.

use crate::planted::Settings;

/// What runs.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The experiment's name, e.g. `push-versus-poll`.
    pub name: &'static str,
    /// The scenario that all arms share.
    pub scenario: &'static str,
    /// What differs.
    pub arms: Vec<Arm>,
}

/// One way of doing it.
#[derive(Debug, Clone)]
pub struct Arm {
    /// In a few words, e.g. `poll every 1 s`.
    pub name: &'static str,
    /// What is different in it.
    pub about: &'static str,
    /// Keys of the scenario, on top of what all arms share.
    pub scenario: Settings,
    /// The backend's profile, `profile.toml` beside the scenario.
    pub profile: Settings,
}

impl Arm {
    /// The arm's folder: its name without blanks.
    #[must_use]
    pub fn slug(&self) -> String {
        self.name.replace([' ', '.', ','], "-")
    }
}
