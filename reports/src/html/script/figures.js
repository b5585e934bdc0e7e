// Figures that a window changes: cells and other elements with a place in summary.json (`data-m`, a JSON Pointer) and a unit
// (`data-u`). While a window is set they show it, and what the rest of the run has in small below.

if (run) {
  const marked = [...document.querySelectorAll('[data-m]')].map(cell => ({
    cell, steps: path(cell.dataset.m), unit: cell.dataset.u, whole: [...cell.childNodes], text: cell.textContent,
    value: cell.dataset.v, title: cell.title, bad: cell.classList.contains('bad'),
  }));
  const captions = new Set(marked.map(({ cell }) => cell.closest('table')?.caption).filter(Boolean));

  // Shares are shown in percent.
  const shown = (value, unit) => unit === 'percent' ? show.percent(value * 100) : show[unit](value);

  // A figure of a summary: its plain value, null where there is none, and how it reads.
  const read = (summary, steps, unit) => {
    const last = steps.at(-1);
    const holder = steps.slice(0, -1).reduce((object, step) => object?.[step], summary);
    const empty = holder?.p50 !== undefined && holder.count === 0 && last !== 'count';
    const value = empty ? null : holder?.[last] ?? null;
    if (value === null) return { value, text: NOTHING };
    const beyond = last in PERCENTILES ? Math.floor(holder.count * (1 - PERCENTILES[last]) + 1e-6) : Infinity;
    return { value, text: `${beyond < WEAK_BELOW ? '~' : ''}${shown(value, unit)}` };
  };

  const whole = () => {
    for (const { cell, whole: nodes, value, title, bad } of marked) {
      cell.replaceChildren(...nodes);
      cell.classList.toggle('bad', bad);
      if (title) cell.title = title; else cell.removeAttribute('title');
      if (value === undefined) delete cell.dataset.v; else cell.dataset.v = value;
    }
    captions.forEach(caption => caption.querySelector('.windowed')?.remove());
  };

  const windowedOnly = (inside, outside) => {
    for (const { cell, steps, unit, text, value, bad } of marked) {
      const [here, there] = [read(inside, steps, unit), read(outside, steps, unit)];
      const rest = element('small', { className: 'outside' }, element('span', { className: 'sr', textContent: 'outside ' }), there.text);
      cell.replaceChildren(here.text, rest);
      cell.title = `${here.text} in the window, ${there.text} outside of it, ${text} in all`;
      cell.classList.toggle('bad', bad && here.value > 0);
      // What has no samples sorts below everything, as in the whole run.
      if (value !== undefined) cell.dataset.v = here.value ?? -1;
    }
    for (const caption of captions) {
      caption.querySelector('.windowed')?.remove();
      caption.append(element('span', { className: 'windowed', textContent: ` · ${windowed.words()}; outside of it in small` }));
    }
  };

  windowed.followers.push(async bins => {
    if (bins === null) return whole();
    const all = await histograms();
    // Another may have been chosen meanwhile.
    if (bins !== windowed.bins) return undefined;
    const [from, to] = bins;
    return windowedOnly(summarised(all, [[from, to]]), summarised(all, [[0, from], [to, run.bins]]));
  });
}
