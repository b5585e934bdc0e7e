//! How messages lie in frames: parting those that are received, ending those that are sent.

use smallvec::SmallVec;

use crate::outline::{Frames, Split};

/// The messages of a received frame, in order, none of them copied.
#[must_use]
pub fn split<'f>(frame: &'f str, how: &Split) -> SmallVec<[&'f str; 1]> {
    let _ = how;
    SmallVec::from_buf([frame])
}

/// The frame of a message that is sent.
#[must_use]
pub fn join(message: String, frames: &Frames) -> String {
    message + &frames.join
}
