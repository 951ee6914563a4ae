// Tables that sort, and any table as a CSV file.
(tb => {
  'use strict';
  const { el, fill } = tb.dom;
  const { known } = tb.format;

  /** Cells a spreadsheet would take for a formula get a quote in front; the rest is RFC 4180. */
  function csvCell(value) {
    if (value === null || value === undefined || Number.isNaN(value)) return '';
    let text = String(value);
    if (typeof value !== 'number' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
    return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
  }

  function csv(columns, rows) {
    const lines = [columns.map(c => csvCell(c.title)), ...rows.map(row => columns.map(c => csvCell(c.value(row))))];
    return `${lines.map(line => line.join(',')).join('\r\n')}\r\n`;
  }

  function download(fileName, text) {
    const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
    const link = el('a', { href: url, download: fileName.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 80) });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  function csvButton(fileName, columns, rows) {
    return el('button', { type: 'button', title: 'Download these numbers', onclick: () => download(`${fileName}.csv`, csv(columns(), rows())) }, 'CSV');
  }

  let captions = 0;

  function compare(a, b) {
    const missing = value => value === null || value === undefined || Number.isNaN(value);
    if (missing(a) || missing(b)) return missing(a) - missing(b);
    return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en', { numeric: true });
  }

  /**
   * columns: {title, value(row) -> what sorts and is exported, cell(row) -> node or text (default: value),
   *           number: right-aligned, attributes(row) for the td, head: node for the heading, header: row heading}
   * options: {sortable, caption, className, band(row) -> heading put before the first row of each band, limit}
   * A table with bands loses them while it is sorted by a column. Missing values sort last either way.
   */
  function table(columns, rows, options = {}) {
    const body = el('tbody');
    const state = { column: null, descending: false };
    const headings = columns.map((column, index) => {
      const content = column.head ? column.head() : column.title;
      const heading = el('th', { scope: 'col', class: column.number ? 'number' : null },
        options.sortable ? el('button', { type: 'button', class: 'sort', onclick: () => sortBy(index) }, content) : content);
      return heading;
    });

    function cells(row) {
      return columns.map(column => el(column.header ? 'th' : 'td',
        { scope: column.header ? 'row' : null, class: column.number ? 'number' : null, ...(column.attributes ? column.attributes(row) : {}) },
        column.cell ? column.cell(row) : column.value(row)));
    }

    function draw() {
      let ordered = rows;
      if (state.column !== null) {
        const { value } = columns[state.column];
        const missing = row => { const v = value(row); return v === null || v === undefined || Number.isNaN(v); };
        ordered = [...rows].sort((a, b) => missing(a) || missing(b) ? missing(a) - missing(b)
          : (state.descending ? -1 : 1) * compare(value(a), value(b)));
      }
      let band;
      const shown = options.limit ? ordered.slice(0, options.limit) : ordered;
      fill(body, shown.map(row => {
        const next = options.band && state.column === null ? options.band(row) : undefined;
        const opening = next !== undefined && next !== band
          ? el('tr', { class: 'band' }, el('th', { colspan: columns.length, scope: 'rowgroup' }, next)) : null;
        band = next;
        return [opening, el('tr', {}, cells(row))];
      }));
    }

    function sortBy(index) {
      const again = state.column === index;
      const first = columns[index].number === true;  // numbers: largest first
      if (again && state.descending !== first) state.column = null;
      else if (again) state.descending = !state.descending;
      else Object.assign(state, { column: index, descending: first });
      headings.forEach((heading, i) => {
        if (i === state.column) heading.setAttribute('aria-sort', state.descending ? 'descending' : 'ascending');
        else heading.removeAttribute('aria-sort');
      });
      draw();
    }

    draw();
    // The caption stands outside what scrolls, so that it is read whole on a narrow screen.
    const caption = options.caption ? el('p', { class: 'caption', id: `caption-${++captions}` }, options.caption) : null;
    const result = el('table', { class: options.className, 'aria-labelledby': caption && caption.id }, el('thead', {}, el('tr', {}, headings)), body);
    const label = options.tall ? { tabindex: '0', role: 'region', 'aria-label': options.label } : {};
    return el('div', { class: 'framed' }, caption, el('div', { class: options.tall ? 'scroll tall' : 'scroll', ...label }, result));
  }

  /** Colour of a table cell by score. */
  tb.heat = value => known(value)
    ? { class: `number heat${value > 1.05 ? ' beyond' : ''}`, style: { '--level': Math.min(1, Math.max(0, value)).toFixed(3) } } : { class: 'number' };

  tb.table = { table, csv, csvButton };
})(window.tracebench = window.tracebench || {});
