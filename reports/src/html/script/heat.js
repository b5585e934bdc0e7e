// Heat maps: while a window is set, its cells are drawn anew with shades by the densest of them, over a faint whole run. A figure
// names its place in summary.json (`data-heatmap`); rows and shades are those of the Rust side (`charts/heat.rs`).

if (run) {
  const LEVELS = 5;
  const ROWS_A_DECADE = 12;
  const lowest = row => 10 ** (row / ROWS_A_DECADE);

  // For each row that has any: the count of each bin of the window.
  const rowsOf = (all, tag, [from, to]) => {
    const rows = new Map();
    for (let bin = from; bin < to; bin += 1) {
      for (const [low, high, count] of all.merged(tag, [[bin, bin + 1]]).buckets) {
        const row = Math.floor(Math.log10(Math.max(1, (low + high) / 2)) * ROWS_A_DECADE);
        if (!rows.has(row)) rows.set(row, new Array(to - from).fill(0));
        rows.get(row)[bin - from] += count;
      }
    }
    return rows;
  };

  // A level is a path over all cells with at least so many samples; levels lie upon each other.
  const level = (rows, least, first, plane) => {
    const path = [...rows].flatMap(([row, counts]) => counts.flatMap((count, index) => {
      if (count < least) return [];
      const [left, right] = [0, 1].map(more => plane.x(run.start + (first + index + more) * run.step));
      return `M${left} ${plane.y(lowest(row + 0.5))}H${right}`;
    }));
    return path.join('');
  };

  const draw = (figure, plane, all, bins) => {
    const rows = rowsOf(all, tagAt(figure.dataset.heatmap), bins);
    const most = Math.max(1, ...[...rows.values()].flat());
    const least = [...new Set(Array.from({ length: LEVELS }, (_, at) => Math.max(1, Math.ceil(most ** (at / LEVELS)))))];
    const group = document.createElementNS(SVG, 'g');
    group.setAttribute('class', 'heat inside');
    const height = (plane.bottom - plane.top) / Math.log10(plane.high / plane.low) / ROWS_A_DECADE;
    for (const count of least) {
      const path = document.createElementNS(SVG, 'path');
      path.setAttribute('stroke-width', height.toFixed(1));
      path.setAttribute('d', level(rows, count, bins[0], plane));
      group.append(path);
    }
    return group;
  };

  const maps = [...document.querySelectorAll('figure[data-heatmap][data-scale]')].map(figure => ({
    figure, plane: new Plane(figure), whole: figure.querySelector('g.heat'),
  })).filter(({ whole }) => whole);

  windowed.followers.push(async bins => {
    const all = bins && await histograms();
    if (bins !== windowed.bins) return;
    for (const { figure, plane, whole } of maps) {
      figure.querySelector('g.heat.inside')?.remove();
      whole.classList.toggle('whole', bins !== null);
      if (bins) whole.after(draw(figure, plane, all, bins));
    }
  });
}
