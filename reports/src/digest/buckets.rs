//! Buckets of latencies: HDR's layout with few sub-buckets, for what is drawn and sent to a browser.
//!
//! Values below [`SUB_BUCKETS`] have a bucket each; above, each power of two is divided into `SUB_BUCKETS / 2` equal buckets. So a
//! bucket is at most `2 / SUB_BUCKETS` of its smallest value wide: [`RESOLUTION`].

/// Sub-buckets of the layout, a power of two.
pub const SUB_BUCKETS: u64 = 128;

/// How much higher than the true value the value of a bucket may be, as a share: 1/64, which is 1.6 %.
pub const RESOLUTION: f64 = 2.0 / SUB_BUCKETS as f64;

const HALF: u64 = SUB_BUCKETS / 2;

/// How far values of this size are shifted to the right.
const fn shift(value: u64, sub_buckets: u64) -> u32 {
    (u64::BITS - value.leading_zeros()).saturating_sub(sub_buckets.trailing_zeros())
}

/// The bucket of a value. Ascending; that of [`u64::MAX`] is 3,775.
pub(super) const fn index(value: u64) -> u16 {
    index_among(value, SUB_BUCKETS)
}

/// The bucket of a value in a layout of fewer sub-buckets, a power of two: each is made of whole buckets of the finer layout.
pub(super) const fn index_among(value: u64, sub_buckets: u64) -> u16 {
    let shift = shift(value, sub_buckets);
    (shift as u64 * (sub_buckets / 2) + (value >> shift)) as u16
}

/// The smallest value of a bucket.
pub(super) const fn lowest(index: u16) -> u64 {
    let index = index as u64;
    if index < SUB_BUCKETS {
        return index;
    }
    let shift = index / HALF - 1;
    (index - shift * HALF) << shift
}

/// The largest value of a bucket: what a quantile that falls into it is said to be.
pub(super) const fn highest(index: u16) -> u64 {
    let low = lowest(index);
    low + ((1 << shift(low, SUB_BUCKETS)) - 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_values_have_a_bucket_each_and_larger_ones_share() {
        assert_eq!(
            [0, 1, 127, 128, 129, 130, 255, 256, 260].map(index),
            [0, 1, 127, 128, 128, 129, 191, 192, 193]
        );
        assert_eq!((lowest(128), highest(128)), (128, 129));
        assert_eq!((lowest(192), highest(192)), (256, 259));
        assert_eq!(index(u64::MAX), 3_775);
        assert_eq!(highest(3_775), u64::MAX);
    }

    proptest! {
        #[test]
        fn a_bucket_holds_its_values_and_is_narrow(value in any::<u64>(), digits in 0_u32..64) {
            let value = value >> digits;
            let bucket = index(value);
            let (low, high) = (lowest(bucket), highest(bucket));
            prop_assert!(low <= value && value <= high);
            prop_assert_eq!((index(low), index(high)), (bucket, bucket));
            prop_assert!((high - low) as f64 <= RESOLUTION * low as f64);
            for fewer in [64, 32] {
                prop_assert_eq!(index_among(low, fewer), index_among(high, fewer));
                prop_assert!(index_among(value, fewer) <= bucket);
            }
            if let Some(next) = high.checked_add(1) {
                prop_assert_eq!(index(next), bucket + 1);
            }
        }
    }
}
