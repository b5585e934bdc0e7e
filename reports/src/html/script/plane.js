// The scales of a drawing that a window changes: `data-plot` is its area (left, top, right, bottom), `data-scale` what stands at
// the left, right, bottom and top, and whether the y axis is `log` or `linear`.

class Plane {
  constructor(figure) {
    [this.left, this.top, this.right, this.bottom] = figure.dataset.plot.split(' ').map(Number);
    const [first, last, low, high, kind] = figure.dataset.scale.split(' ');
    [this.first, this.last, this.low, this.high] = [first, last, low, high].map(Number);
    this.linear = kind === 'linear';
  }

  x(value) {
    const share = (value - this.first) / (this.last - this.first);
    return (this.left + (this.right - this.left) * Math.min(1, Math.max(0, share))).toFixed(1);
  }

  y(value) {
    const shown = Math.min(this.high, Math.max(this.low, value));
    const share = this.linear ? (shown - this.low) / (this.high - this.low) : Math.log(shown / this.low) / Math.log(this.high / this.low);
    return (this.bottom - (this.bottom - this.top) * share).toFixed(1);
  }
}
