// What all parts share: elements, words for screen readers, quantities as the Rust side (`human.rs`) shows them.

const root = document.documentElement;
root.classList.add('js');

const element = (tag, properties, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

// Polite: what is said last is read when the reader has finished its sentence.
const say = text => { document.getElementById('said').textContent = text; };

// At most `most` significant digits, no trailing zeros, no grouping.
const plain = (v, most) => {
  if (Number.isInteger(v)) return v.toFixed(0);
  const decimals = Math.min(6, Math.max(0, most - Math.floor(Math.log10(Math.abs(v))) - 1));
  const text = v.toFixed(decimals);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
};

// Three significant digits, never an exponent.
const significant = v => {
  const m = Math.abs(v);
  if (m < 0.995) return plain(v, 3);
  return m < 9.995 ? v.toFixed(2) : m < 99.95 ? v.toFixed(1) : Math.round(v).toLocaleString('en');
};

const NOTHING = '–';
const SVG = 'http://www.w3.org/2000/svg';

const show = {
  duration: v => v < 999.5 ? `${Math.round(v)} µs` : v < 999500 ? `${significant(v / 1e3)} ms` : `${significant(v / 1e6)} s`,
  rate: v => `${significant(v)}/s`,
  count: v => Number.isInteger(v) ? v.toLocaleString('en') : significant(v),
  percent: v => `${significant(v)} %`,
  bytes: v => {
    let unit = 0;
    while (v >= 1023.5 && unit < 4) { v /= 1024; unit += 1; }
    return `${significant(v)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][unit]}`;
  },
};

const clock = seconds => {
  const s = Math.max(0, Math.floor(seconds + 1e-6));
  const two = n => String(n).padStart(2, '0');
  const minutes = Math.floor(s / 60);
  return s < 3600 ? `${minutes}:${two(s % 60)}` : `${Math.floor(minutes / 60)}:${two(minutes % 60)}:${two(s % 60)}`;
};
