// The report reads without this script. It adds the theme switch, a crosshair that all charts over time share,
// sorting and copying of tables. It stores nothing and requests nothing.
'use strict';
(() => {
  const root = document.documentElement;
  root.classList.add('js');
  const element = (tag, properties) => Object.assign(document.createElement(tag), properties);
  const say = text => { document.getElementById('said').textContent = text; };

  // Theme: the system's until the button was pressed, and again when the page is opened anew.
  const button = document.getElementById('theme');
  const system = matchMedia('(prefers-color-scheme: dark)');
  let chosen = null;
  const dark = () => chosen ?? system.matches;
  const offer = () => {
    button.textContent = dark() ? 'Light' : 'Dark';
    button.setAttribute('aria-label', `Switch to the ${dark() ? 'light' : 'dark'} theme`);
  };
  button.addEventListener('click', () => {
    chosen = !dark();
    root.style.colorScheme = chosen ? 'dark' : 'light';
    offer();
  });
  system.addEventListener('change', offer);
  button.hidden = false;
  offer();

  // Quantities, as the Rust side shows them.
  const digits = v => {
    const m = Math.abs(v);
    return m === 0 ? '0' : m < 9.995 ? v.toFixed(2) : m < 99.95 ? v.toFixed(1) : Math.round(v).toLocaleString('en');
  };
  const show = {
    duration: v => v < 999.5 ? `${Math.round(v)} µs` : v < 999500 ? `${digits(v / 1e3)} ms` : `${digits(v / 1e6)} s`,
    rate: v => `${digits(v)}/s`,
    count: v => Number.isInteger(v) ? v.toLocaleString('en') : digits(v),
    percent: v => `${digits(v)} %`,
    bytes: v => {
      let unit = 0;
      while (v >= 1023.5 && unit < 4) { v /= 1024; unit += 1; }
      return `${digits(v)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
    },
  };
  const clock = seconds => {
    const s = Math.max(0, Math.floor(seconds));
    const two = n => String(n).padStart(2, '0');
    return s < 3600 ? `${Math.floor(s / 60)}:${two(s % 60)}` : `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
  };

  // The crosshair.
  const charts = [...document.querySelectorAll('figure.chart:has(> script)')].map(figure => {
    const data = JSON.parse(figure.querySelector('script').textContent);
    const [left, top, right, bottom] = figure.dataset.plot.split(' ').map(Number);
    const box = figure.querySelector('.plot');
    const svg = box.querySelector('svg');
    const cursor = document.createElementNS(svg.namespaceURI, 'line');
    cursor.setAttribute('class', 'cursor');
    cursor.setAttribute('y1', top);
    cursor.setAttribute('y2', bottom);
    const values = [...figure.querySelectorAll('.legend .value')];
    return { data, left, right, box, svg, cursor, values, at: figure.querySelector('.at') };
  });
  let current = null;
  const move = t => {
    current = t;
    for (const { data, left, right, svg, cursor, values, at } of charts) {
      if (t === null) {
        cursor.remove();
        at.textContent = '';
        values.forEach(value => { value.textContent = ''; });
        continue;
      }
      const x = left + (right - left) * t / data.end;
      cursor.setAttribute('x1', x);
      cursor.setAttribute('x2', x);
      if (!cursor.isConnected) svg.append(cursor);
      const index = Math.floor((t - data.start) / data.step);
      at.textContent = `at ${clock(t)}`;
      values.forEach((value, line) => {
        const number = data.values[line][index] ?? null;
        value.textContent = number === null ? '–' : show[data.unit](number);
      });
    }
  };
  let pending = false;
  const follow = (chart, event) => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(() => {
      pending = false;
      const { left: begin, width } = chart.svg.getBoundingClientRect();
      const x = (event.clientX - begin) / width * chart.svg.viewBox.baseVal.width;
      const t = (x - chart.left) / (chart.right - chart.left) * chart.data.end;
      move(t < 0 || t > chart.data.end ? null : t);
    });
  };
  for (const chart of charts) {
    chart.box.addEventListener('pointermove', event => follow(chart, event));
    chart.box.addEventListener('pointerdown', event => follow(chart, event));
    chart.box.addEventListener('pointerleave', () => requestAnimationFrame(() => move(null)));
    chart.box.addEventListener('keydown', event => {
      const { step, end, unit, values } = chart.data;
      if (event.key === 'Escape') return move(null);
      if (event.key !== 'ArrowLeft' && event.key !== 'ArrowRight') return undefined;
      event.preventDefault();
      const leap = step * (event.shiftKey ? 10 : 1) * (event.key === 'ArrowLeft' ? -1 : 1);
      move(Math.min(end - step / 2, Math.max(step / 2, (current ?? -step / 2) + leap)));
      const index = Math.floor((current - chart.data.start) / step);
      const names = [...chart.box.parentElement.querySelectorAll('.legend span')].map(span => span.textContent);
      const read = names.map((name, line) => `${name} ${values[line][index] == null ? 'nothing' : show[unit](values[line][index])}`);
      say(`${clock(current)}: ${read.join(', ')}`);
      return undefined;
    });
  }

  // Tables.
  const plain = cell => cell.dataset.v ?? cell.textContent.replace(/^~/, '');
  const compare = (a, b) => {
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
  };
  for (const table of document.querySelectorAll('table')) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      const sort = element('button', { type: 'button', textContent: head.textContent });
      head.replaceChildren(sort);
      head.setAttribute('aria-sort', 'none');
      sort.addEventListener('click', () => {
        const ascending = head.getAttribute('aria-sort') !== 'ascending';
        heads.forEach(other => other.setAttribute('aria-sort', 'none'));
        head.setAttribute('aria-sort', ascending ? 'ascending' : 'descending');
        const rows = [...table.tBodies[0].rows];
        rows.sort((a, b) => compare(plain(a.cells[column]), plain(b.cells[column])) * (ascending ? 1 : -1));
        table.tBodies[0].append(...rows);
        say(`Sorted by ${sort.textContent}, ${ascending ? 'ascending' : 'descending'}`);
      });
    });
    const copy = element('button', { type: 'button', className: 'copy', textContent: 'Copy as CSV' });
    copy.addEventListener('click', async () => {
      const quoted = cell => {
        // Words that a spreadsheet would take for a formula stay words.
        const formula = cell.dataset.v === undefined && /^\s*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/.test(cell.textContent);
        return `"${formula ? "'" : ''}${cell.textContent.replaceAll('"', '""')}"`;
      };
      const csv = [...table.rows].map(row => [...row.cells].map(quoted).join(',')).join('\r\n');
      try {
        await navigator.clipboard.writeText(csv);
        copy.textContent = 'Copied';
      } catch {
        copy.textContent = 'The browser did not allow it';
      }
      say(copy.textContent);
      setTimeout(() => { copy.textContent = 'Copy as CSV'; }, 2000);
    });
    table.closest('.scroll').after(copy);
  }
})();
