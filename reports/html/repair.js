// How a diffusion model's samples came out of noise, and how much of them protocol repair had to alter.
(tb => {
  'use strict';
  const { el } = tb.dom;
  const { count, percent, seconds, number, known, compact } = tb.format;
  const { own, list } = tb.data;

  const ratio = (a, b) => known(a) && known(b) && b > 0 ? a / b : NaN;
  const samplings = g => list(g.sampling).filter(s => s && typeof s === 'object');
  const repairs = g => samplings(g).map(s => own(s, 'repair')).filter(r => r && typeof r === 'object');

  /** Bits of one field, over all seeds. */
  function fields(g) {
    const sums = new Map();
    for (const repair of repairs(g)) for (const field of list(repair.fields)) {
      const sum = sums.get(field.name) || { name: String(field.name), bits: 0, altered: 0 };
      sum.bits += Number(field.bits) || 0;
      sum.altered += Number(field.altered) || 0;
      sums.set(field.name, sum);
    }
    return [...sums.values()].map(field => ({ ...field, share: ratio(field.altered, field.bits) }));
  }

  function strip(g) {
    const strips = samplings(g).flatMap(s => list(s.denoising));
    if (!strips.length) return null;
    return el('details', { class: 'block' }, el('summary', {}, `${g.name}: from noise to packets`),
      el('p', { class: 'caption' }, 'The first rows of one sample a class, decoded after some of the steps of denoising: as the model has them, before identities are drawn and repair.'),
      tb.pictures.legend(),
      strips.map(({ label, steps }) => el('figure', {}, el('figcaption', {}, el('h3', {}, String(label))),
        el('div', { class: 'strip' }, list(steps).map(({ step, png }) => el('div', {}, el('p', { class: 'caption' }, `step ${step}`), tb.pictures.bits(png, 64, `${label}, step ${step}`)))))));
  }

  function repairTable(g) {
    const rows = fields(g);
    if (!rows.length) return null;
    const sum = key => repairs(g).reduce((total, repair) => total + (Number(repair[key]) || 0), 0);
    const columns = [
      { title: 'nPrint field', header: true, value: r => r.name }, { title: 'Bits', number: true, value: r => r.bits, cell: r => count(r.bits) },
      { title: 'Altered', number: true, value: r => r.altered, cell: r => count(r.altered) }, { title: 'Share', number: true, value: r => r.share, cell: r => percent(r.share) },
    ];
    return el('details', { class: 'block' }, el('summary', {}, `${g.name}: repair altered ${percent(ratio(sum('altered'), sum('bits')))} of the bits`),
      tb.table.table(columns, rows, { sortable: true, caption: `${percent(ratio(sum('packets_altered'), sum('packets')))} of ${count(sum('packets'))} packets had an altered bit. Checksums are always computed, so they do not count.` }),
      el('div', { class: 'under' }, tb.table.csvButton(`repair-${g.name}`, () => columns, () => rows)));
  }

  function stages(g) {
    const rows = list(g.training).filter(Boolean).flatMap(run => list(run.stages).map(stage => ({ seed: run.seed, ...stage })));
    if (!rows.length) return null;
    const sampled = samplings(g);
    const cost = sampled.length ? ` Sampling: ${seconds(sampled.reduce((t, s) => t + (s.network_s || 0), 0))} in the network, ${seconds(sampled.reduce((t, s) => t + (s.repair_s || 0), 0))} in repair, for ${count(sampled.reduce((t, s) => t + (s.packets || 0), 0))} packets.` : '';
    const columns = [
      { title: 'Stage', header: true, value: r => r.stage }, { title: 'Seed', number: true, value: r => r.seed }, { title: 'Steps', number: true, value: r => r.steps, cell: r => count(r.steps) },
      { title: 'Time', number: true, value: r => r.seconds, cell: r => seconds(r.seconds) }, { title: 'Rows a second', number: true, value: r => r.rows_per_s, cell: r => compact(r.rows_per_s) },
      { title: 'Best validation loss', number: true, value: r => r.best_validation, cell: r => known(r.best_validation) ? number(r.best_validation, 4) : '' }, { title: 'Ended by', value: r => r.stopped },
    ];
    return el('details', { class: 'block' }, el('summary', {}, `${g.name}: stages of training, cost of sampling`), tb.table.table(columns, rows, { caption: `The curve above is the last stage's.${cost}` }));
  }

  /** All of it for one generator; what it does not tell is left out. */
  tb.repair = { panel: g => [stages(g), strip(g), repairTable(g)].filter(Boolean) };
})(window.tracebench = window.tracebench || {});
