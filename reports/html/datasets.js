// What the real traffic was, and what to keep in mind about it.
(tb => {
  'use strict';
  const { el, empty, name } = tb.dom;
  const { count, bytes, plural } = tb.format;
  const { own, list } = tb.data;

  const sum = counts => Object.values(counts || {}).reduce((a, b) => a + b, 0);

  function labels(d) {
    const columns = [
      { title: 'Class', header: true, value: l => l, cell: l => name(l) },
      { title: 'Training samples', number: true, value: l => own(own(d.samples, 'train'), l) || 0, cell: l => count(own(own(d.samples, 'train'), l) || 0) },
      { title: 'Held-out samples', number: true, value: l => own(own(d.samples, 'heldout'), l) || 0, cell: l => count(own(own(d.samples, 'heldout'), l) || 0) },
    ];
    return tb.table.table(columns, list(d.labels), { sortable: true });
  }

  tb.sections.push({
    id: 'datasets', allDatasets: true,
    render(root, model) {
      const datasets = list(model.record.datasets);
      if (!datasets.length) return root.append(empty('The record describes no data sets.'));
      const columns = [
        { title: 'Data set', header: true, value: d => d.name, cell: d => name(d.name) }, { title: 'A sample is', value: d => d.unit ? `a ${d.unit}` : '' },
        { title: 'Classes', number: true, value: d => list(d.labels).length }, { title: 'Training samples', number: true, value: d => sum(own(d.samples, 'train')), cell: d => count(sum(own(d.samples, 'train'))) },
        { title: 'Held out', number: true, value: d => sum(own(d.samples, 'heldout')), cell: d => count(sum(own(d.samples, 'heldout'))) },
        { title: 'Packets', number: true, value: d => d.packets, cell: d => count(d.packets) }, { title: 'Flows', number: true, value: d => d.flows, cell: d => count(d.flows) },
        { title: 'Bytes', number: true, value: d => d.bytes, cell: d => bytes(d.bytes) },
      ];
      root.append(tb.table.table(columns, datasets, { caption: 'Split by session: none is on both sides, but for what a warning names.' }));
      for (const d of datasets) {
        const warnings = list(d.warnings);
        if (warnings.length) root.append(el('div', { class: 'callout' }, el('p', {}, el('strong', {}, `${d.name}: ${plural(warnings.length, 'warning')}`)), el('ul', {}, warnings.map(w => el('li', {}, w)))));
        if (list(d.labels).length) root.append(el('details', { class: 'block' }, el('summary', {}, `${d.name}: samples of each class`), labels(d)));
      }
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
