// All metric rows, searchable. Built when opened: a large run has thousands.
(tb => {
  'use strict';
  const { el, fill, select, empty } = tb.dom;
  const { number, score, count, interval, plural } = tb.format;
  const { list, areas } = tb.data;

  const limit = 200;
  const columns = [
    { title: 'Data set', value: m => m.dataset }, { title: 'Generator', value: m => m.generator }, { title: 'Area', value: m => m.area || '' },
    { title: 'Metric', header: true, value: m => m.metric }, { title: 'Of', value: m => m.group },
    { title: 'Value', number: true, value: m => m.value, cell: m => m.status === 'ok' ? [number(m.value), el('small', {}, m.unit || '')] : m.status, attributes: m => m.status === 'ok' ? { class: 'number' } : { class: 'number void', title: m.reason } },
    { title: '95 % interval', number: true, value: m => interval(m.ci95, number), cell: m => interval(m.ci95, number) || tb.format.none },
    { title: 'Floor', number: true, value: m => m.floor, cell: m => number(m.floor) }, { title: 'Ceiling', number: true, value: m => m.ceiling, cell: m => number(m.ceiling) },
    { title: 'Score', number: true, value: m => m.score, cell: m => score(m.score), attributes: m => tb.heat(m.score) },
    { title: 'n', number: true, value: m => m.n, cell: m => count(m.n) }, { title: 'Seeds', number: true, value: m => list(m.seeds).length },
    { title: 'Better', value: m => m.direction }, { title: 'Why not measured', value: m => m.status === 'ok' ? '' : m.reason },
  ];
  const exported = ['dataset', 'generator', 'metric', 'group', 'area', 'value', 'direction', 'unit', 'n', 'floor', 'ceiling', 'score', 'status', 'reason', 'version'].map(key => ({ title: key, value: m => m[key] }))
    .concat([{ title: 'ci95_low', value: m => (m.ci95 || [])[0] }, { title: 'ci95_high', value: m => (m.ci95 || [])[1] }, { title: 'seeds', value: m => list(m.seeds).join(' ') }]);

  tb.sections.push({
    id: 'measurements', allDatasets: true,
    render(root, model) {
      const rows = model.metrics;
      if (!rows.length) return root.append(empty('The record holds no metrics.'));
      const state = { text: '', area: 'all' };
      const part = el('div');
      const draw = () => {
        const words = state.text.toLowerCase().split(/\s+/).filter(Boolean);
        const found = rows.filter(m => (state.area === 'all' || m.area === state.area) && words.every(w => [m.dataset, m.generator, m.metric, m.group, m.area, m.status].join(' ').toLowerCase().includes(w)));
        fill(part, found.length ? tb.table.table(columns, found, { sortable: true, tall: true, limit, label: 'All metric values', caption: found.length > limit ? `${count(limit)} of ${count(found.length)} rows; sort or search for the others, or take the CSV.` : plural(found.length, 'row') }) : empty('No row matches.'));
      };
      const present = areas.filter(([area]) => rows.some(m => m.area === area));
      const search = el('input', { type: 'search', placeholder: 'jsd markov ttl', oninput: () => { state.text = search.value; draw(); } });
      const block = el('details', { class: 'block', 'data-screen-only': true, ontoggle: () => { if (block.open && !part.hasChildNodes()) draw(); } }, el('summary', {}, `${plural(rows.length, 'value')}`),
        el('div', { class: 'controls' }, el('label', {}, el('span', {}, 'Search'), search), select('Area', [['all', 'All areas'], ...present], 'all', v => { state.area = v; draw(); })), part);
      root.append(block, el('div', { class: 'under' }, tb.table.csvButton('metrics', () => exported, () => rows)));
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
