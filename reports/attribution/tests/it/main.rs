//! Attribution on made folders: one planted signature and its look-alike for each kind of refusal, and healthy runs.

mod causes;
mod healthy;
mod hostile;
mod less;
mod made;
mod planted;
mod traced;
