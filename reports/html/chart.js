// One frame for all charts: title, what it rests on, the drawing, its numbers as a table and as CSV. A chart is drawn
// when it comes near the window, so that a page with dozens costs no more than what is looked at.
(tb => {
  'use strict';
  const { el, fill } = tb.dom;

  // Colours are the page's (style.css); dashes and symbols tell lines apart without them.
  const dashes = ['solid', 'dashed', [9, 3, 2, 3], 'dotted', [14, 4], [2, 6], [6, 2, 2, 2, 2, 2]];
  const symbols = ['circle', 'triangle', 'diamond', 'rect', 'path://M0,0 L10,0 L5,9 z', 'path://M3,0 h4 v3 h3 v4 h-3 v3 h-4 v-3 h-3 v-4 h3 z', 'path://M5,0 L10,4 L8,10 L2,10 L0,4 z'];

  const cards = new Set();

  /** The page's colours for ECharts, and the look of generator number i. */
  function theme() {
    const style = getComputedStyle(document.documentElement);
    const read = name => style.getPropertyValue(name).trim();
    const palette = [0, 1, 2, 3, 4, 5, 6, 7].map(i => read(`--series-${i}`));
    const look = i => ({
      color: palette[i % palette.length],
      dash: dashes[(i + Math.floor(i / palette.length)) % dashes.length],
      symbol: symbols[(i + Math.floor(i / palette.length)) % symbols.length],
    });
    return {
      ink: read('--ink'), muted: read('--muted'), line: read('--line'), strong: read('--strong-line'), paper: read('--paper'), raised: read('--raised'),
      real: read('--real'), realFill: read('--real-fill'), font: getComputedStyle(document.body).fontFamily, palette, look,
    };
  }

  function axis(t, extra = {}) {
    return {
      axisLine: { show: true, lineStyle: { color: t.strong } }, axisTick: { show: false }, splitLine: { lineStyle: { color: t.line } },
      axisLabel: { color: t.muted, fontSize: 11.5, hideOverlap: true }, nameTextStyle: { color: t.muted, fontSize: 11.5 }, nameLocation: 'middle', ...extra,
    };
  }

  const legend = (t, extra = {}) => ({
    type: 'scroll', top: 0, left: 0, right: 0, icon: undefined, itemWidth: 11, itemHeight: 11, itemGap: 16,
    textStyle: { color: t.ink, fontSize: 12, overflow: 'truncate', width: 150 }, pageTextStyle: { color: t.muted }, pageIconColor: t.ink, pageIconInactiveColor: t.line, ...extra,
  });

  /** Room for a dash pattern. */
  const lineLegend = (t, extra = {}) => legend(t, { itemWidth: 26, itemHeight: 10, ...extra });

  /** A tooltip from text only: rows of [name, value] under a heading. */
  function tip(heading, rows = []) {
    return el('div', { class: 'tip' }, el('b', {}, heading),
      rows.length ? el('table', {}, el('tbody', {}, rows.map(([key, value]) => el('tr', {}, el('td', {}, key), el('td', {}, value))))) : null);
  }

  function common(t) {
    return {
      animation: false, backgroundColor: 'transparent', textStyle: { fontFamily: t.font, color: t.ink },
      tooltip: { backgroundColor: t.paper, borderColor: t.strong, borderWidth: 1, padding: [6, 9], textStyle: { color: t.ink, fontFamily: t.font }, confine: true, extraCssText: 'box-shadow:0 2px 8px rgb(0 0 0 / .14)' },
    };
  }

  const near = new IntersectionObserver(entries => {
    for (const entry of entries) if (entry.isIntersecting) entry.target.card.draw();
  }, { rootMargin: '250px 0px' });
  const sized = new ResizeObserver(entries => {
    for (const entry of entries) entry.target.card.resized();
  });

  /**
   * spec: {title, subtitle, summary (for those who cannot see it), height (px, or f(width)), columns, rows, file,
   *        option(t, width) -> ECharts option without the common parts}
   * Returns the figure; figure.update(spec) shows something else in the same frame.
   */
  function chart(spec) {
    const place = el('div', { class: 'chart', role: 'img' });
    const title = el('h3');
    const subtitle = el('p');
    const data = el('details', { class: 'data', ontoggle: () => { if (data.open) fillTable(); } }, el('summary', {}, 'Table'));
    let instance = null;
    let width = 0;
    let tableOf = null;

    function fillTable() {
      if (tableOf === spec) return;
      tableOf = spec;
      data.querySelectorAll('.framed').forEach(old => old.remove());
      data.append(tb.table.table(spec.columns, spec.rows));
    }

    const card = {
      place,
      draw() {
        if (!place.isConnected || place.clientWidth === 0) return;
        if (!instance) instance = echarts.init(place, null, { renderer: 'svg' });
        width = place.clientWidth;
        const height = typeof spec.height === 'function' ? spec.height(width) : spec.height;
        place.style.minHeight = `${height}px`;
        instance.resize({ width, height });
        const t = theme();
        const own = spec.option(t, width);
        const base = common(t);
        instance.setOption({ ...base, ...own, tooltip: own.tooltip === undefined ? { show: false } : { ...base.tooltip, ...own.tooltip } }, true);
        place.dataset.drawn = 'true';
      },
      redraw() { if (instance) card.draw(); },
      resized() { if (instance && Math.abs(place.clientWidth - width) > 1) card.draw(); },
      prepareForPrint() { fillTable(); data.open = true; card.draw(); },
      dispose() {
        near.unobserve(place);
        sized.unobserve(place);
        cards.delete(card);
        if (instance) instance.dispose();
      },
    };
    place.card = card;

    function describe() {
      title.textContent = spec.title;
      subtitle.textContent = spec.subtitle || '';
      place.setAttribute('aria-label', `${spec.title}. ${spec.summary || ''}`);
      const height = typeof spec.height === 'function' ? spec.height(place.clientWidth || 720) : spec.height;
      place.style.minHeight = `${height}px`;
    }

    const figure = el('figure', { class: 'card' }, el('figcaption', {}, title, subtitle), place,
      el('div', { class: 'under' }, tb.table.csvButton(spec.file, () => spec.columns, () => spec.rows), data));
    figure.update = next => {
      spec = { ...spec, ...next };
      describe();
      if (data.open) fillTable();
      card.redraw();
    };
    figure.card = card;
    describe();
    cards.add(card);
    near.observe(place);
    sized.observe(place);
    return figure;
  }

  /** Ends the charts inside an element that is about to be emptied. */
  function clear(element) {
    element.querySelectorAll('.chart').forEach(place => place.card && place.card.dispose());
    element.replaceChildren();
    return element;
  }

  const redrawAll = () => cards.forEach(card => card.redraw());

  function beforePrint() {
    document.documentElement.dataset.screenTheme = document.documentElement.dataset.theme || '';
    document.documentElement.dataset.theme = 'light';
    document.querySelectorAll('details:not([data-screen-only])').forEach(details => {
      if (!details.open) { details.open = true; details.dataset.opened = 'print'; }
    });
    cards.forEach(card => card.prepareForPrint());
  }

  function afterPrint() {
    document.documentElement.dataset.theme = document.documentElement.dataset.screenTheme;
    document.querySelectorAll('details[data-opened]').forEach(details => {
      details.open = false;
      delete details.dataset.opened;
    });
    redrawAll();
  }

  tb.chart = { chart, clear, redrawAll, beforePrint, afterPrint, theme, axis, legend, lineLegend, tip, symbols };
})(window.tracebench = window.tracebench || {});
