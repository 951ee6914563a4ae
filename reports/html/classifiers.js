// Downstream use: accuracy against the mixing ratio, the train and test protocols, confusion, the shortcut check.
(tb => {
  'use strict';
  const { el, fill, select, callout, empty, name } = tb.dom;
  const { percent, number, known, mean, plural, interval, count, score } = tb.format;
  const { own, list, unique } = tb.data;

  const protocols = { TRTR: 'train real, test real', TSTR: 'train synthetic, test real', TRTS: 'train real, test synthetic', AUG: 'real plus synthetic, test real' };
  const most = 5;  // generators whose interval bands can be told apart
  const value = (e, measure) => mean(e[measure]);
  const range = (e, measure) => e[`${measure}_ci95`];
  const share = v => known(v) ? v.toFixed(3) : tb.format.none;

  function columns(measure) {
    return [
      { title: 'Trained with', header: true, value: e => e.generator }, { title: 'Protocol', value: e => e.protocol },
      { title: 'Synthetic share', number: true, value: e => e.protocol === 'AUG' ? e.ratio : null, cell: e => e.protocol === 'AUG' && known(e.ratio) ? percent(e.ratio) : '' },
      { title: measure === 'accuracy' ? 'Accuracy' : 'Macro-F1', number: true, value: e => value(e, measure), cell: e => share(value(e, measure)) },
      { title: '95 % interval', number: true, value: e => interval(range(e, measure), share) },
      { title: 'Seeds', number: true, value: e => list(e[measure]).length }, { title: 'n train', number: true, value: e => e.n_train, cell: e => count(e.n_train) },
      { title: 'n test', number: true, value: e => e.n_test, cell: e => count(e.n_test) },
    ];
  }

  function subtitleOf(model, dataset, rows, state, bands) {
    const tests = unique(rows.map(e => e.n_test).filter(known));
    return `${model.subtitle(dataset)}${state.model}, ${state.features} features; ${plural(Math.max(...rows.map(e => list(e[state.measure]).length)), 'seed')}, `
      + `n = ${tests.map(count).join(' or ')} test samples; ${bands ? 'shaded' : 'whiskers'}: 95 % intervals${bands && unique(rows.map(e => e.generator)).length > most ? ' (too many to shade: see the table)' : ''}.`;
  }

  function mixing(model, dataset, rows, reference, state) {
    const generators = unique(rows.map(e => e.generator));
    const ordered = model.generators.filter(g => generators.includes(g));
    const points = g => rows.filter(e => e.generator === g && known(e.ratio) && known(value(e, state.measure))).sort((a, b) => a.ratio - b.ratio);
    const title = state.measure === 'accuracy' ? 'Accuracy' : 'Macro-F1';
    return tb.chart.chart({
      title: `${title} on real traffic as synthetic samples are added`,
      subtitle: subtitleOf(model, dataset, rows, state, true),
      summary: ordered.map(g => { const p = points(g); return p.length ? `${g}: ${share(value(p[0], state.measure))} at ${percent(p[0].ratio)}, ${share(value(p[p.length - 1], state.measure))} at ${percent(p[p.length - 1].ratio)}` : ''; }).join('; '),
      file: `mixing-${dataset}-${state.features}-${state.model}`, columns: columns(state.measure), rows, height: 320,
      option: (t, width) => {
        const all = rows.flatMap(e => [value(e, state.measure), ...(range(e, state.measure) || [])]).concat(reference ? [value(reference, state.measure)] : []).filter(known);
        const spread = Math.max(...all) - Math.min(...all);
        const step = spread > 0.5 ? 0.2 : spread > 0.22 ? 0.1 : spread > 0.1 ? 0.05 : 0.02;
        const high = Math.min(1, step * Math.ceil(Math.max(...all) / step));
        const low = Math.max(0, Math.min(step * Math.floor(Math.min(...all) / step), high - 4 * step));
        return {
          grid: { left: 8, right: 20, top: 38, bottom: 28, containLabel: true },
          legend: tb.chart.lineLegend(t, { data: ordered }),
          tooltip: { trigger: 'item', formatter: p => tb.chart.tip(p.seriesName, [['synthetic added', percent(p.value[0])], [title, share(p.value[1])]]) },
          xAxis: tb.chart.axis(t, { type: 'value', min: 0, max: Math.max(1, ...rows.map(e => e.ratio).filter(known)), interval: 0.25, name: 'synthetic samples added, as a share of the real ones', nameGap: 28, axisLabel: { color: t.muted, fontSize: 11.5, formatter: v => `${Math.round(v * 100)} %` } }),
          yAxis: tb.chart.axis(t, { type: 'value', min: low, max: high, interval: step, axisLabel: { color: t.muted, fontSize: 11.5, formatter: v => v.toFixed(2) } }),
          series: ordered.flatMap(g => {
            const look = t.look(model.generators.indexOf(g));
            const band = ordered.length > most ? [] : points(g).filter(e => Array.isArray(range(e, state.measure)) && known(range(e, state.measure)[0]));
            return [
              {
                name: `${g} interval`, type: 'custom', silent: true, z: 1, data: band.length > 1 ? [[band[0].ratio, range(band[0], state.measure)[0]]] : [],
                renderItem: (params, api) => ({ type: 'polygon', shape: { points: [...band.map(e => api.coord([e.ratio, range(e, state.measure)[1]])), ...band.map(e => api.coord([e.ratio, range(e, state.measure)[0]])).reverse()] }, style: { fill: look.color, opacity: 0.13 } }),
              },
              { name: g, type: 'line', z: 3, symbol: look.symbol, symbolSize: 8, lineStyle: { color: look.color, width: 2, type: look.dash }, itemStyle: { color: look.color }, data: points(g).map(e => [e.ratio, value(e, state.measure)]),
                markLine: reference && g === ordered[0] ? { silent: true, symbol: 'none', lineStyle: { color: t.real, type: 'dotted', width: 1.5 }, label: { formatter: 'real only', color: t.ink, position: 'insideEndTop', fontSize: 11.5 }, data: [{ yAxis: value(reference, state.measure) }] } : undefined },
            ];
          }),
        };
      },
    });
  }

  function bars(model, dataset, rows, chance, state) {
    const shown = rows.filter(e => known(value(e, state.measure)));
    const title = state.measure === 'accuracy' ? 'Accuracy' : 'Macro-F1';
    const text = e => `${e.protocol} ${e.generator === 'real' ? '' : e.generator}`.trim();
    return tb.chart.chart({
      title: `${title} by what was trained on and tested on`,
      subtitle: `${subtitleOf(model, dataset, shown, state, false)}${known(chance) ? ` Dashed: chance, ${share(chance)}.` : ''}`,
      summary: shown.map(e => `${text(e)} ${share(value(e, state.measure))}`).join('; '),
      file: `protocols-${dataset}-${state.features}-${state.model}`, columns: columns(state.measure), rows: shown, height: 44 + 27 * shown.length,
      option: (t, width) => ({
        grid: { left: 8, right: 24, top: 10, bottom: 6, containLabel: true },
        tooltip: { trigger: 'item', formatter: p => { const e = shown[p.dataIndex]; return tb.chart.tip(text(e), [[title, share(value(e, state.measure))], ['95 % interval', interval(range(e, state.measure), share)], ['that is', protocols[e.protocol] || e.protocol]]); } },
        xAxis: tb.chart.axis(t, { type: 'value', min: 0, max: 1, axisLabel: { color: t.muted, fontSize: 11.5, formatter: v => v.toFixed(1) } }),
        yAxis: tb.chart.axis(t, { type: 'category', inverse: true, data: shown.map((e, i) => i), axisLabel: { color: t.ink, fontSize: 12, interval: 0, width: width < 480 ? 110 : 200, overflow: 'truncate', formatter: i => text(shown[i]) }, splitLine: { show: false } }),
        series: [
          {
            type: 'bar', barWidth: 14, data: shown.map(e => {
              const color = e.generator === 'real' ? t.real : t.look(Math.max(0, model.generators.indexOf(e.generator))).color;
              return { value: value(e, state.measure), itemStyle: { color, opacity: e.protocol === 'TRTS' ? 0.45 : 0.85 } };
            }),
            markLine: known(chance) ? { silent: true, symbol: 'none', label: { show: false }, lineStyle: { color: t.muted, type: 'dashed' }, data: [{ xAxis: chance }] } : undefined,
          },
          {
            type: 'custom', silent: true, z: 5, data: shown.map((e, i) => [value(e, state.measure), i, ...(range(e, state.measure) || [NaN, NaN])]), encode: { x: 0, y: 1 },
            renderItem: (params, api) => {
              if (!known(api.value(2)) || !known(api.value(3))) return null;
              const [x1, y] = api.coord([api.value(2), api.value(1)]);
              const [x2] = api.coord([api.value(3), api.value(1)]);
              const line = (a, b, c, d) => ({ type: 'line', shape: { x1: a, y1: b, x2: c, y2: d }, style: { stroke: t.ink, lineWidth: 1.4 } });
              return { type: 'group', children: [line(x1, y, x2, y), line(x1, y - 4, x1, y + 4), line(x2, y - 4, x2, y + 4)] };
            },
          },
        ],
      }),
    });
  }

  function confusion(entry) {
    const labels = list(entry.labels);
    const rows = list(entry.confusion);
    if (!labels.length || rows.length !== labels.length) return empty('No confusion matrix was kept.');
    const sums = rows.map(row => list(row).reduce((a, b) => a + (b || 0), 0));
    const columns = [
      { title: 'true class', header: true, value: i => labels[i], cell: i => name(labels[i]) },
      ...labels.map((label, j) => ({
        title: label, number: true, head: () => name(label), value: i => rows[i][j], cell: i => count(rows[i][j]),
        attributes: i => ({ class: `number cool${i === j ? ' right' : ''}`, style: { '--level': (sums[i] ? (rows[i][j] || 0) / sums[i] : 0).toFixed(3) }, title: `${labels[i]} called ${label}: ${percent(sums[i] ? rows[i][j] / sums[i] : NaN)}` }),
      })),
      { title: 'recall', number: true, value: i => sums[i] ? rows[i][i] / sums[i] : NaN, cell: i => percent(sums[i] ? rows[i][i] / sums[i] : NaN) },
    ];
    const order = labels.map((_, i) => i);
    return el('div', {}, tb.table.table(columns, order, { className: 'matrix' }),
      el('div', { class: 'under' }, tb.table.csvButton(`confusion-${entry.protocol}-${entry.generator}`, () => columns, () => order)));
  }

  function shortcut(rows) {
    const checks = rows.filter(e => e.features === 'identifiers' && e.protocol === 'TRTR' && known(mean(e.accuracy)));
    if (!checks.length) return null;
    const best = checks.reduce((a, b) => mean(a.accuracy) >= mean(b.accuracy) ? a : b);
    const chance = list(best.labels).length ? 1 / best.labels.length : NaN;
    const level = mean(best.accuracy);
    const behaviour = Math.max(...rows.filter(e => e.features !== 'identifiers' && e.protocol === 'TRTR').map(e => mean(e.accuracy)).filter(known));
    const fact = `Addresses, ports and the like alone name the class of ${percent(level)} of real test samples (${best.model}${known(chance) ? `; chance ${percent(chance)}` : ''}).`;
    const high = level > (known(chance) ? chance : 0) + 0.5 * (1 - (known(chance) ? chance : 0));
    return high
      ? callout('Shortcut in this data set.', `${fact} Who talks to whom gives the answer away${known(behaviour) && level >= behaviour ? ', better than behaviour does' : ''}: any model that sees identifiers learns those instead. They are left out of everything below; do not compare these figures with studies that keep them in.`, 'alert')
      : callout('Shortcut check.', `${fact} That is not enough to explain the results below, which do not use them.`);
  }

  tb.sections.push({
    id: 'classifiers',
    render(root, model, dataset) {
      const rows = list(model.details(dataset).classification);
      if (!rows.length) return root.append(empty('This run trained no classifiers.'));
      const warning = shortcut(rows);
      if (warning) root.append(warning);
      const usual = rows.filter(e => e.features !== 'identifiers');
      const strength = e => (e.model === 'xgboost' ? 0 : 2) + (e.features === 'nprint' ? 0 : 1);  // the most usual choice first
      const kinds = unique([...usual].sort((a, b) => strength(a) - strength(b)).map(e => JSON.stringify([e.features, e.model])));
      if (!kinds.length) return root.append(empty('Only the shortcut check was run.'));
      const state = { kind: kinds[0], measure: 'accuracy', matrix: '' };
      const part = el('div');

      function draw() {
        [state.features, state.model] = JSON.parse(state.kind);
        const chosen = usual.filter(e => e.features === state.features && e.model === state.model);
        const reference = chosen.find(e => e.protocol === 'TRTR');
        const rank = e => e.generator === 'real' ? -1 : model.generators.indexOf(e.generator);
        const order = ['TRTR', 'TSTR', 'TRTS'];
        const plain = chosen.filter(e => order.includes(e.protocol)).sort((a, b) => order.indexOf(a.protocol) - order.indexOf(b.protocol) || rank(a) - rank(b));
        const added = chosen.filter(e => e.protocol === 'AUG' && known(value(e, state.measure)));
        const chance = state.measure === 'accuracy' && reference && list(reference.labels).length ? 1 / reference.labels.length : NaN;
        const matrices = chosen.filter(e => list(e.confusion).length);
        tb.chart.clear(part);
        part.append(el('div', { class: 'grid' },
          added.length ? mixing(model, dataset, added, reference, state) : empty('No mixing ratios were tried.'),
          plain.some(e => known(value(e, state.measure))) ? bars(model, dataset, plain, chance, state) : empty('No train and test protocols were run.')));
        if (matrices.length) part.append(...matrixPart(matrices));
      }

      function matrixPart(matrices) {
        const title = e => `${e.protocol}${e.generator === 'real' ? '' : ` ${e.generator}`}${known(e.ratio) && e.protocol === 'AUG' ? ` at ${percent(e.ratio)}` : ''}`;
        const wide = matrices.some(e => list(e.labels).length > 9);  // one below the other
        const place = el('div', { class: wide ? null : 'grid' });
        const first = Math.max(0, matrices.findIndex(e => e.protocol === 'TRTR'));
        const second = Math.max(0, matrices.findIndex(e => e.protocol === 'TSTR'));
        const chosen = [String(first), String(second)];
        const show = () => fill(place, chosen.map(i => el('div', {}, el('h4', {}, title(matrices[Number(i)])), confusion(matrices[Number(i)]))));
        const options = matrices.map((e, i) => [String(i), title(e)]);
        show();
        return [el('h3', {}, 'Confusion'), el('p', { class: 'lead' }, 'Rows: the true class. Columns: what the classifier said. Test samples, summed over seeds.'),
          el('div', { class: 'controls' }, select('Left', options, chosen[0], v => { chosen[0] = v; show(); }), select('Right', options, chosen[1], v => { chosen[1] = v; show(); })), place];
      }

      root.append(el('div', { class: 'controls' },
        select('Features and model', kinds.map(k => [k, JSON.parse(k).join(', ')]), state.kind, v => { state.kind = v; draw(); }),
        select('Figure', [['accuracy', 'Accuracy'], ['macro_f1', 'Macro-F1']], state.measure, v => { state.measure = v; draw(); })), part);
      draw();
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
