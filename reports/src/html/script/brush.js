// Hands on the charts: the pointer moves the cursor and, dragged, brushes a window; so do the keys, with Shift.

{
  // Pixels that a pointer moves before it drags.
  const SLACK = 4;
  // Steps of Page Up and Page Down.
  const PAGE = 10;
  // Where a brush began, in seconds, and with the pointer in pixels.
  let anchor = null;
  let grip = null;
  let dragged = false;

  const within = (chart, seconds) => Math.min(chart.end, Math.max(0, seconds));
  const stretch = (a, b) => [Math.min(a, b), Math.max(a, b)];

  // At most once a frame; the last place counts.
  let latest = null;
  const follow = (chart, event) => {
    const pending = latest !== null;
    latest = { chart, clientX: event.clientX };
    if (pending) return;
    requestAnimationFrame(() => {
      const { chart: over, clientX } = latest;
      latest = null;
      const time = over.time(clientX);
      if (dragged) cursor.mark(stretch(anchor, within(over, time)));
      cursor.move(time < 0 || time > over.end ? null : time);
    });
  };

  const press = (chart, event) => {
    // A finger scrolls; it sets windows by links.
    if (!run || event.button !== 0 || event.pointerType === 'touch') return follow(chart, event);
    anchor = within(chart, chart.time(event.clientX));
    grip = event.clientX;
    return undefined;
  };

  const drag = (chart, event) => {
    if (grip !== null && !dragged && Math.abs(event.clientX - grip) > SLACK) {
      dragged = true;
      chart.box.setPointerCapture(event.pointerId);
    }
    follow(chart, event);
  };

  const drop = (chart, event, counts) => {
    if (dragged) {
      cursor.mark(windowed.bins && windowed.seconds());
      if (counts) windowed.choose(windowed.around(...stretch(anchor, within(chart, chart.time(event.clientX)))));
    }
    [anchor, grip, dragged] = [null, null, false];
  };

  const STEPS = { ArrowLeft: -1, ArrowRight: 1, ArrowDown: -1, ArrowUp: 1, PageDown: -PAGE, PageUp: PAGE, Home: -Infinity, End: Infinity };

  const speak = chart => {
    const said = chart.read(cursor.time).map((value, line) => `${chart.names[line]} ${value === NOTHING ? 'nothing' : value}`);
    chart.box.setAttribute('aria-valuenow', Math.round(cursor.time));
    chart.box.setAttribute('aria-valuetext', [chart.begin(cursor.time), ...said].join(', '));
  };

  const pressKey = (chart, event) => {
    const { step, end } = chart;
    if (event.key === 'Escape') {
      [anchor, grip, dragged] = [null, null, false];
      return cursor.move(null);
    }
    const steps = STEPS[event.key];
    if (steps === undefined || event.altKey || event.ctrlKey || event.metaKey) return undefined;
    event.preventDefault();
    const brush = event.shiftKey && run;
    const half = step / 2;
    const before = cursor.time ?? (steps > 0 ? -half : half);
    anchor = brush ? anchor ?? Math.max(half, before) : null;
    cursor.move(Math.min(end - half, Math.max(half, before + steps * step)));
    speak(chart);
    if (brush) {
      const [from, to] = stretch(anchor, cursor.time);
      windowed.choose(windowed.around(from - half, to + half));
    }
    return undefined;
  };

  // What the keys move is a slider over the time of the run, described by what the drawing says of itself.
  const slider = chart => {
    const { box, title, svg, end } = chart;
    const said = { role: 'slider', 'aria-valuemin': 0, 'aria-valuemax': Math.round(end), 'aria-valuenow': 0, 'aria-valuetext': 'no time chosen' };
    Object.entries(said).forEach(([name, value]) => box.setAttribute(name, value));
    box.setAttribute('aria-label', `Time cursor of ${title}`);
    const described = svg.querySelector(':scope > desc')?.id;
    if (described) box.setAttribute('aria-describedby', described);
    svg.removeAttribute('tabindex');
    box.tabIndex = 0;
    box.addEventListener('blur', () => cursor.move(null));
    box.addEventListener('keydown', event => pressKey(chart, event));
  };

  for (const chart of charts) {
    const { box } = chart;
    box.classList.toggle('brushed', run !== null);
    box.addEventListener('pointerdown', event => press(chart, event));
    box.addEventListener('pointermove', event => drag(chart, event));
    box.addEventListener('pointerup', event => drop(chart, event, true));
    box.addEventListener('pointercancel', event => drop(chart, event, false));
    box.addEventListener('pointerleave', () => { if (!dragged) requestAnimationFrame(() => cursor.move(null)); });
    slider(chart);
  }
}
