// Sessions as people picture them: lanes of flows over time and the throughput they add up to, real beside synthetic.
(tb => {
  'use strict';
  const { el, fill, select, empty, generator } = tb.dom;
  const { seconds, rate, bytes, count, plural, known, readable, number } = tb.format;
  const { own, list, unique } = tb.data;

  const most = 24;  // lanes drawn; the others are named in the subtitle

  const port = endpoint => (/:(\d+)$/.exec(String(endpoint || '')) || [])[1];
  const laneName = flow => `${flow.protocol || '?'}${port(flow.dst) ? ` ${port(flow.dst)}` : ''}`;
  const total = flow => list(flow.bytes).reduce((a, b) => a + b, 0);

  /** Few flows get wide lanes, many a height that still shows each. */
  const laneHeight = n => Math.max(19, Math.min(44, Math.floor(132 / Math.max(1, n))));
  const timelineOf = n => Math.max(60, n * laneHeight(n));

  /** The lanes with most bytes, in the order they start. */
  function lanes(session) {
    return list(session.flows).map((flow, i) => ({ ...flow, i })).sort((a, b) => total(b) - total(a)).slice(0, most).sort((a, b) => (a.start - b.start) || (a.i - b.i));
  }

  function option(session, span, peaks, t, width) {
    const flows = lanes(session);
    const names = flows.map((flow, i) => `${i + 1}  ${laneName(flow)}`);
    const timelineHeight = timelineOf(flows.length);
    const apart = Math.min(6, laneHeight(flows.length) / 5);  // the two directions on either side of the flow's line
    const throughput = session.throughput || {};
    const step = throughput.step_s || 0;
    const steps = values => list(values).map((v, i) => [i * step, v]);
    const points = sign => flows.flatMap((flow, lane) => list(flow.points).filter(p => Math.sign(p[1] || 1) === sign).map(p => [p[0], lane, Math.abs(p[1])]));
    const [up, down] = [t.palette[1], t.palette[0]];
    const bottom = 34 + timelineHeight;
    const xAxis = extra => tb.chart.axis(t, { type: 'value', min: 0, max: span, splitNumber: width < 460 ? 3 : 5, axisLabel: { color: t.muted, fontSize: 11.5, hideOverlap: true, alignMaxLabel: 'right', formatter: v => `${number(v)} s` }, ...extra });
    const size = value => 3 + 7 * Math.sqrt(Math.min(value, 1500) / 1500);
    return {
      legend: tb.chart.legend(t, { data: ['from the opener', 'towards the opener'] }),
      // Both exactly as wide: a packet stands above its part of the throughput.
      grid: [{ top: 34, height: timelineHeight }, { top: bottom + 30, height: 88 }].map(place => ({ left: 84, right: 16, outerBoundsMode: 'none', ...place })),
      tooltip: { trigger: 'item', formatter: p => itemTip(p, flows) },
      xAxis: [xAxis({ gridIndex: 0, axisLabel: { show: false } }), xAxis({ gridIndex: 1 })],
      yAxis: [
        tb.chart.axis(t, { gridIndex: 0, type: 'category', inverse: true, data: names, axisLabel: { color: t.muted, fontSize: 11, width: 78, overflow: 'truncate', interval: 0 }, splitLine: { show: true, lineStyle: { color: t.line } }, axisLine: { show: false } }),
        tb.chart.axis(t, { gridIndex: 1, type: 'value', min: -peaks.down, max: peaks.up, interval: peaks.step, axisLabel: { color: t.muted, fontSize: 11, formatter: v => rate(Math.abs(v)) }, splitLine: { lineStyle: { color: t.line } } }),
      ],
      series: [
        {
          name: 'flow', type: 'custom', silent: true, data: flows.map((flow, lane) => [flow.start, lane, flow.end]), encode: { x: [0, 2], y: 1 },
          renderItem: (params, api) => {
            const [x1, y] = api.coord([api.value(0), api.value(1)]);
            const [x2] = api.coord([api.value(2), api.value(1)]);
            return { type: 'line', shape: { x1, y1: y, x2: Math.max(x2, x1 + 1), y2: y }, style: { stroke: t.strong, lineWidth: 1.5 } };
          },
        },
        { name: 'from the opener', type: 'scatter', symbol: 'triangle', symbolSize: d => size(d[2]) + 1, symbolOffset: [0, -apart], itemStyle: { color: up, opacity: 0.85 }, data: points(1) },
        { name: 'towards the opener', type: 'scatter', symbol: 'circle', symbolSize: d => size(d[2]), symbolOffset: [0, apart], itemStyle: { color: down, opacity: 0.7 }, data: points(-1) },
        { name: 'throughput up', type: 'line', step: 'start', showSymbol: false, xAxisIndex: 1, yAxisIndex: 1, lineStyle: { width: 1.2, color: up }, areaStyle: { color: up, opacity: 0.3 }, data: steps(throughput.up) },
        { name: 'throughput down', type: 'line', step: 'start', showSymbol: false, xAxisIndex: 1, yAxisIndex: 1, lineStyle: { width: 1.2, color: down }, areaStyle: { color: down, opacity: 0.3 }, data: steps(throughput.down).map(([x, y]) => [x, -y]) },
      ],
    };
  }

  function itemTip(p, flows) {
    if (p.seriesType === 'scatter') {
      const flow = flows[p.value[1]];
      return tb.chart.tip(`${flow.protocol || '?'} ${flow.src || '?'} → ${flow.dst || '?'}`, [['time', seconds(p.value[0])], ['size', `${count(p.value[2])} bytes, ${p.seriesName}`]]);
    }
    return tb.chart.tip(p.seriesName, [['time', seconds(p.value[0])], ['rate', rate(Math.abs(p.value[1]))]]);
  }

  const flowColumns = [
    { title: 'Flow', header: true, value: f => laneName(f) }, { title: 'From', value: f => f.src }, { title: 'To', value: f => f.dst },
    { title: 'Start', number: true, value: f => f.start, cell: f => seconds(f.start) }, { title: 'End', number: true, value: f => f.end, cell: f => seconds(f.end) },
    { title: 'Packets from', number: true, value: f => list(f.packets)[0], cell: f => count(list(f.packets)[0]) }, { title: 'Packets to', number: true, value: f => list(f.packets)[1], cell: f => count(list(f.packets)[1]) },
    { title: 'Bytes from', number: true, value: f => list(f.bytes)[0], cell: f => bytes(list(f.bytes)[0]) }, { title: 'Bytes to', number: true, value: f => list(f.bytes)[1], cell: f => bytes(list(f.bytes)[1]) },
  ];

  const lengthOf = session => Math.max(session.duration_s || 0, ...list(session.flows).map(f => f.end || 0), 0.001);
  /** A number that reads well at the end of an axis, not below `value`. */
  function axisEnd(value) {
    const power = 10 ** Math.floor(Math.log10(value));
    return power * [1, 1.5, 2, 3, 4, 6, 8, 10].find(m => m * power >= value * 0.999999);
  }

  /** One throughput axis for all the sessions shown: {up, down, step} in bit/s. */
  function peaksOf(sessions) {
    const peak = way => Math.max(0, ...sessions.flatMap(s => list((s.throughput || {})[way])).filter(known));
    const step = axisEnd(Math.max(1, peak('up'), peak('down'))) / 2;
    return { step, up: step * Math.max(1, Math.ceil(peak('up') / step)), down: step * Math.max(1, Math.ceil(peak('down') / step)) };
  }

  function timeline(source, session, span, peaks) {
    const flows = list(session.flows).length + (session.flows_left_out || 0);
    const hidden = flows - lanes(session).length;
    const height = timelineOf(lanes(session).length) + 34 + 30 + 88 + 28;
    return tb.chart.chart({
      title: `${source === 'real' ? 'Real (held out)' : source}: ${session.label}`,
      subtitle: `${session.sample || session.file || ''}, ${plural(flows, 'flow')}, ${plural(session.packets || 0, 'packet')}, ${bytes(session.bytes)} in ${seconds(lengthOf(session))}.`
        + `${hidden ? ` ${plural(hidden, 'smaller flow')} not drawn.` : ''}${source === 'real' ? '' : ' First seed.'}`,
      summary: `${plural(flows, 'flow')} over ${seconds(lengthOf(session))}`,
      file: `session-${source}-${session.label}`, columns: flowColumns, rows: list(session.flows), height,
      option: (t, width) => option(session, span, peaks, t, width),
    });
  }

  /** The class to begin with: of those with several flows at once, the one with most packets. */
  function telling(sessions) {
    const best = [...sessions].sort((a, b) => (list(b.flows).length > 1) - (list(a.flows).length > 1) || (b.packets || 0) - (a.packets || 0))[0];
    return best && best.label;
  }

  function summaryTable(model, dataset, root) {
    const summary = model.details(dataset).summary || {};
    const statistics = list(summary.statistics);
    if (!statistics.length) return;
    const generators = model.present(summary.generators);
    const of = (s, source) => (source === 'real' ? own(summary.real, s.name) : own(own(summary.generators, source), s.name)) || {};
    const scaleOf = s => readable(s.unit, of(s, 'real').p50);
    const shown = (s, value) => known(value) ? number(value / scaleOf(s).factor) : tb.format.none;
    const columns = [
      { title: 'Statistic', header: true, value: s => s.title || s.name, cell: s => [s.title || s.name, el('small', {}, scaleOf(s).unit || '')] },
      ...['real', ...generators].map(g => ({
        title: g, number: true, head: () => generator(g, model.generators.indexOf(g)), value: s => of(s, g).mean,
        cell: s => [shown(s, of(s, g).mean), el('small', {}, known(of(s, g).p50) ? ['p5', 'p50', 'p95'].map(key => shown(s, of(s, g)[key])).join(' · ') : '')],
      })),
    ];
    const exported = [{ title: 'statistic', value: s => s.name }, { title: 'unit', value: s => s.unit },
      ...['real', ...generators].flatMap(g => ['mean', 'p5', 'p50', 'p95'].map(key => ({ title: `${g} ${key}`, value: s => of(s, g)[key] })))];
    root.append(el('h3', {}, 'Flow and session statistics'),
      tb.table.table(columns, statistics, { caption: `${model.subtitle(dataset)}Mean; below it the 5th, 50th and 95th percentile. The first seed of each generator.` }),
      el('div', { class: 'under' }, tb.table.csvButton(`summary-${dataset}`, () => exported, () => statistics)));
  }

  tb.sections.push({
    id: 'sessions',
    render(root, model, dataset) {
      const sessions = model.details(dataset).sessions || {};
      const generators = model.present(sessions.generators);
      const all = source => source === 'real' ? list(sessions.real) : list(own(sessions.generators, source));
      const labels = unique(['real', ...generators].flatMap(s => all(s).map(x => x.label)));
      if (!labels.length && !list((model.details(dataset).summary || {}).statistics).length) return root.append(empty('This run kept no sessions to draw.'));
      if (labels.length) {
        // To begin with: a model that was trained, else the second best, since the best is often a copy of real traffic.
        const trained = generators.find(g => list(model.record.generators).some(entry => entry.name === g && list(entry.training).some(Boolean)));
        const state = { label: telling(all('real')) || labels[0], beside: [trained !== undefined ? trained : generators[generators.length > 1 ? 1 : 0]].filter(g => g !== undefined), index: 0 };
        const part = el('div', { class: 'grid' });
        const controls = el('div', { class: 'controls' });
        const draw = () => {
          const pick = source => {
            const found = all(source).filter(s => s.label === state.label);
            return found.length ? found[state.index % found.length] : null;
          };
          const shown = ['real', ...state.beside].map(source => [source, pick(source)]);
          const drawn = shown.filter(([, s]) => s);
          const span = Math.max(...drawn.map(([, s]) => lengthOf(s)));
          const peaks = peaksOf(drawn.map(([, s]) => s));
          tb.chart.clear(part);
          part.append(...shown.map(([source, s]) => s ? timeline(source, s, span, peaks) : empty(`${source === 'real' ? 'The held-out traffic' : source} has no session of this class to show.`)));
        };
        const build = () => {
          const samples = Math.max(1, ...['real', ...state.beside].map(s => all(s).filter(x => x.label === state.label).length));
          fill(controls,
            select('Class', labels.map(l => [l, l]), state.label, v => { state.label = v; state.index = 0; build(); controls.querySelectorAll('select')[0].focus(); draw(); }),
            generators.length ? select('Beside real', [...generators.map((g, i) => [String(i), g]), ...(generators.length > 1 ? [['all', 'every generator']] : [])],
              state.beside.length > 1 ? 'all' : String(generators.indexOf(state.beside[0])), v => { state.beside = v === 'all' ? generators : [generators[Number(v)]]; draw(); }) : null,
            samples > 1 ? select('Sample', Array.from({ length: samples }, (_, i) => [String(i), `${i + 1} of ${samples}`]), String(state.index), v => { state.index = Number(v); draw(); }) : null);
        };
        build();
        root.append(controls, part);
        draw();
      }
      summaryTable(model, dataset, root);
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
