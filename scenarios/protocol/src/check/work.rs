//! `work`: what is asked of AWS, for forecasts.

use crate::keys::operation as keys;
use crate::outline;

pub(super) fn work(keys: &keys::Work) -> outline::Work {
    let keys::Work { invocations, reads, writes, publishes, stream_records, messages } = *keys;
    outline::Work { invocations, reads, writes, publishes, stream_records, messages }
}
