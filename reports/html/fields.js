// The heat map: fields by generators. It is a table, so that its numbers can be read, copied and printed.
(tb => {
  'use strict';
  const { el, fill, select, empty, generator, name } = tb.dom;
  const { score, number, interval, known, count, plural } = tb.format;
  const { distances, list, unique } = tb.data;

  const scopeTitles = { packet: 'Packet headers', flow: 'Flow features', session: 'Session features' };

  function cellOf(row, view) {
    if (!row) return { text: tb.format.none, attributes: { class: 'number' } };
    if (row.status !== 'ok') return { text: row.status, attributes: { class: 'number void', title: row.reason || 'no reason given' } };
    const range = interval(row.ci95, number);
    const tooltip = `${number(row.value)} ${row.unit || ''} ${range}; floor ${number(row.floor)}, ceiling ${number(row.ceiling)}; n = ${count(row.n)}, ${plural(list(row.seeds).length, 'seed')}`;
    const text = view === 'score' ? score(row.score) : number(row.value);
    if (view === 'score' && !known(row.score)) return { text: 'no ceiling', attributes: { class: 'number quiet', title: tooltip } };
    return { text, attributes: { ...tb.heat(row.score), title: tooltip } };
  }

  function columnsFor(model, dataset, measure, view, go) {
    const row = (field, g) => model.metric(dataset, g, measure, field.name);
    const any = (field, key) => {
      const found = model.generators.map(g => row(field, g)).find(r => r && known(r[key]));
      return found ? found[key] : null;
    };
    return [
      { title: 'Field', header: true, value: f => f.name, cell: f => [el('button', { type: 'button', class: 'link', title: `Show the distributions of ${f.name}`, onclick: () => go(f.name) }, name(f.title || f.name)), el('small', {}, f.name)] },
      ...model.generators.map(g => ({
        title: g, number: true, head: () => generator(g, model.generators.indexOf(g)),
        value: f => { const r = row(f, g); return r && r.status === 'ok' ? (view === 'score' ? r.score : r.value) : null; },
        cell: f => cellOf(row(f, g), view).text, attributes: f => cellOf(row(f, g), view).attributes,
      })),
      { title: 'Floor', number: true, value: f => any(f, 'floor'), cell: f => number(any(f, 'floor')) },
      { title: 'Ceiling', number: true, value: f => any(f, 'ceiling'), cell: f => number(any(f, 'ceiling')) },
    ];
  }

  function csvColumns(model, dataset, measure) {
    const row = (f, g) => model.metric(dataset, g, measure, f.name) || {};
    return [
      { title: 'field', value: f => f.name }, { title: 'measure', value: () => measure },
      ...model.generators.flatMap(g => ['value', 'score', 'floor', 'ceiling', 'n', 'status', 'reason'].map(key => ({ title: `${g} ${key}`, value: f => row(f, g)[key] }))),
    ];
  }

  function reasons(model, dataset, measure, measured) {
    const grouped = new Map();
    for (const f of measured) {
      for (const g of model.generators) {
        const row = model.metric(dataset, g, measure, f.name);
        if (!row || row.status === 'ok') continue;
        const key = `${row.status}: ${row.reason || 'no reason given'}`;
        if (!grouped.has(key)) grouped.set(key, new Map());
        const fields = grouped.get(key);
        fields.set(f, [...(fields.get(f) || []), g]);
      }
    }
    if (!grouped.size) return null;
    return el('div', { class: 'callout' }, el('p', {}, el('strong', {}, 'Not measured')),
      el('ul', {}, [...grouped].map(([reason, where]) => el('li', {}, `${reason} — `, [...where].slice(0, 12).map(([f, by]) =>
        `${f.title || f.name} (${by.length === model.generators.length && by.length > 1 ? 'all generators' : by.join(', ')})`).join(', '), where.size > 12 ? ` and ${where.size - 12} more fields` : ''))));
  }

  tb.sections.push({
    id: 'fields',
    render(root, model, dataset) {
      const rows = model.rowsOf(dataset);
      const measures = distances.filter(([key]) => rows.some(r => r.metric === key));
      if (!measures.length) return root.append(empty('This run measured no distances between fields.'));
      const state = { measure: measures[0][0], view: 'score', order: 'manifest' };
      const part = el('div');
      const go = field => tb.showDistribution && tb.showDistribution(field);

      function draw() {
        const fields = model.fields(dataset).filter(f => model.generators.some(g => model.metric(dataset, g, state.measure, f.name)));
        const worst = f => Math.max(-Infinity, ...model.generators.map(g => (model.metric(dataset, g, state.measure, f.name) || {}).score).filter(known));
        const ordered = state.order === 'worst' ? [...fields].sort((a, b) => worst(b) - worst(a)) : fields;
        const title = distances.find(([key]) => key === state.measure)[1];
        const sizes = unique(rows.filter(r => r.metric === state.measure && r.status === 'ok').map(r => r.n));
        const seeds = Math.max(0, ...rows.filter(r => r.metric === state.measure).map(r => list(r.seeds).length));
        const caption = `${title}, ${state.view === 'score' ? 'as a score (0: as real, 1: at the ceiling)' : 'raw value; smaller is closer'}. `
          + `${model.subtitle(dataset)}${plural(seeds, 'seed')}, n = ${sizes.length > 1 ? 'up to ' : ''}${count(Math.max(...sizes))} synthetic observations a seed. Floor and ceiling are raw values.`;
        const columns = columnsFor(model, dataset, state.measure, state.view, go);
        fill(part,
          tb.table.table(columns, ordered, { sortable: true, caption, tall: true, className: model.generators.length > 4 ? 'heatmap many' : 'heatmap', label: 'Distance of every field', band: state.order === 'worst' ? null : f => scopeTitles[f.scope] || 'Other' }),
          el('div', { class: 'under' }, tb.table.csvButton(`fields-${state.measure}-${dataset}`, () => csvColumns(model, dataset, state.measure), () => fields)),
          el('p'), reasons(model, dataset, state.measure, fields));
      }

      const set = key => value => { state[key] = value; draw(); };
      root.append(
        el('div', { class: 'controls' },
          select('Measure', measures, state.measure, set('measure')),
          select('Number shown', [['score', 'Score'], ['value', 'Raw value']], state.view, set('view')),
          select('Order', [['manifest', 'By layer'], ['worst', 'Farthest from real first']], state.order, set('order'))),
        el('div', { class: 'legend' }, 'as real', el('span', { class: 'ramp' }), 'at the ceiling', el('span', {}, '(outlined: beyond it)')),
        part);
      draw();
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
