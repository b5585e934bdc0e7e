//! Decoding the histograms of an interval log sparsely: only counts that are not 0 are ever looked at.
//!
//! The format is HdrHistogram's V2, deflated or not (`HdrHistogram_c`, `AbstractHistogram.encodeIntoCompressedByteBuffer`): a head of 40
//! bytes, then the counts of ascending values as zig-zag LEB128 numbers of at most nine bytes, where a negative one says how many zeros
//! follow. The crate's own decoder sets up a full array for each histogram, which costs a day's log a minute.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::{Decompress, FlushDecompress, Status};

use crate::digest::Recorded;

const COOKIE: u32 = 0x1c84_9313;
const DEFLATED_COOKIE: u32 = 0x1c84_9314;
/// Bytes before the counts, cookie included.
const HEAD: usize = 40;
/// As much holds every count of a histogram of five digits; more is an attack on memory.
const LONGEST: usize = 64 << 20;

/// What is wrong with an encoded histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum PayloadError {
    #[error("the histogram is not base64")]
    Base64,
    #[error("the histogram is of none of the formats V2 and V2 deflated")]
    Format,
    #[error("the histogram is cut off or its compression is damaged")]
    Damaged,
    #[error("the histogram is longer than any of them can be")]
    TooLong,
    #[error("the histogram has a normalising offset or a conversion ratio, which cannot be read")]
    Unsupported,
    #[error("the histogram's range or digits are not possible")]
    Parameters,
    #[error("the histogram has more counts than its range has values")]
    TooManyCounts,
}

/// Decodes histograms one after the other; keeps its buffers.
pub(super) struct Decoder {
    inflate: Decompress,
    encoded: Vec<u8>,
    plain: Vec<u8>,
    recorded: Vec<Recorded>,
}

impl Decoder {
    pub(super) fn new() -> Self {
        Self {
            inflate: Decompress::new(true),
            encoded: Vec::new(),
            plain: Vec::with_capacity(64 << 10),
            recorded: Vec::new(),
        }
    }

    /// The values of a histogram as the log has it, ascending.
    pub(super) fn decode(&mut self, encoded: &str) -> Result<&[Recorded], PayloadError> {
        self.encoded.clear();
        STANDARD.decode_vec(encoded, &mut self.encoded).map_err(|_| PayloadError::Base64)?;
        self.recorded.clear();
        match u32_at(&self.encoded, 0)? {
            COOKIE => counts(&self.encoded, &mut self.recorded)?,
            DEFLATED_COOKIE => {
                let length = u32_at(&self.encoded, 4)? as usize;
                let deflated = self.encoded.get(8..).and_then(|rest| rest.get(..length));
                inflate(&mut self.inflate, deflated.ok_or(PayloadError::Damaged)?, &mut self.plain)?;
                if u32_at(&self.plain, 0)? != COOKIE {
                    return Err(PayloadError::Format);
                }
                counts(&self.plain, &mut self.recorded)?;
            }
            _ => return Err(PayloadError::Format),
        }
        Ok(&self.recorded)
    }
}

/// Inflates all of a zlib stream. The fast way needs room for everything at once: with too little it begins again with more.
fn inflate(inflate: &mut Decompress, deflated: &[u8], plain: &mut Vec<u8>) -> Result<(), PayloadError> {
    loop {
        plain.clear();
        inflate.reset(true);
        match inflate.decompress_vec(deflated, plain, FlushDecompress::Finish) {
            Ok(Status::StreamEnd) => return Ok(()),
            Ok(_) if plain.len() < plain.capacity() => return Err(PayloadError::Damaged),
            Ok(_) if plain.capacity() >= LONGEST => return Err(PayloadError::TooLong),
            Ok(_) => {
                let more = (plain.capacity() * 2).min(LONGEST);
                plain.clear();
                plain.reserve_exact(more);
            }
            Err(_) => return Err(PayloadError::Damaged),
        }
    }
}

fn bytes<const N: usize>(of: &[u8], at: usize) -> Result<[u8; N], PayloadError> {
    let bytes = of.get(at..).and_then(|rest| rest.first_chunk());
    bytes.copied().ok_or(PayloadError::Damaged)
}

fn u32_at(of: &[u8], at: usize) -> Result<u32, PayloadError> {
    bytes(of, at).map(u32::from_be_bytes)
}

fn u64_at(of: &[u8], at: usize) -> Result<u64, PayloadError> {
    bytes(of, at).map(u64::from_be_bytes)
}

