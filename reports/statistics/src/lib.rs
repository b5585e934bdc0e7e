//! Tests and bounds, by hand where no kept library has them, each with its source and checked against published values.
//!
//! | module | does |
//! |---|---|
//! | [`proportions`] | whether two shares differ |
//! | [`quantiles`] | how sure a quantile is |
//! | [`waiting`] | what refuses and queues under random arrivals: Erlang B, the highest of a Poisson load |
//! | [`slope`] | how fast a series grows, without faith in outliers |
//! | [`ranks`] | rank correlation, also partial to a third series |
//! | [`blocks`] | resampling a series whose neighbours resemble each other |
//! | [`effect`] | how great a difference is |
//! | [`dependence`] | how many independent points a series has, and the shift test |
//! | [`several`] | several tests at once |
//! | [`simulation`] | draws for the tests of all this |
//! | [`changes`] | where the level of a series changed |

pub mod blocks;
pub mod changes;
pub mod dependence;
pub mod effect;
pub mod proportions;
pub mod quantiles;
pub mod ranks;
pub mod several;
pub mod simulation;
pub mod slope;
pub mod waiting;
