// The run's embedded data, and what its summary would say of a window.

// The run, or null where a page holds none or the browser cannot inflate it. Tables then show the whole run.
const run = (() => {
  const block = document.getElementById('run-data');
  if (!block || typeof DecompressionStream === 'undefined') return null;
  const { start_s: start, step_s: step, end_s: end, ...data } = JSON.parse(block.textContent);
  return { ...data, start, step, end };
})();

// Inflated once, when a window is set for the first time.
let inflating = null;
const histograms = () => {
  inflating ??= (async () => {
    const deflated = Uint8Array.from(atob(run.histograms), letter => letter.charCodeAt(0));
    const inflated = new Blob([deflated]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    const bytes = new Uint8Array(await new Response(inflated).arrayBuffer());
    return new Histograms(bytes, run.tags, run.bins, run.sub_buckets);
  })();
  return inflating;
};

// Where the histogram of a tag stands in summary.json, by what the tag ends in.
const PLACES = new Map([
  ['response', ['operations', 'response_time_us']],
  ['service', ['operations', 'service_time_us']],
  ['each', ['deliveries', 'each_us']],
  ['first', ['deliveries', 'first_us']],
  ['last', ['deliveries', 'last_us']],
]);

// What the end of a run cut off is in no share: `cut_off.rs`.
const NOT_RUN = ['unsent_interrupted', 'unsent_ended_early', 'unsent_run_ended'];
const NOT_AWAITED = ['interrupted'];

// Names are a target's: an object of them inherits nothing that one of them could be taken for.
const named = entries => entries.reduce((all, [name, value]) => Object.assign(all, { [name]: value }), Object.create(null));

// The run in some stretches of bins, shaped like summary.json. Shares are from 0 to 1; null is no data.
const summarised = (histograms, stretches) => {
  const share = (part, whole) => whole > 0 ? part / whole : null;
  const sum = counts => stretches.reduce((total, [from, to]) => counts.slice(from, to).reduce((a, b) => a + b, total), 0);
  const sums = (counts = {}) => named(Object.entries(counts).map(([name, of]) => [name, Array.isArray(of) ? sum(of) : sums(of)]));
  // Those that are measured: only they are counted.
  const seconds = sum(run.seconds);
  const summary = { operations: sums(run.operations), deliveries: sums(run.deliveries) };
  for (const operation of Object.values(summary.operations)) {
    const { offered, unsent, completed, failed, timed_out: timedOut, errors = {} } = operation;
    const cut = classes => classes.reduce((total, name) => total + (errors[name] ?? 0), 0);
    const wrong = failed - cut(NOT_AWAITED) + timedOut + unsent - cut(NOT_RUN);
    operation.per_s = share(completed, seconds);
    operation.error_share = share(wrong, offered - cut(NOT_RUN) - cut(NOT_AWAITED));
  }
  for (const delivery of Object.values(summary.deliveries)) delivery.lost_share = share(delivery.lost, delivery.expected);
  for (const tag of run.tags) {
    const dot = tag.lastIndexOf('.');
    const place = PLACES.get(tag.slice(dot + 1));
    if (!place) continue;
    const [group, field] = place;
    const thing = summary[group][tag.slice(0, dot)] ??= {};
    thing[field] = histograms.merged(tag, stretches).latency();
  }
  return summary;
};

// The steps of a JSON Pointer (RFC 6901), without the empty one before its first slash.
const path = pointer => pointer.split('/').slice(1).map(step => step.replaceAll('~1', '/').replaceAll('~0', '~'));

// The tag whose histogram stands at a place of summary.json; null where there is none.
const tagAt = pointer => {
  const [group, name, field] = path(pointer);
  const [suffix] = [...PLACES].find(([, place]) => place[0] === group && place[1] === field) ?? [];
  return suffix ? `${name}.${suffix}` : null;
};
