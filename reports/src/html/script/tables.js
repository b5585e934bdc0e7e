// Tables: sorted by a column, and copied for a spreadsheet. One that is folded away gets its buttons when it is unfolded.

{
  const plainly = cell => cell.dataset.v ?? cell.textContent.replace(/^~/, '');
  const compare = (a, b) => {
    const [x, y] = [Number(a), Number(b)];
    return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
  };
  const NEXT = { none: 'ascending', ascending: 'descending', descending: 'none' };

  const sortable = table => {
    const body = table.tBodies[0];
    const heads = [...table.tHead.rows[0].cells];
    const original = [...body.rows];
    heads.forEach((head, column) => {
      const name = head.textContent;
      const sort = element('button', { type: 'button' }, ...head.childNodes);
      head.replaceChildren(sort);
      head.setAttribute('aria-sort', 'none');
      sort.addEventListener('click', () => {
        const order = NEXT[head.getAttribute('aria-sort')];
        heads.forEach(other => other.setAttribute('aria-sort', 'none'));
        head.setAttribute('aria-sort', order);
        const sign = { ascending: 1, descending: -1, none: 0 }[order];
        const key = row => plainly(row.cells[column]);
        body.append(...sign === 0 ? original : original.slice().sort((a, b) => compare(key(a), key(b)) * sign));
        say(sign === 0 ? 'In the original order' : `Sorted by ${name}, ${order}`);
      });
    });
  };

  // What a spreadsheet would take for a formula stays words; what would move a terminal's cursor is left out.
  const words = text => {
    const clean = text.replace(/[\u0000-\u001F\u007F-\u009F\u2028\u2029\u202A-\u202E\u2066-\u2069]/g, ' ').trim();
    return /^[=+\-@\uFF1D\uFF0B\uFF0D\uFF20]/.test(clean) ? `'${clean}` : clean;
  };
  const quoted = text => `"${text.replaceAll('"', '""')}"`;
  // A cell's plain values may be in a unit that nobody reads: what the copy has instead, and how many of it one is.
  const UNITS = { µs: ['ms', 1e-3], share: ['%', 100] };
  const unit = head => UNITS[head.dataset.unit] ?? [head.dataset.unit, 1];
  const header = head => head.dataset.unit ? `${head.textContent} (${unit(head)[0]})` : head.textContent;
  const isNumber = text => /^-?\d+(\.\d+)?$/.test(text);
  // Without what the rest of the run has, which stands below it while a window is set.
  const own = cell => cell.querySelector(':scope > .outside') ? cell.firstChild.textContent : cell.textContent;
  const value = (cell, head) => {
    const text = own(cell);
    if (text === NOTHING) return '';
    if (cell.dataset.v !== undefined) return plain(Number(cell.dataset.v) * unit(head)[1], 12);
    return isNumber(text) ? text : quoted(words(text));
  };
  // As `loadgen report --format csv` writes it: values with their units in the header, nothing where nothing is known, and the
  // names of weak percentiles in a last column.
  const csv = table => {
    const heads = [...table.tHead.rows[0].cells];
    const rows = [...table.tBodies[0].rows].map(row => [...row.cells]);
    const weak = cells => heads.filter((_, column) => cells[column] && own(cells[column]).startsWith('~')).map(head => head.textContent).join(' ');
    const marks = rows.some(cells => weak(cells) !== '');
    const lines = rows.map(cells => [...cells.map((cell, column) => value(cell, heads[column])), ...marks ? [quoted(weak(cells))] : []]);
    const names = [...heads.map(header), ...marks ? ['weak'] : []].map(name => quoted(words(name)));
    return [names, ...lines].map(line => line.join(',')).join('\r\n');
  };

  const copyable = table => {
    const said = element('span', { className: 'copied' });
    const copy = element('button', { type: 'button', className: 'copy', textContent: 'Copy as CSV' });
    copy.setAttribute('aria-label', `Copy as CSV: ${table.caption.textContent}`);
    copy.addEventListener('click', async () => {
      try {
        await navigator.clipboard.writeText(csv(table));
        said.textContent = 'Copied';
      } catch {
        said.textContent = 'The browser did not allow it';
      }
      say(said.textContent);
      setTimeout(() => { said.textContent = ''; }, 2000);
    });
    table.closest('.scroll').after(element('p', { className: 'actions' }, copy, said));
  };

  for (const table of document.querySelectorAll('.scroll > table')) {
    const ready = () => { sortable(table); copyable(table); };
    const folded = table.closest('details:not([open])');
    if (folded) folded.addEventListener('toggle', ready, { once: true });
    else ready();
  }
}
