//! From the keys of a protocol file to the protocol: everything that is wrong is told at once, each with its line.

mod ambiguity;
mod answer;
mod checked;
mod context;
mod handshake;
mod kept;
mod known;
mod loops;
mod names;
mod operation;
mod poll;
mod push;
mod read;
mod socket;
mod stamps;
mod work;

pub use checked::check;
