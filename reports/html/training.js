// How training went, for every generator that says so: loss over time, tokens or steps, one line a seed.
(tb => {
  'use strict';
  const { el, select } = tb.dom;
  const { seconds, count, compact, number, known, plural, span } = tb.format;
  const { own, list } = tb.data;

  const places = [['seconds', 'time', seconds], ['tokens', 'tokens', compact], ['steps', 'steps', compact]];
  // Of training and of validation samples. Bits a packet do not depend on how packets are cut into tokens.
  const measures = [['loss', 'loss', ['train_loss', 'validation_loss']], ['bits', 'bits a packet', [null, 'bits_per_packet']]]
    .map(([key, title, [train, validation]]) => ({ key, title, train, validation }));

  /** What each seed's training left, without the seeds that failed. */
  const runsOf = g => list(g.training).filter(run => run && typeof run === 'object');
  const seedName = (run, i) => `seed ${known(run.seed) ? run.seed : i + 1}`;

  /** [[x, loss], ...] of one seed in the order of training. */
  const line = (run, place, loss) => loss === null ? [] : list(run.curve).map(p => [own(p, place), own(p, loss)]).filter(([x, y]) => known(x) && known(y));
  const isDrawn = (g, measure) => runsOf(g).some(run => places.some(([place]) => line(run, place, measure.train).length > 1 || line(run, place, measure.validation).length > 1));
  const has = (generators, key) => generators.some(g => runsOf(g).some(run => list(run.curve).some(p => known(own(p, key)))));

  /** The last loss at or before x. */
  const at = (points, x) => points.reduce((found, [place, loss]) => place <= x ? loss : found, NaN);

  function subtitleOf(g) {
    const runs = runsOf(g);
    const over = (key, format) => span(runs.map(run => run[key]), format);
    const failed = list(g.training).length - runs.length;
    const leftOut = runs.map(run => run.left_out).filter(n => n > 0);
    const effort = [
      over('seconds', seconds), over('tokens', v => `${compact(v)} tokens`), over('steps', v => `${compact(v)} ${v === 1 ? 'step' : 'steps'}`),
      over('epochs', v => `${number(v)} ${v === 1 ? 'epoch' : 'epochs'}`), over('tokens_per_s', v => `${compact(v)} tokens a second`),
    ].filter(Boolean);
    return [
      `${plural(runs.length, 'seed')}${failed ? ` (${failed} failed)` : ''}${effort.length ? `: ${effort.join(', ')}` : ''}.`,
      over('best_validation', v => number(v)) ? `Best validation loss ${over('best_validation', v => number(v))}.` : '',
      leftOut.length ? `${span(leftOut, count)} packets could not be encoded.` : '',
      has([g], 'validation_loss') ? 'Marks: validation samples, kept out of training; thin: training.' : 'Loss in training.',
    ].filter(Boolean).join(' ');
  }

  /** What is chosen, or what there is of this generator instead. */
  const available = (g, state) => ({
    place: has([g], state.place) ? state.place : places.map(([key]) => key).find(key => has([g], key)),
    measure: isDrawn(g, state.measure) ? state.measure : measures.find(measure => isDrawn(g, measure)),
  });

  function option(g, color, state, t, width) {
    const { place, measure } = available(g, state);
    const [, axisName, format] = places.find(([key]) => key === place);
    const runs = runsOf(g).map((run, i) => ({ name: seedName(run, i), symbol: tb.chart.symbols[i % tb.chart.symbols.length], train: line(run, place, measure.train), validation: line(run, place, measure.validation) }));
    // Lines of one seed share a name, so that the legend shows and hides them together.
    const series = runs.flatMap(({ name, symbol, train, validation }) => [
      validation.length ? { name, type: 'line', z: 4, symbol, symbolSize: 7, showAllSymbol: true, lineStyle: { color, width: 1.6 }, itemStyle: { color, borderColor: t.paper, borderWidth: 1 }, data: validation } : null,
      { name, type: 'line', z: 3, symbol: validation.length ? 'none' : symbol, showSymbol: false, lineStyle: { color, width: validation.length ? 1 : 1.6, opacity: validation.length ? 0.5 : 1 }, itemStyle: { color }, data: train },
    ]).filter(Boolean);
    return {
      grid: { left: 34, right: 20, top: 34, bottom: 28, containLabel: true }, legend: tb.chart.lineLegend(t, { data: [...new Set(runs.map(run => run.name))] }),
      tooltip: {
        trigger: 'axis', axisPointer: { type: 'line', lineStyle: { color: t.strong } },
        formatter: items => { const x = items[0].axisValue; return tb.chart.tip(place === 'seconds' ? format(x) : `${count(x)} ${axisName}`, runs.flatMap(run => [[`${run.name}, training`, number(at(run.train, x), 4)], [`${run.name}, validation`, number(at(run.validation, x), 4)]].filter(([, text]) => text !== tb.format.none))); },
      },
      xAxis: tb.chart.axis(t, { type: 'value', name: axisName, nameGap: 27, min: 0, max: 'dataMax', splitNumber: width < 460 ? 3 : 5, axisLabel: { color: t.muted, fontSize: 11.5, hideOverlap: true, showMaxLabel: false, formatter: format } }),
      yAxis: tb.chart.axis(t, { type: 'value', scale: true, name: measure.title, nameGap: 34 }),
      series,
    };
  }

  const columns = [
    { title: 'Seed', header: true, value: r => r.name }, { title: 'Time', number: true, value: r => r.point.seconds, cell: r => seconds(r.point.seconds) },
    { title: 'Tokens', number: true, value: r => r.point.tokens, cell: r => count(r.point.tokens) }, { title: 'Steps', number: true, value: r => r.point.steps, cell: r => count(r.point.steps) },
    { title: 'Training loss', number: true, value: r => r.point.train_loss, cell: r => number(r.point.train_loss, 4) },
    { title: 'Validation loss', number: true, value: r => r.point.validation_loss, cell: r => known(r.point.validation_loss) ? number(r.point.validation_loss, 4) : '' },
    { title: 'Bits a packet', number: true, value: r => r.point.bits_per_packet, cell: r => known(r.point.bits_per_packet) ? number(r.point.bits_per_packet, 4) : '' },
  ];

  /** Charts of all generators with a curve, and the choice of their axis; null where there are none. */
  function panel(model, generators) {
    const drawn = generators.filter(g => measures.some(measure => isDrawn(g, measure)));
    if (!drawn.length) return null;
    const axes = places.filter(([place]) => has(drawn, place));
    const shown = measures.filter(measure => drawn.some(g => isDrawn(g, measure)));
    const state = { place: axes[0][0], measure: shown[0] };
    const figures = drawn.map(g => tb.chart.chart({
      title: `Training of ${g.name}${model.datasets.length > 1 && g.dataset ? ` on ${g.dataset}` : ''}`, subtitle: subtitleOf(g), summary: subtitleOf(g),
      file: `training-${g.name}-${g.dataset || ''}`, height: 290, columns,
      rows: runsOf(g).flatMap((run, i) => list(run.curve).map(point => ({ name: seedName(run, i), point: point || {} }))),
      option: (t, width) => option(g, t.look(Math.max(0, model.generators.indexOf(g.name))).color, state, t, width),
    }));
    const choose = change => { Object.assign(state, change); figures.forEach(figure => figure.card.redraw()); };
    return el('div', {},
      el('div', { class: 'controls' },
        axes.length > 1 ? select('Training against', axes.map(([place, name]) => [place, name]), state.place, place => choose({ place })) : null,
        shown.length > 1 ? select('Measure', shown.map(m => [m.key, m.title]), state.measure.key, key => choose({ measure: shown.find(m => m.key === key) })) : null),
      el('div', { class: figures.length > 1 ? 'grid' : '' }, figures),
      figures.length > 1 ? el('p', { class: 'caption' }, `Losses of different generators are not comparable: each counts over its own tokens.${shown.length > 1 ? ' Bits a packet are, for the same data.' : ''}`) : null);
  }

  tb.training = { panel };
})(window.tracebench = window.tracebench || {});
