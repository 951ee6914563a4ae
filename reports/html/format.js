// Numbers as people read them. Everything that is not a finite number is an en dash.
(tb => {
  'use strict';
  const none = '–';
  const known = value => typeof value === 'number' && Number.isFinite(value);

  /** Three significant digits, thousands separated, powers of ten only where they must be. */
  function number(value, digits = 3) {
    if (!known(value)) return none;
    if (value === 0) return '0';
    const size = Math.abs(value);
    if (size < 1e-3 || size >= 1e9) return Number(value.toPrecision(digits)).toExponential().replace('e+', 'e').replace(/^-/, '−');
    if (size >= 10 ** (digits - 1)) return Math.round(value).toLocaleString('en-US').replace(/^-/, '−');
    return String(Number(value.toPrecision(digits))).replace(/^-/, '−');
  }

  /** A score: two decimals, so that a column of them lines up. */
  function score(value) {
    if (!known(value)) return none;
    const text = value.toFixed(2);
    return text === '-0.00' ? '0.00' : text.replace('-', '−');
  }

  const count = value => known(value) ? Math.round(value).toLocaleString('en-US') : none;

  function percent(share) {
    if (!known(share)) return none;
    const value = 100 * share;
    if (value > 0 && value < 0.1) return '<0.1 %';
    if (value < 100 && value > 99.9) return '>99.9 %';
    return `${Number(value.toFixed(1))} %`;
  }

  function scaled(value, units, step) {
    let index = 0;
    let size = Math.abs(value);
    while (size >= step && index < units.length - 1) {
      size /= step;
      index += 1;
    }
    return `${number(Math.sign(value) * size)} ${units[index]}`;
  }
  /** "4.1 M": for axes and sentences, where the last digit says nothing. */
  const compact = value => known(value) ? scaled(value, ['', 'k', 'M', 'G', 'T'], 1000).trim() : none;
  const bytes = value => known(value) ? scaled(value, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], 1024) : none;
  const rate = value => known(value) ? scaled(value, ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s'], 1000) : none;

  function seconds(value) {
    if (!known(value)) return none;
    const size = Math.abs(value);
    if (size === 0) return '0 s';
    if (size < 1e-3) return `${number(value * 1e6)} µs`;
    if (size < 1) return `${number(value * 1e3)} ms`;
    if (size < 120) return `${number(value)} s`;
    if (size < 7200) return `${Math.floor(value / 60)} min ${Math.round(value % 60)} s`;
    return `${Math.floor(value / 3600)} h ${Math.round((value % 3600) / 60)} min`;
  }

  function withUnit(value, unit) {
    if (!known(value)) return none;
    if (unit === 's') return seconds(value);
    if (unit === 'bit/s') return rate(value);
    if (unit === 'bytes' && Math.abs(value) >= 10240) return bytes(value);
    return unit && unit !== '1' ? `${number(value)} ${unit}` : number(value);
  }

  /** {factor, unit} in which numbers of the size of `reference` are short: 2.4e6 bit/s is 2.4 Mbit/s. */
  function readable(unit, reference) {
    const size = Math.abs(reference);
    const pick = steps => { const [factor, name] = steps.find(([f]) => size >= f) || steps[steps.length - 1]; return { factor, unit: name }; };
    if (!known(reference)) return { factor: 1, unit };
    if (unit === 's') return pick([[1, 's'], [1e-3, 'ms'], [1e-6, 'µs']]);
    if (unit === 'bytes') return pick([[2 ** 30, 'GiB'], [2 ** 20, 'MiB'], [2 ** 10, 'KiB'], [1, 'bytes']]);
    if (unit === 'bit/s') return pick([[1e9, 'Gbit/s'], [1e6, 'Mbit/s'], [1e3, 'kbit/s'], [1, 'bit/s']]);
    return { factor: 1, unit: unit === '1' ? '' : unit };
  }

  /** "[0.38, 0.45]"; empty where there is no interval. */
  function interval(pair, format = score) {
    return Array.isArray(pair) && known(pair[0]) && known(pair[1]) ? `[${format(pair[0])}, ${format(pair[1])}]` : '';
  }

  const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
  const mean = values => {
    const finite = (values || []).filter(known);
    return finite.length ? finite.reduce((a, b) => a + b, 0) / finite.length : NaN;
  };
  /** "a, b and c". */
  const listed = names => names.length < 2 ? names.join('') : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1]}`;

  /** {low, high} of the finite values; null where there are none. */
  function extent(values) {
    const finite = (values || []).filter(known);
    return finite.length ? { low: Math.min(...finite), high: Math.max(...finite) } : null;
  }
  /** "61 to 64 s", or one of the two where they read the same; empty where nothing is known. */
  function span(values, format) {
    const ends = extent(values);
    if (!ends) return '';
    const [low, high] = [format(ends.low), format(ends.high)].map(text => text.split(' '));
    if (low.join(' ') === high.join(' ')) return low.join(' ');
    let shared = 0;  // words that both end with are said once
    while (shared < low.length - 1 && low[low.length - 1 - shared] === high[high.length - 1 - shared]) shared += 1;
    return `${low.slice(0, low.length - shared).join(' ')} to ${high.join(' ')}`;
  }

  tb.format = { number, score, count, compact, percent, bytes, rate, seconds, withUnit, readable, interval, plural, mean, extent, span, listed, known, none };
})(window.tracebench = window.tracebench || {});
