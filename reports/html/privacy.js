// What synthetic samples give away of the training samples: a level for each kind of attack, then what it rests on.
(tb => {
  'use strict';
  const { el, empty, generator, name } = tb.dom;
  const { number, interval, known, percent, count } = tb.format;
  const { own, list, unique } = tb.data;

  const attacks = new Map([
    ['copies', ['Copies', 'are training flows handed out again, exactly or nearly?']],
    ['membership', ['Membership', 'do the samples tell which flows were trained on?']],
    ['model', ['Membership by the model', 'does the model’s own loss tell?']],
    ['identifiers', ['Identifiers', 'are addresses, names, ports, clocks of the training data in them?']],
  ]);
  const height = { low: 0, medium: 0.5, high: 1 };
  const levelOf = (details, area) => list(own(details, 'verdicts')).find(v => v.area === area);

  function levelCell(verdict) {
    if (!verdict) return { content: tb.format.none, attributes: {} };
    if (verdict.level === 'unknown') return { content: 'unknown', attributes: { class: 'void', title: 'needs held-out samples and two sessions on either side' } };
    const why = verdict.metric ? `${verdict.metric.replace(/^privacy\./, '').replaceAll('_', ' ')}${verdict.group ? `, ${verdict.group}` : ''}: ${number(verdict.excess)} over the floor` : '';
    return { content: [el('b', {}, verdict.level), why ? el('small', {}, why) : null], attributes: { class: 'heat', style: { '--level': height[verdict.level] || 0 } } };
  }

  function levels(model, dataset, generators, of) {
    const areas = unique([...attacks.keys(), ...generators.flatMap(g => list(own(of(g), 'verdicts')).map(v => v.area))]).filter(a => generators.some(g => levelOf(of(g), a)));
    const columns = [
      { title: 'Attack', header: true, value: a => a, cell: a => [name((attacks.get(a) || [a])[0]), el('small', {}, (attacks.get(a) || ['', ''])[1])] },
      ...generators.map(g => ({ title: g, head: () => generator(g, model.generators.indexOf(g)), value: a => (levelOf(of(g), a) || {}).level, cell: a => levelCell(levelOf(of(g), a)).content, attributes: a => levelCell(levelOf(of(g), a)).attributes })),
    ];
    return tb.table.table(columns, areas, { className: 'levels', label: 'Privacy levels', caption: `${model.subtitle(dataset)}The value that decided each level, over what held-out real samples give away; first seed. A level is no guarantee: it says what these attacks found.` });
  }

  function values(model, dataset, generators) {
    const rows = model.rowsOf(dataset).filter(r => r.area === 'privacy' && r.metric !== 'score');
    const keys = unique(rows.map(r => JSON.stringify([r.metric, r.group])));
    const row = (key, g) => { const [metric, group] = JSON.parse(key); return model.metric(dataset, g, metric, group); };
    const any = (key, field) => generators.map(g => row(key, g)).filter(Boolean).map(r => r[field]).find(known);
    const columns = [
      { title: 'Value', header: true, value: k => k, cell: k => { const [metric, group] = JSON.parse(k); return [name(metric.replace(/^privacy\./, '').replaceAll('_', ' ')), el('small', {}, group)]; } },
      ...generators.map(g => ({
        title: g, number: true, head: () => generator(g, model.generators.indexOf(g)), value: k => (row(k, g) || {}).value,
        cell: k => { const r = row(k, g); return !r ? tb.format.none : r.status === 'ok' ? [number(r.value), el('small', {}, interval(r.ci95, number))] : r.status; },
        attributes: k => { const r = row(k, g); return r && r.status !== 'ok' ? { class: 'number void', title: r.reason } : { class: 'number' }; },
      })),
      { title: 'Floor', number: true, value: k => any(k, 'floor'), cell: k => number(any(k, 'floor')) },
      { title: 'Better', value: k => any(k, 'direction') || (generators.map(g => row(k, g)).find(Boolean) || {}).direction },
    ];
    return el('details', { class: 'block' }, el('summary', {}, `The ${count(keys.length)} values behind the levels`),
      tb.table.table(columns, keys, { sortable: true, tall: true, label: 'Privacy values', caption: 'With 95 % intervals; the floor is what held-out real samples in the synthetic ones’ place give away.' }));
  }

  function extraction(model, generators, of) {
    const curves = generators.map(g => [g, list(own(of(g), 'extraction'))]).filter(([, curve]) => curve.length);
    if (!curves.length) return null;
    // Points are at the same shares of what each generator made.
    const shareOf = (curve, point) => Math.round(100 * point.flows / Math.max(...curve.map(p => p.flows)));
    const shares = unique(curves.flatMap(([, curve]) => curve.map(p => shareOf(curve, p)))).sort((a, b) => a - b);
    const at = (g, share) => { const curve = curves.find(([name]) => name === g)[1]; return curve.find(p => shareOf(curve, p) === share) || {}; };
    const columns = [
      { title: 'Synthetic flows', header: true, number: true, value: s => s, cell: s => `${s} %` },
      ...curves.map(([g]) => ({ title: g, number: true, head: () => generator(g, model.generators.indexOf(g)), value: s => at(g, s).near, cell: s => known(at(g, s).near) ? [percent(at(g, s).near), el('small', {}, `${percent(at(g, s).exact)} exact, of ${count(at(g, s).flows)}`)] : tb.format.none })),
    ];
    return [el('h3', {}, 'Extraction'), tb.table.table(columns, shares, { label: 'Extraction', caption: 'Share of training flows of which a near copy is among a share of the synthetic flows.' })];
  }

  function leaks(model, generators, of) {
    const kinds = unique(generators.flatMap(g => Object.keys(own(of(g), 'leaks') || {})));
    if (!kinds.length) return null;
    const leak = (g, kind) => own(own(of(g), 'leaks'), kind);
    const columns = [
      { title: 'Identifier', header: true, value: k => k, cell: k => name(k.replaceAll('_', ' ')) },
      { title: 'Secrets', number: true, value: k => generators.map(g => (leak(g, k) || {}).secrets).find(known), cell: k => count(generators.map(g => (leak(g, k) || {}).secrets).find(known)) },
      ...generators.map(g => ({
        title: g, number: true, head: () => generator(g, model.generators.indexOf(g)), value: k => (leak(g, k) || {}).recovered,
        cell: k => { const l = leak(g, k); return l ? [count(l.recovered), l.recovered > 0 ? el('small', {}, list(l.examples).slice(0, 2).join(', ')) : null] : tb.format.none; },
        attributes: k => { const l = leak(g, k); return l && l.recovered > 0 && l.secrets > 0 ? { class: 'number heat', style: { '--level': Math.min(1, 0.06 + l.recovered / l.secrets).toFixed(3) }, title: list(l.examples).join(', ') } : { class: 'number' }; },
      })),
    ];
    return [el('h3', {}, 'Identifiers found again'), tb.table.table(columns, kinds, { sortable: true, className: 'levels', label: 'Identifiers', caption: 'Secrets are those that training samples have and held-out ones have not. How many of them occur in synthetic samples, with examples.' })];
  }

  tb.sections.push({
    id: 'privacy',
    render(root, model, dataset) {
      const privacy = model.details(dataset).privacy || {};
      const generators = model.present(privacy.generators);
      if (!generators.length) return root.append(empty('This run did not measure privacy.'));
      const of = g => own(privacy.generators, g);
      root.append(...[levels(model, dataset, generators, of), extraction(model, generators, of), leaks(model, generators, of), values(model, dataset, generators)].flat().filter(Boolean));
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
