// Charts over the run's time: a cursor that all of them share, and the band of the window. Only charts that can be seen are
// kept up to date; the others catch up when they come into view.

class Chart {
  // A figure with its data, or one that is nothing but a band over the time of the run, whose end is `data-time`.
  constructor(root) {
    const script = root.querySelector(':scope > script');
    this.root = root;
    this.data = script ? JSON.parse(script.textContent) : null;
    [this.left, this.top, this.right, this.bottom] = root.dataset.plot.split(' ').map(Number);
    this.end = this.data?.end ?? Number(root.dataset.time);
    this.start = this.data?.start ?? 0;
    this.step = this.data?.step ?? run?.step ?? 1;
    this.box = root.querySelector('.plot');
    this.svg = this.box.querySelector('svg');
    this.title = (root.querySelector('h3') ?? this.svg.querySelector('title')).textContent;
    this.width = this.svg.viewBox.baseVal.width;
    const legend = [...root.querySelectorAll('.legend > li')];
    this.names = legend.map(entry => entry.querySelector('span').textContent);
    this.values = legend.map(entry => entry.querySelector('.value'));
    this.at = root.querySelector('.at');
  }

  x(seconds) {
    return this.left + (this.right - this.left) * Math.min(1, Math.max(0, seconds / this.end));
  }

  // The time at a place of the screen; the drawing may be scrolled and scaled.
  time(clientX) {
    const { left, width } = this.svg.getBoundingClientRect();
    const x = (clientX - left) / width * this.width;
    return (x - this.left) / (this.right - this.left) * this.end;
  }

  // The point that stands for a time, and when it begins.
  index(seconds) {
    return Math.floor((seconds - this.start) / this.step + 1e-6);
  }

  begin(seconds) {
    return clock(this.start + this.index(seconds) * this.step);
  }

  // What the lines say at a time.
  read(seconds) {
    const index = this.index(seconds);
    return (this.data?.values ?? []).map(line => line[index] == null ? NOTHING : show[this.data.unit](line[index]));
  }

  // An element of the drawing that is there when it is needed.
  #drawn(name, tag, attributes) {
    if (!this[name]) {
      this[name] = document.createElementNS(SVG, tag);
      Object.entries({ class: name, ...attributes }).forEach(([key, value]) => this[name].setAttribute(key, value));
    }
    if (!this[name].isConnected) this.svg.append(this[name]);
    return this[name];
  }

  paintCursor(seconds) {
    if (this.painted === seconds) return;
    this.painted = seconds;
    const texts = seconds === null ? [] : this.read(seconds);
    this.values.forEach((value, line) => {
      const text = texts[line] ?? '';
      if (value.textContent !== text) value.textContent = text;
    });
    if (this.at) this.at.textContent = seconds === null ? '' : `at ${this.begin(seconds)}`;
    if (seconds === null) this.cursor?.remove();
    else {
      const line = this.#drawn('cursor', 'line', { x1: 0, x2: 0, y1: this.top, y2: this.bottom });
      line.setAttribute('transform', `translate(${this.x(seconds).toFixed(1)} 0)`);
    }
  }

  paintBand(stretch) {
    if (`${this.banded}` === `${stretch}`) return;
    this.banded = stretch;
    if (stretch === null) {
      this.brush?.remove();
      return;
    }
    const [from, to] = stretch.map(seconds => this.x(seconds));
    const brush = this.#drawn('brush', 'rect', { y: this.top, height: this.bottom - this.top });
    brush.setAttribute('x', from.toFixed(1));
    brush.setAttribute('width', Math.max(1, to - from).toFixed(1));
  }
}

const charts = [...document.querySelectorAll('figure[data-plot]:is([data-time], :has(> script))')].map(root => new Chart(root));

const cursor = {
  // Seconds since the run's start; null is nowhere.
  time: null,
  // The stretch that is being brushed, or the window, in seconds.
  band: null,
  visible: new Set(),

  move(time) {
    this.time = time;
    this.visible.forEach(chart => chart.paintCursor(time));
  },

  mark(band) {
    this.band = band;
    this.visible.forEach(chart => chart.paintBand(band));
  },
};

{
  const chartOf = new Map(charts.map(chart => [chart.root, chart]));
  const observer = new IntersectionObserver(entries => {
    for (const { target, isIntersecting } of entries) {
      const chart = chartOf.get(target);
      if (isIntersecting) {
        cursor.visible.add(chart);
        chart.paintCursor(cursor.time);
        chart.paintBand(cursor.band);
      } else cursor.visible.delete(chart);
    }
  });
  charts.forEach(chart => observer.observe(chart.root));
  // Paper shows all of them.
  addEventListener('beforeprint', () => charts.forEach(chart => chart.paintBand(cursor.band)));
  if (run) windowed.followers.push(bins => cursor.mark(bins && windowed.seconds()));
}
