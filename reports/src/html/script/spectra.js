// Percentile spectra: while a window is set, its lines lie over those of the whole run. A figure names its lines' places in
// summary.json (`data-spectrum`, a JSON array in the order of its polylines); its x axis counts nines.

if (run) {
  const POINTS = 120;
  const spectra = [...document.querySelectorAll('figure[data-spectrum][data-scale]')].map(figure => {
    // Axes are polylines, too; those of series have numbered inks.
    const lines = [...figure.querySelectorAll('.plot svg polyline')].filter(line => /\bi-s\d/.test(line.getAttribute('class')));
    const sweeps = JSON.parse(figure.dataset.spectrum).map((place, index) => ({ tag: tagAt(place), whole: lines[index], inside: null }));
    return { plane: new Plane(figure), sweeps: sweeps.filter(({ tag, whole }) => tag && whole) };
  });

  // With n samples there are log10(n) nines: there is the largest.
  const points = (distribution, plane) => {
    const own = Math.log10(Math.max(2, distribution.count));
    const end = Math.min(plane.last, own);
    const at = (nines, value) => `${plane.x(nines)},${plane.y(value)}`;
    const value = nines => nines < own ? distribution.quantile(1 - 10 ** -nines) : distribution.max;
    return Array.from({ length: POINTS + 1 }, (_, index) => end * index / POINTS).map(nines => at(nines, value(nines))).join(' ');
  };

  const draw = (sweep, distribution, plane) => {
    if (!sweep.inside) {
      sweep.inside = sweep.whole.cloneNode();
      sweep.inside.classList.replace('whole', 'inside');
      sweep.whole.after(sweep.inside);
    }
    sweep.inside.setAttribute('points', points(distribution, plane));
  };

  windowed.followers.push(async bins => {
    const all = bins && await histograms();
    if (bins !== windowed.bins) return;
    for (const { plane, sweeps } of spectra) {
      for (const sweep of sweeps) {
        const distribution = bins && all.merged(sweep.tag, [bins]);
        sweep.whole.classList.toggle('whole', bins !== null);
        if (distribution?.count) draw(sweep, distribution, plane);
        else {
          sweep.inside?.remove();
          sweep.inside = null;
        }
      }
    }
  });
}
