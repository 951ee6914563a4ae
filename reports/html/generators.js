// What each generator is and what it cost; how training went, where it says so.
(tb => {
  'use strict';
  const { el, empty, generator } = tb.dom;
  const { seconds, count, mean, known, plural, number } = tb.format;
  const { own, list } = tb.data;

  const speed = g => {
    const rates = list(g.packets).map((p, i) => p / list(g.sample_s)[i]).filter(known);
    return mean(rates);
  };
  const shown = value => JSON.stringify(value, null, 2);
  const isEmpty = value => value === null || value === undefined || (typeof value === 'object' && !Object.keys(value).length);

  /** {"curve": [[step, loss], ...]} in describe(), of any generator. */
  const curveOf = g => list(own(g.describe, 'curve')).filter(p => Array.isArray(p) && known(p[0]) && known(p[1]));

  function curves(model, generators) {
    const trained = generators.filter((g, i) => curveOf(g).length > 1 && generators.findIndex(other => other.name === g.name) === i);
    if (!trained.length) return null;
    return tb.chart.chart({
      title: 'Training loss', subtitle: `As each generator reports it (first seed). Losses of different generators are not comparable.`,
      summary: trained.map(g => `${g.name} ends at ${number(curveOf(g)[curveOf(g).length - 1][1])}`).join('; '), file: 'training', height: 300,
      columns: [{ title: 'Generator', header: true, value: r => r[0] }, { title: 'Step', number: true, value: r => r[1], cell: r => count(r[1]) }, { title: 'Loss', number: true, value: r => r[2], cell: r => number(r[2], 4) }],
      rows: trained.flatMap(g => curveOf(g).map(p => [g.name, p[0], p[1]])),
      option: t => ({
        grid: { left: 26, right: 26, top: 36, bottom: 28, containLabel: true }, legend: tb.chart.lineLegend(t, { itemStyle: { opacity: 0 } }),
        tooltip: { trigger: 'axis', axisPointer: { lineStyle: { color: t.strong } }, formatter: items => tb.chart.tip(`step ${count(items[0].value[0])}`, items.map(p => [p.seriesName, number(p.value[1], 4)])) },
        xAxis: tb.chart.axis(t, { type: 'value', name: 'step', nameGap: 26, min: 'dataMin', max: 'dataMax' }), yAxis: tb.chart.axis(t, { type: 'value', scale: true, name: 'loss', nameGap: 34 }),
        series: trained.map(g => { const look = t.look(model.generators.indexOf(g.name)); return { name: g.name, type: 'line', symbol: 'none', lineStyle: { color: look.color, width: 2, type: look.dash }, itemStyle: { color: look.color }, data: curveOf(g) }; }),
      }),
    });
  }

  tb.sections.push({
    id: 'generators', allDatasets: true,
    render(root, model) {
      const generators = list(model.record.generators);
      if (!generators.length) return root.append(empty('The record describes no generators.'));
      const time = key => ({ number: true, value: g => mean(g[key]), cell: g => seconds(mean(g[key])) });
      const columns = [
        { title: 'Generator', header: true, value: g => g.name, cell: g => generator(g.name, model.generators.indexOf(g.name)) },
        ...(model.datasets.length > 1 && generators.some(g => g.dataset) ? [{ title: 'Data set', value: g => g.dataset || '' }] : []),
        { title: 'Kind', value: g => g.kind },
        { title: 'Learning', ...time('fit_s') }, { title: 'Generating', ...time('sample_s') },
        { title: 'Packets', number: true, value: g => mean(g.packets), cell: g => count(mean(g.packets)) },
        { title: 'Packets a second', number: true, value: speed, cell: g => count(speed(g)) },
        { title: 'Seeds', number: true, value: g => list(g.fit_s).length },
      ];
      root.append(tb.table.table(columns, generators, { sortable: true, caption: 'Time and packets of one seed (mean over seeds) on the machine named below.' }),
        el('div', { class: 'under' }, tb.table.csvButton('generators', () => columns, () => generators)), el('p'));
      const chart = curves(model, generators);
      if (chart) root.append(chart);
      for (const g of generators) {
        if (isEmpty(g.settings) && isEmpty(g.describe)) continue;
        const described = g.describe && typeof g.describe === 'object' ? { ...g.describe } : g.describe;
        if (curveOf(g).length > 1) described.curve = `${plural(curveOf(g).length, 'point')}, drawn above`;
        root.append(el('details', { class: 'block' }, el('summary', {}, `${g.name}${model.datasets.length > 1 && g.dataset ? ` on ${g.dataset}` : ''}: settings and what it says of itself`),
          el('pre', { tabindex: '0' }, shown({ settings: g.settings || {}, describe: described || {} }))));
      }
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
