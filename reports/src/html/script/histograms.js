// The embedded histograms: the layout of HdrHistogram with fewer sub-buckets, one sparse histogram for each tag and bin.

class Histograms {
  // `bytes`: for each tag, for each bin: the number of filled buckets, then for each its distance from the one before (the
  // first from -1) and its count, then, where there are any, the largest sample. All of them LEB128.
  constructor(bytes, tags, bins, subBuckets) {
    Object.assign(this, { bins, subBuckets, tags: new Map(tags.map((tag, index) => [tag, index])) });
    const cells = tags.length * bins;
    this.start = new Uint32Array(cells + 1);
    this.largest = new Float64Array(cells);
    // A bucket takes two bytes at least.
    this.bucket = new Uint32Array(bytes.length >> 1);
    this.count = new Float64Array(bytes.length >> 1);
    let at = 0;
    const varint = () => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        if (at >= bytes.length) throw new RangeError('the histograms end too early');
        const byte = bytes[at];
        at += 1;
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
    };
    let filled = 0;
    for (let cell = 0; cell < cells; cell += 1) {
      const buckets = varint();
      for (let n = 0, bucket = -1; n < buckets; n += 1, filled += 1) {
        bucket += varint();
        this.bucket[filled] = bucket;
        this.count[filled] = varint();
      }
      if (buckets > 0) this.largest[cell] = varint();
      this.start[cell + 1] = filled;
    }
    if (at !== bytes.length) throw new RangeError('the histograms do not end where they should');
  }

  // Smallest and largest value of a bucket.
  ends(bucket) {
    if (bucket < this.subBuckets) return [bucket, bucket];
    const half = this.subBuckets / 2;
    const shift = Math.floor(bucket / half) - 1;
    const width = 2 ** shift;
    const low = (bucket - shift * half) * width;
    return [low, low + width - 1];
  }

  // All samples of a tag in some stretches of bins, `[[from, to], …]`.
  merged(tag, stretches) {
    const counts = new Map();
    let largest = 0;
    const first = (this.tags.get(tag) ?? NaN) * this.bins;
    for (const [from, to] of Number.isNaN(first) ? [] : stretches) {
      for (let cell = first + from; cell < first + to; cell += 1) {
        largest = Math.max(largest, this.largest[cell]);
        for (let n = this.start[cell]; n < this.start[cell + 1]; n += 1) {
          counts.set(this.bucket[n], (counts.get(this.bucket[n]) ?? 0) + this.count[n]);
        }
      }
    }
    const buckets = [...counts].sort((a, b) => a[0] - b[0]).map(([bucket, count]) => [...this.ends(bucket), count]);
    return new Distribution(buckets, largest);
  }
}

// Merged samples: `[lowest value, highest value, count]` by ascending value.
class Distribution {
  constructor(buckets, largest) {
    this.buckets = buckets;
    this.max = largest;
    this.count = buckets.reduce((sum, [, , count]) => sum + count, 0);
  }

  // The highest value equivalent to the bucket in which the quantile falls, as HdrHistogram does; the largest sample bounds it.
  quantile(q) {
    let left = Math.max(1, Math.ceil(q * this.count));
    for (const [, high, count] of this.buckets) {
      left -= count;
      if (left <= 0) return Math.min(high, this.max);
    }
    return this.max;
  }

  // As `Latency` of summary.json.
  latency() {
    const quantiles = Object.fromEntries(Object.entries(PERCENTILES).map(([name, q]) => [name, this.quantile(q)]));
    const sum = this.buckets.reduce((total, [low, high, count]) => total + (low + Math.min(high, this.max)) / 2 * count, 0);
    const mean = this.count > 0 ? sum / this.count : 0;
    return { count: this.count, min: this.buckets[0]?.[0] ?? 0, mean, ...quantiles, max: this.max };
  }
}

const PERCENTILES = { p50: 0.5, p90: 0.9, p95: 0.95, p99: 0.99, p99_9: 0.999, p99_99: 0.9999 };
// Fewer samples than this beyond a percentile make it weak.
const WEAK_BELOW = 10;
