// The window: a stretch of the run that tables and spectra show instead of the whole. It lives in the URL fragment, as
// `#w=FROM-TO` in seconds, behind a section where there is one: `#latency&w=120-240`.

const windowed = {
  // `[from, to]` in bins; null is the whole run.
  bins: null,
  // Called with every change of it.
  followers: [],

  // The bins that hold some seconds; at least one.
  around(from, to) {
    const bin = seconds => (seconds - run.start) / run.step;
    const first = Math.min(run.bins - 1, Math.max(0, Math.floor(bin(from) + 1e-6)));
    return [first, Math.min(run.bins, Math.max(first + 1, Math.ceil(bin(to) - 1e-6)))];
  },

  // Where it begins and ends, in seconds since the run's start.
  seconds(bins = this.bins) {
    return [run.start + bins[0] * run.step, Math.min(run.end, run.start + bins[1] * run.step)];
  },

  words() {
    return `window ${this.seconds().map(clock).join(' to ')}`;
  },

  // Sets it, or clears it with null, and writes it into the address.
  choose(bins) {
    this.become(bins);
    this.write();
  },

  become(bins) {
    if (`${bins}` === `${this.bins}`) return;
    this.bins = bins;
    this.followers.forEach(follow => follow(bins));
  },

  write() {
    const parts = [this.fragment().section, this.bins && `w=${this.seconds().join('-')}`].filter(Boolean);
    const address = location.href.split('#')[0];
    history.replaceState(null, '', parts.length > 0 ? `${address}#${parts.join('&')}` : address);
  },

  // What the address says: the section, and the window's seconds or undefined.
  fragment() {
    const parts = location.hash.slice(1).split('&');
    const stretch = parts.map(part => /^w=(\d+(?:\.\d+)?)-(\d+(?:\.\d+)?)$/.exec(part)).find(Boolean);
    const section = parts.find(part => part !== '' && !part.startsWith('w=')) ?? '';
    return { section, stretch: stretch && [Number(stretch[1]), Number(stretch[2])] };
  },

  // Does what the address says.
  obey() {
    const { section, stretch } = this.fragment();
    this.become(stretch && stretch[0] < stretch[1] && stretch[0] < run.end ? this.around(...stretch) : null);
    // With a window behind it the browser does not know the section for one.
    if (section && stretch) document.getElementById(section)?.scrollIntoView();
  },
};

if (run) {
  const shown = element('output', {});
  const clear = element('button', { type: 'button', textContent: 'Clear window' });
  const bar = element('aside', { id: 'window', hidden: true, ariaLabel: 'Window' }, shown, clear);
  document.getElementById('said').before(bar);
  clear.addEventListener('click', () => windowed.choose(null));
  windowed.followers.push(bins => {
    bar.hidden = bins === null;
    if (bins === null) return say('The whole run is shown again.');
    const [from, to] = windowed.seconds();
    const overlaps = phase => !phase.measured && phase.from_s < to && phase.to_s > from;
    const unmeasured = run.phases.some(overlaps) ? ' A part of it is not measured and in no figure.' : '';
    const words = windowed.words();
    shown.textContent = `Tables and spectra show the ${words}, the rest of the run in small.${unmeasured}`;
    histograms().catch(error => {
      shown.textContent = `The data of this page cannot be read (${error.message}): its figures are of the whole run.`;
      say(shown.textContent);
    });
    return say(`${words}. ${unmeasured} Escape clears it.`);
  });

  // A link to a section leads there with the window that is set; back and forward do what they say.
  let keep = false;
  document.addEventListener('click', event => {
    const link = event.target.closest('a[href^="#"]');
    if (link) keep = !link.hash.includes('w=');
  });
  addEventListener('hashchange', () => {
    if (keep) windowed.write();
    else windowed.obey();
    keep = false;
  });
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape' && windowed.bins) windowed.choose(null);
  });
}
