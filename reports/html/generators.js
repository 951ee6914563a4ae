// What each generator is and what it cost; how training went and how often decoding had to step in, where it says so.
(tb => {
  'use strict';
  const { el, empty, generator } = tb.dom;
  const { seconds, count, compact, percent, number, mean, known, plural, span } = tb.format;
  const { own, list } = tb.data;

  const ratio = (a, b) => known(a) && known(b) && b > 0 ? a / b : NaN;
  const rates = g => list(g.packets).map((p, i) => ratio(p, list(g.sample_s)[i]));
  /** Share of drawn tokens for which the model's own first choice was against a rule, seed by seed. */
  const illegal = g => list(g.sampling).map(s => ratio(own(s, 'illegal_first_choices'), own(s, 'tokens')));
  const tokensAPacket = g => list(g.training).map(run => own(run, 'tokens_per_packet'));
  const parameters = g => own(g.describe, 'parameters');
  /** Its kind, where the name is another, and what it says it is. */
  const what = g => [g.kind && g.kind !== g.name ? g.kind : '', typeof own(g.describe, 'what') === 'string' ? g.describe.what : ''].filter(Boolean).join(': ');
  const shown = value => JSON.stringify(value, null, 2);
  const isEmpty = value => value === null || value === undefined || (typeof value === 'object' && !Object.keys(value).length);

  const perSeed = [
    ['Learning', 'fit_s', g => list(g.fit_s), seconds], ['Generating', 'sample_s', g => list(g.sample_s), seconds], ['Packets', 'packets', g => list(g.packets), count],
    ['Packets a second', 'packets_per_s', rates, compact], ['Tokens a packet', 'tokens_per_packet', tokensAPacket, number], ['First choice illegal', 'illegal_first_choices', illegal, percent],
  ].map(([title, name, values, format]) => ({ title, name, values, format }));

  /** Mean over seeds; below it the range, where seeds differ. */
  function cell(values, format) {
    const range = span(values, format);
    const text = format(mean(values));
    return range && range !== text ? [text, el('small', {}, range)] : text;
  }

  function overview(model, generators, measures) {
    const several = model.datasets.length > 1 && generators.some(g => g.dataset);
    const learned = generators.some(g => known(parameters(g)));
    const seedsOf = g => list(g.fit_s).filter(known).length;
    const alike = generators.every(g => seedsOf(g) === seedsOf(generators[0]));
    const columns = [
      { title: 'Generator', header: true, value: g => g.name, cell: g => [generator(g.name, model.generators.indexOf(g.name)), what(g) ? el('small', {}, what(g)) : null] },
      ...(several ? [{ title: 'Data set', value: g => g.dataset || '' }] : []),
      ...(learned ? [{ title: 'Parameters', number: true, value: parameters, cell: g => known(parameters(g)) ? compact(parameters(g)) : '' }] : []),
      ...measures.map(m => ({ title: m.title, number: true, value: g => mean(m.values(g)), cell: g => m.values(g).some(known) ? cell(m.values(g), m.format) : '' })),
      ...(alike ? [] : [{ title: 'Seeds', number: true, value: seedsOf }]),
    ];
    return tb.table.table(columns, generators, {
      sortable: true, className: 'described',
      caption: `${alike && seedsOf(generators[0]) > 1 ? `Mean over ${plural(seedsOf(generators[0]), 'seed')}` : 'Mean over seeds'}, below it the least and the most. Times and rates on the machine named below.${measures.some(m => m.name === 'illegal_first_choices') ? ' First choice illegal: how often what the model itself would have written breaks a protocol rule, before decoding forbids it.' : ''}`,
    });
  }

  /** A row a generator, data set and seed. */
  function exported(model, generators, measures) {
    const seeds = list(model.record.seeds);
    return {
      columns: [{ title: 'generator', value: r => r.g.name }, { title: 'dataset', value: r => r.g.dataset }, { title: 'kind', value: r => r.g.kind }, { title: 'parameters', value: r => parameters(r.g) },
        { title: 'seed', value: r => seeds[r.i] ?? r.i + 1 }, ...measures.map(m => ({ title: m.name, value: r => m.values(r.g)[r.i] }))],
      rows: generators.flatMap(g => list(g.fit_s).map((_, i) => ({ g, i }))),
    };
  }

  tb.sections.push({
    id: 'generators', allDatasets: true,
    render(root, model) {
      const generators = list(model.record.generators);
      if (!generators.length) return root.append(empty('The record describes no generators.'));
      const measures = perSeed.filter(m => generators.some(g => m.values(g).some(known)));
      const csv = exported(model, generators, measures);
      root.append(overview(model, generators, measures),
        el('div', { class: 'under' }, tb.table.csvButton('generators', () => csv.columns, () => csv.rows)), el('p'));
      const training = tb.training.panel(model, generators);
      if (training) root.append(training);
      for (const g of generators) root.append(...tb.repair.panel(g));
      for (const g of generators) {
        if (isEmpty(g.settings) && isEmpty(g.describe)) continue;
        root.append(el('details', { class: 'block' }, el('summary', {}, `${g.name}${model.datasets.length > 1 && g.dataset ? ` on ${g.dataset}` : ''}: settings and what it says of itself`),
          el('pre', { tabindex: '0' }, shown({ kind: g.kind, settings: g.settings || {}, describe: g.describe || {} }))));
      }
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