/// Reads a histogram that begins with its cookie.
fn counts(encoded: &[u8], recorded: &mut Vec<Recorded>) -> Result<(), PayloadError> {
    let length = u32_at(encoded, 4)? as usize;
    let (offset, digits) = (u32_at(encoded, 8)?, u32_at(encoded, 12)?);
    let layout = Layout::of(u64_at(encoded, 16)?, u64_at(encoded, 24)?, digits)?;
    if offset != 0 || f64::from_bits(u64_at(encoded, 32)?) != 1.0 {
        return Err(PayloadError::Unsupported);
    }
    let mut rest = encoded.get(HEAD..).and_then(|rest| rest.get(..length)).ok_or(PayloadError::Damaged)?;
    let mut index = 0_u64;
    while !rest.is_empty() {
        let (number, used) = zig_zag(rest)?;
        rest = &rest[used..];
        if number < 0 {
            index = index.checked_add(number.unsigned_abs()).ok_or(PayloadError::TooManyCounts)?;
            continue;
        }
        if number > 0 {
            if index >= layout.counts {
                return Err(PayloadError::TooManyCounts);
            }
            recorded.push(layout.recorded(index, number.unsigned_abs()));
        }
        index = index.saturating_add(1);
    }
    Ok(())
}

/// A number and how many bytes it takes: seven bits a byte, the lowest first, and all eight of a ninth.
fn zig_zag(bytes: &[u8]) -> Result<(i64, usize), PayloadError> {
    let (mut encoded, mut used) = (0_u64, 0);
    loop {
        let byte = *bytes.get(used).ok_or(PayloadError::Damaged)?;
        let last = used == 8;
        encoded |= u64::from(if last { byte } else { byte & 0x7f }) << (7 * used);
        used += 1;
        if last || byte & 0x80 == 0 {
            return Ok(((encoded >> 1) as i64 ^ -((encoded & 1) as i64), used));
        }
    }
}

/// Which values a histogram's counts are of.
struct Layout {
    /// Bits of a unit.
    unit: u32,
    /// Bits of half a bucket's sub-buckets.
    half: u32,
    /// How many counts there can be.
    counts: u64,
}

impl Layout {
    /// From the smallest value that is told apart, the largest that must fit, and the significant digits.
    fn of(lowest: u64, highest: u64, digits: u32) -> Result<Self, PayloadError> {
        if lowest == 0 || lowest > u64::MAX / 2 || highest < 2 * lowest || digits > 5 {
            return Err(PayloadError::Parameters);
        }
        let sub_buckets = (2 * 10_u64.pow(digits)).next_power_of_two();
        let (unit, half) = (lowest.ilog2(), sub_buckets.ilog2() - 1);
        if unit + half > 63 {
            return Err(PayloadError::Parameters);
        }
        // Each bucket holds twice the values of the one before.
        let mut buckets = 1;
        let mut beyond = u128::from(sub_buckets) << unit;
        while beyond <= u128::from(highest) {
            beyond <<= 1;
            buckets += 1;
        }
        Ok(Self { unit, half, counts: (buckets + 1) << half })
    }

    fn recorded(&self, index: u64, count: u64) -> Recorded {
        // The first bucket has both its halves, the others their upper one.
        let bucket = (index >> self.half).saturating_sub(1);
        let sub_bucket = index - (bucket << self.half);
        let shift = bucket as u32 + self.unit;
        let low = sub_bucket << shift;
        Recorded { low, high: low | ((1 << shift) - 1), count }
    }
}

#[cfg(test)]
mod tests {
    use hdrhistogram::Histogram;
    use hdrhistogram::serialization::{Deserializer, Serializer, V2DeflateSerializer, V2Serializer};
    use proptest::prelude::*;

    use super::*;

    fn encoded(serializer: &mut impl Serializer, histogram: &Histogram<u64>) -> String {
        let mut bytes = Vec::new();
        serializer.serialize(histogram, &mut bytes).expect("a histogram of this size can be written");
        STANDARD.encode(bytes)
    }

    /// Decoded by the crate.
    fn reference(encoded: &str) -> Vec<Recorded> {
        let bytes = STANDARD.decode(encoded).expect("base64");
        let histogram: Histogram<u64> =
            Deserializer::new().deserialize(&mut bytes.as_slice()).expect("sound");
        let of = |value| (histogram.lowest_equivalent(value), histogram.highest_equivalent(value));
        histogram
            .iter_recorded()
            .map(|step| (of(step.value_iterated_to()), step.count_at_value()))
            .map(|((low, high), count)| Recorded { low, high, count })
            .collect()
    }

