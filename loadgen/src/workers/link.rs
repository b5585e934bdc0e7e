//! The stream between a run and a worker's process: each message is a frame, its length and a [`postcard`] value.
//!
//! They share one stream socket, which is the worker's standard input: it ends when either of them does, however that
//! happens. The streams are read and written by blocking threads, since a question for the clock must not wait for an
//! event loop; codecs for asynchronous streams (tokio-util's) would need a buffer and a loop of our own around them, more
//! than is here.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Longest frame: anything beyond is no frame.
const LONGEST: usize = 256 << 20;

/// A frame with its length.
pub(super) fn frame(value: &impl Serialize) -> Vec<u8> {
    // Serialising fails only for values that postcard has no form for, and these are all of its kinds.
    let frame = postcard::to_extend(value, vec![0; 4]);
    let mut frame = frame.unwrap_or_else(|_| vec![0; 4]);
    let length = u32::try_from(frame.len() - 4).unwrap_or(u32::MAX);
    frame[..4].copy_from_slice(&length.to_le_bytes());
    frame
}

/// Sends one message.
///
/// # Errors
/// The other side is gone.
pub(super) fn send(mut stream: impl Write, value: &impl Serialize) -> io::Result<()> {
    stream.write_all(&frame(value))
}

/// Receives one message; `None` once the other side is gone.
///
/// # Errors
/// The stream broke, or this is no frame.
pub(super) fn receive<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<Option<T>> {
    let mut length = [0; 4];
    if let Err(error) = stream.read_exact(&mut length) {
        let gone = matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset);
        return if gone { Ok(None) } else { Err(error) };
    }
    let length = u32::from_le_bytes(length) as usize;
    if length > LONGEST {
        return Err(io::Error::other(format!("a frame of {length} bytes")));
    }
    let mut frame = vec![0; length];
    stream.read_exact(&mut frame)?;
    postcard::from_bytes(&frame).map(Some).map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use super::super::messages::{ToRun, ToWorker};
    use super::*;
    use crate::delivery::presence::{Change, Presence};
    use crate::delivery::relay::{ForwardedReceipt, PeerUpdate};
    use crate::generate::sample::SecondSample;
    use crate::generate::stage::{Stage, StopReason};

    #[test]
    fn what_is_sent_is_received() {
        let mut stream = Vec::new();
        let receipts = vec![ForwardedReceipt {
            send: u64::MAX,
            recipient: 99_999,
            at: 12_345_678,
            failed: Some("x".into()),
            stamps: Some([1, -1].into()),
        }];
        let changes =
            vec![Change { player: 3, presence: Presence::Open, was_open: false, own_doing: false, at: 5 }];
        let update = PeerUpdate { from: 2, until: 9, changes, receipts: receipts.clone() };
        let stop = Stage::Stopped(StopReason::Finished);
        send(&mut stream, &ToWorker::PeerUpdate(update)).unwrap();
        send(&mut stream, &ToWorker::Stage(stop)).unwrap();
        let mut received = &stream[..];
        match receive(&mut received).unwrap() {
            Some(ToWorker::PeerUpdate(PeerUpdate { from: 2, until: 9, changes, receipts: back })) => {
                assert_eq!((changes.len(), back), (1, receipts));
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(receive(&mut received).unwrap(), Some(ToWorker::Stage(stage)) if stage == stop));
        assert!(receive::<ToWorker>(&mut received).unwrap().is_none(), "the end");
    }

    #[test]
    fn a_second_in_which_nothing_happened_is_small() {
        let frame = frame(&ToRun::Second(SecondSample { second: 1, ..SecondSample::default() }));
        assert!(frame.len() < 600, "{} bytes", frame.len());
    }

    #[test]
    fn what_is_no_frame_is_an_error() {
        assert!(receive::<ToRun>(&mut &[255_u8; 64][..]).is_err(), "too long");
        let mut torn = frame(&ToRun::Ready);
        torn[0] += 7;
        assert!(receive::<ToRun>(&mut &torn[..]).is_err(), "it ends in the middle");
        assert!(receive::<ToRun>(&mut &[1, 0, 0, 0, 200][..]).is_err(), "no value");
    }
}
