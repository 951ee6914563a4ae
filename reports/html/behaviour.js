// Beside the protocol rules: behaviour that no rule forbids, and whether the fields of flow records fit together.
(tb => {
  'use strict';
  const { el, generator, name } = tb.dom;
  const { percent, count, known, plural } = tb.format;
  const { own, list } = tb.data;

  const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
  const signed = value => Math.abs(value) < 0.0005 ? 'the same' : `${value < 0 ? '−' : '+'}${percent(Math.abs(value))}`;

  /** A table of rates, real first; colour is the distance to the real rate. rateOf(row, source) -> {rate, note}. */
  function rates(model, rows, generators, rateOf, small, options) {
    const rate = (row, source) => rateOf(row, source).rate;
    const difference = (row, source) => known(rate(row, source)) && known(rate(row, 'real')) ? Math.abs(rate(row, source) - rate(row, 'real')) : NaN;
    const column = (source, index) => ({
      title: source, number: true, head: () => generator(source, index), value: row => rate(row, source),
      cell: row => { const { rate: value, note } = rateOf(row, source); return known(value) ? [percent(value), el('small', {}, source === 'real' || !known(rate(row, 'real')) ? note : `${signed(value - rate(row, 'real'))}`)] : [tb.format.none, el('small', {}, 'not met')]; },
      attributes: row => {
        const off = source === 'real' ? NaN : difference(row, source);
        return known(off) && off > 0.001 ? { class: 'number heat', style: { '--level': Math.min(1, 0.06 + Math.sqrt(off)).toFixed(3) }, title: rateOf(row, source).note } : { class: 'number', title: rateOf(row, source).note };
      },
    });
    const widest = row => Math.max(0, ...generators.map(g => difference(row, g)).filter(known));
    const columns = [
      { title: options.first, header: true, value: row => row.id, cell: row => [name(capital(row.title || row.id)), el('small', {}, small(row))] },
      column('real', -1), ...generators.map(g => column(g, model.generators.indexOf(g))),
      { title: 'Farthest', number: true, value: widest, cell: row => percent(widest(row)) },
    ];
    return [
      tb.table.table(columns, [...rows].sort((a, b) => widest(b) - widest(a)), { sortable: true, tall: true, className: 'heatmap', label: options.label, caption: options.caption }),
      el('div', { class: 'under' }, tb.table.csvButton(options.file, () => columns, () => rows)),
    ];
  }

  function observed(model, dataset) {
    const details = model.details(dataset).observed;
    const generators = model.present(own(details, 'generators'));
    const counts = (row, source) => own(source === 'real' ? details.real : own(details.generators, source), row.id) || {};
    const rateOf = (row, source) => { const c = counts(row, source); return { rate: c.of > 0 ? c.count / c.of : NaN, note: `${count(c.count)} of ${count(c.of)}` }; };
    const rows = list(own(details, 'behaviours')).filter(row => ['real', ...generators].some(s => (counts(row, s).count || 0) > 0));
    if (!rows.length) return null;
    return el('details', { class: 'block' }, el('summary', {}, `Behaviour that is no violation: ${plural(rows.length, 'rate')} beside those of real traffic`),
      rates(model, rows, generators, rateOf, row => [row.of && `of ${row.of}`, row.reference].filter(Boolean).join(' · '),
        { first: 'Behaviour', label: 'Observed behaviour', file: `observed-${dataset}`, caption: `${model.subtitle(dataset)}Share, and its difference from real traffic; the first seed. Being different is no failure, but it gives a generator away.` }));
  }

  function consistency(model, dataset) {
    const details = model.details(dataset).consistency;
    const generators = model.present(own(details, 'generators'));
    const of = (row, source) => own(source === 'real' ? details.real : own(details.generators, source), row.id) || {};
    const rateOf = (row, source) => ({ rate: of(row, source).rate, note: `of ${plural(of(row, source).checked || 0, 'flow record')}` });
    const rows = list(own(details, 'rules')).filter(row => ['real', ...generators].some(s => of(row, s).checked > 0));
    if (!rows.length) return null;
    return el('details', { class: 'block' }, el('summary', {}, `Consistency of flow records: ${plural(rows.length, 'rule')}`),
      rates(model, rows, generators, rateOf, row => [row.id, row.source, row.observed ? 'observed, not required' : ''].filter(Boolean).join(' · '),
        { first: 'Rule', label: 'Consistency of flow records', file: `consistency-${dataset}`, caption: `${model.subtitle(dataset)}Share of flow records that keep each rule, and its difference from real traffic; the first seed.` }));
  }

  /** Nothing where the run measured neither. */
  tb.behaviour = (model, dataset) => [observed(model, dataset), consistency(model, dataset)].filter(Boolean);
})(window.tracebench = window.tracebench || {});