    /// Histograms of any lowest value, digits, size and density.
    fn histograms() -> impl Strategy<Value = Histogram<u64>> {
        let value = (any::<u64>(), 3_u32..62).prop_map(|(value, bits)| value >> bits);
        let values = prop::collection::vec((value, 1_u64..1 << 40), 0..200);
        (1_u64..5_000, 0_u8..=5, values).prop_map(|(lowest, digits, values)| {
            let mut histogram = Histogram::new_with_bounds(lowest, 2 * lowest, digits).expect("possible");
            histogram.auto(true);
            for (value, count) in values {
                histogram.record_n(value, count).expect("resizes");
            }
            histogram
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(96))]

        #[test]
        fn it_decodes_what_the_crate_decodes(histograms in prop::collection::vec(histograms(), 1..4)) {
            let mut decoder = Decoder::new();
            for histogram in &histograms {
                let deflated = encoded(&mut V2DeflateSerializer::new(), histogram);
                let plain = encoded(&mut V2Serializer::new(), histogram);
                let wanted = Ok(reference(&deflated));
                prop_assert_eq!(&decoder.decode(&deflated).map(<[Recorded]>::to_vec), &wanted);
                prop_assert_eq!(&decoder.decode(&plain).map(<[Recorded]>::to_vec), &wanted);
            }
        }

        #[test]
        fn what_is_cut_off_is_refused(histogram in histograms(), share in 0.0_f64..1.0) {
            for whole in [encoded(&mut V2DeflateSerializer::new(), &histogram), encoded(&mut V2Serializer::new(), &histogram)] {
                let bytes = STANDARD.decode(&whole).expect("base64");
                let cut = STANDARD.encode(&bytes[..(bytes.len() as f64 * share) as usize]);
                let refused = Decoder::new().decode(&cut).map(<[Recorded]>::len);
                prop_assert_eq!(refused, Err(PayloadError::Damaged));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            digits in 0_u32..7,
            lowest in any::<u64>(),
            highest in any::<u64>(),
        ) {
            let mut whole = COOKIE.to_be_bytes().to_vec();
            whole.extend((bytes.len() as u32).to_be_bytes());
            whole.extend(0_u32.to_be_bytes());
            whole.extend(digits.to_be_bytes());
            whole.extend(lowest.to_be_bytes());
            whole.extend(highest.to_be_bytes());
            whole.extend(1.0_f64.to_be_bytes());
            whole.extend(&bytes);
            let _ = Decoder::new().decode(&STANDARD.encode(&whole));
            let _ = Decoder::new().decode(&STANDARD.encode(&bytes));
        }
    }

    /// A histogram of one to ten with these counts in their encoding.
    fn crafted(counts: &[u8]) -> Result<usize, PayloadError> {
        let head = [COOKIE, counts.len() as u32, 0, 1].map(u32::to_be_bytes).concat();
        let range = [1_u64.to_be_bytes(), 10_u64.to_be_bytes(), 1.0_f64.to_be_bytes()].concat();
        let whole = STANDARD.encode([head.as_slice(), &range, counts].concat());
        Decoder::new().decode(&whole).map(<[Recorded]>::len)
    }

    #[test]
    fn each_damage_is_told() {
        let decode = |text: &str| Decoder::new().decode(text).map(<[Recorded]>::len);
        assert_eq!(decode("not base64"), Err(PayloadError::Base64));
        assert_eq!(decode(&STANDARD.encode(b"HISTOGRAM")), Err(PayloadError::Format));
        // 2 × 10 values are told apart in 32 sub-buckets, with the half for larger ones.
        assert_eq!(crafted(&[2, 4]), Ok(2));
        // 32 zeros, and 31: the last count that fits.
        assert_eq!(crafted(&[63, 2]), Err(PayloadError::TooManyCounts));
        assert_eq!(crafted(&[61, 2]), Ok(1));
        let least = [0xff; 9];
        assert_eq!(crafted(&least), Ok(0), "zeros that nothing follows");
        assert_eq!(crafted(&[&least[..], &least, &least, &[2]].concat()), Err(PayloadError::TooManyCounts));
        assert_eq!(crafted(&[0x80]), Err(PayloadError::Damaged), "a number without its end");
    }

    #[test]
    fn a_small_text_that_inflates_to_gigabytes_is_refused() {
        use flate2::write::ZlibEncoder;
        use std::io::Write;
        let mut encoder = ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        (0..80).for_each(|_| encoder.write_all(&vec![0; 1 << 20]).expect("in memory"));
        let deflated = encoder.finish().expect("in memory");
        let mut whole = DEFLATED_COOKIE.to_be_bytes().to_vec();
        whole.extend((deflated.len() as u32).to_be_bytes());
        whole.extend(deflated);
        let refused = Decoder::new().decode(&STANDARD.encode(whole)).map(<[Recorded]>::len);
        assert_eq!(refused, Err(PayloadError::TooLong));
    }
}
