// Real over synthetic: cumulative distributions of numbers, shares of categories.
(tb => {
  'use strict';
  const { el, select, empty } = tb.dom;
  const { number, percent, known, mean, plural, count, score } = tb.format;
  const { own, list, distances } = tb.data;

  function usable(d) {
    if (!d) return false;
    return d.kind === 'categorical' ? list(d.categories).length > 0 && list(d.real).length > 0 : list(own(d.real, 'x')).length > 0;
  }

  /** Step through the points (x sorted): the last p at or below x. */
  function at(curve, x) {
    let low = 0;
    let high = curve.x.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (curve.x[middle] <= x) low = middle + 1; else high = middle;
    }
    return low === 0 ? 0 : curve.p[low - 1];
  }

  function meanScore(model, dataset, g, field) {
    return mean(distances.map(([key]) => model.metric(dataset, g, key, field.name)).filter(m => m && m.status === 'ok' && m.in_score !== false).map(m => m.score));
  }

  function categoricalTable(d, generators) {
    return {
      columns: [
        { title: 'Category', header: true, value: i => d.categories[i] },
        { title: 'real', number: true, value: i => d.real[i], cell: i => percent(d.real[i]) },
        ...generators.map(g => ({ title: g, number: true, value: i => own(d.generators, g)[i], cell: i => percent(own(d.generators, g)[i]) })),
      ],
      rows: d.categories.map((_, i) => i),
    };
  }

  function continuousTable(d, generators, field) {
    return {
      columns: [
        { title: `${field.title || field.name}${field.unit && field.unit !== '1' ? ` (${field.unit})` : ''}`, header: true, number: true, value: x => x, cell: x => number(x) },
        { title: 'real', number: true, value: x => at(d.real, x), cell: x => percent(at(d.real, x)) },
        ...generators.map(g => ({ title: g, number: true, value: x => at(own(d.generators, g), x), cell: x => percent(at(own(d.generators, g), x)) })),
      ],
      rows: list(d.real.x),
    };
  }

  function categoricalOption(d, generators, model, t, width) {
    const bar = d.categories.length > 12 ? 12 : 16;
    return {
      grid: { left: 8, right: 18, top: 34, bottom: 6, containLabel: true },
      legend: tb.chart.legend(t),
      tooltip: { trigger: 'axis', axisPointer: { type: 'shadow', shadowStyle: { color: t.realFill, opacity: 0.4 } }, formatter: items => tb.chart.tip(d.categories[items[0].dataIndex], [['real', percent(d.real[items[0].dataIndex])], ...generators.map(g => [g, percent(own(d.generators, g)[items[0].dataIndex])])]) },
      xAxis: tb.chart.axis(t, { type: 'value', min: 0, axisLabel: { color: t.muted, fontSize: 11.5, formatter: v => `${Math.round(v * 100)} %`, hideOverlap: true } }),
      yAxis: tb.chart.axis(t, { type: 'category', inverse: true, data: d.categories, axisLabel: { color: t.ink, fontSize: 11.5, width: width < 460 ? 84 : 130, overflow: 'truncate', interval: 0 }, splitLine: { show: false } }),
      series: [
        { name: 'real', type: 'bar', barWidth: bar, itemStyle: { color: t.realFill, borderColor: t.real, borderWidth: 1 }, data: list(d.real) },
        ...generators.map(g => {
          const look = t.look(model.generators.indexOf(g));
          return { name: g, type: 'scatter', symbol: look.symbol, symbolSize: 10, itemStyle: { color: look.color, borderColor: t.paper, borderWidth: 1 }, data: list(own(d.generators, g)).map((p, i) => [p, i]) };
        }),
      ],
    };
  }

  function continuousOption(d, generators, model, field, t, width) {
    const drawable = x => known(x) && (!d.log || x > 0);
    const ends = [d.real, ...generators.map(g => own(d.generators, g))].flatMap(curve => [curve.x.find(drawable), curve.x[curve.x.length - 1]]).filter(drawable);
    const [first, last] = [Math.min(...ends), Math.max(...ends)];
    // Every curve spans the whole axis: 0 (or the share at zero, which a logarithm cannot show) before its first
    // value, everything after its last.
    const points = curve => [[first, d.log ? at(curve, 0) : 0], ...curve.x.map((x, i) => [x, curve.p[i]]).filter(([x, p]) => drawable(x) && known(p)), [last, curve.p[curve.p.length - 1]]];
    const line = (curve, style, extra) => ({ type: 'line', step: 'end', symbol: 'none', lineStyle: style, itemStyle: { color: style.color }, data: points(curve), ...extra });
    return {
      grid: { left: 8, right: 22, top: 34, bottom: 28, containLabel: true },
      legend: tb.chart.lineLegend(t, { itemStyle: { opacity: 0 } }),
      tooltip: {
        trigger: 'axis', axisPointer: { type: 'line', lineStyle: { color: t.strong } },
        formatter: items => { const x = items[0].axisValue; return tb.chart.tip(`≤ ${tb.format.withUnit(x, field.unit)}`, [['real', percent(at(d.real, x))], ...generators.map(g => [g, percent(at(own(d.generators, g), x))])]); },
      },
      xAxis: tb.chart.axis(t, {
        type: d.log ? 'log' : 'value', scale: !d.log, name: `${field.unit && field.unit !== '1' ? field.unit : field.title || field.name}${d.log ? ' (log scale)' : ''}`, nameGap: 28, splitNumber: width < 460 ? 3 : 6,
        axisLabel: { color: t.muted, fontSize: 11.5, hideOverlap: true, formatter: v => field.unit === 's' || field.unit === 'bit/s' ? tb.format.withUnit(v, field.unit) : number(v) },
        axisPointer: { label: { show: false } },
      }),
      yAxis: tb.chart.axis(t, { type: 'value', min: 0, max: 1, interval: 0.25, axisLabel: { color: t.muted, fontSize: 11.5, formatter: v => `${Math.round(v * 100)} %` } }),
      series: [
        line(d.real, { color: t.real, width: 2.6 }, { name: 'real', z: 1, areaStyle: { color: t.realFill, opacity: 1 } }),
        ...generators.map((g, i) => { const look = t.look(model.generators.indexOf(g)); return line(own(d.generators, g), { color: look.color, width: 2, type: look.dash }, { name: g, z: 3 + i }); }),
      ],
    };
  }

  function card(model, dataset, field, large) {
    const d = own(model.details(dataset).distributions, field.name);
    const generators = model.present(d.generators).filter(g => d.kind === 'categorical' ? list(own(d.generators, g)).length : list(own(own(d.generators, g), 'x')).length);
    const scores = generators.map(g => [g, meanScore(model, dataset, g, field)]).filter(([, s]) => known(s));
    const rows = generators.map(g => distances.map(([key]) => model.metric(dataset, g, key, field.name)).find(m => m && m.status === 'ok')).filter(Boolean);
    const n = rows.length ? `n = ${count(Math.min(...rows.map(m => m.n)))}${Math.min(...rows.map(m => m.n)) === Math.max(...rows.map(m => m.n)) ? '' : ` to ${count(Math.max(...rows.map(m => m.n)))}`} a seed, ${plural(Math.max(...rows.map(m => list(m.seeds).length)), 'seed')}. ` : '';
    const what = d.kind === 'categorical' ? 'Share of each value' : 'Share at or below';
    return tb.chart.chart({
      title: `${field.title || field.name}${field.title ? ` (${field.name})` : ''}`,
      subtitle: `${model.subtitle(dataset)}${what}. ${n}${scores.length && scores.length < 5 ? `Mean score: ${scores.map(([g, s]) => `${g} ${score(s)}`).join(', ')}.` : ''}`,
      summary: scores.length ? `Mean score over the distances: ${scores.map(([g, s]) => `${g} ${score(s)}`).join(', ')}` : '',
      file: `distribution-${field.name}-${dataset}`,
      height: d.kind === 'categorical' ? Math.max(large ? 240 : 250, 70 + 24 * d.categories.length) : large ? 380 : 250,
      ...(d.kind === 'categorical' ? categoricalTable(d, generators) : continuousTable(d, generators, field)),
      option: (t, width) => d.kind === 'categorical' ? categoricalOption(d, generators, model, t, width) : continuousOption(d, generators, model, field, t, width),
    });
  }

  tb.sections.push({
    id: 'distributions',
    render(root, model, dataset) {
      const all = model.details(dataset).distributions || {};
      const fields = model.fields(dataset).filter(f => usable(own(all, f.name)));
      const stray = Object.keys(all).filter(key => usable(all[key]) && !fields.some(f => f.name === key)).map(key => ({ name: key, title: key, scope: 'packet', kind: all[key].kind, unit: '' }));
      fields.push(...stray);
      tb.showDistribution = null;
      if (!fields.length) return root.append(empty('This run kept no distributions to draw.'));

      const worst = f => Math.max(-Infinity, ...model.generators.map(g => meanScore(model, dataset, g, f)).filter(known));
      const group = (scope, title) => ({ group: title, options: fields.filter(f => f.scope === scope).map(f => [`field:${f.name}`, f.title || f.name]) });
      const part = el('div');
      const show = choice => {
        tb.chart.clear(part);
        if (choice.startsWith('field:')) return part.append(card(model, dataset, fields.find(f => `field:${f.name}` === choice), true));
        const chosen = choice === 'worst' ? [...fields].sort((a, b) => worst(b) - worst(a)).slice(0, 6) : fields.filter(f => f.scope === choice);
        return part.append(el('div', { class: 'grid' }, chosen.map(f => card(model, dataset, f, false))));
      };
      const scopes = [['packet', 'Packet headers'], ['flow', 'Flow features'], ['session', 'Session features']].filter(([scope]) => fields.some(f => f.scope === scope));
      const chooser = select('Show', [['worst', 'The six fields farthest from real'], ...scopes.map(([scope, title]) => [scope, `All: ${title.toLowerCase()}`]), ...scopes.map(([scope, title]) => group(scope, title))], 'worst', show);
      tb.showDistribution = field => {
        const list = chooser.querySelector('select');
        if (!fields.some(f => f.name === field)) return;
        list.value = `field:${field}`;
        show(list.value);
        document.getElementById('distributions').scrollIntoView();
        list.focus({ preventScroll: true });
      };
      root.append(el('div', { class: 'controls' }, chooser), part);
      show('worst');
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
