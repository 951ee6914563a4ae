// Between the verdict and the fields: each measure as one line, and one of them taken apart on demand.
(tb => {
  'use strict';
  const { el, fill, check, empty, generator, name } = tb.dom;
  const { score, number, interval, known, mean, count, plural } = tb.format;
  const { areas, distances, list, unique } = tb.data;

  /** [metric, title, what it asks]. Formulae, ranges and sources are in docs/metrics.md. */
  const titles = new Map([
    ...distances.map(([key, title]) => [key, [title, 'field by field']]),
    ['nprint.jsd', ['Header bits: Jensen–Shannon', 'every nPrint column, NetDiffusion’s measure']],
    ['nprint.tvd', ['Header bits: total variation', 'every nPrint column']],
    ['nprint.hellinger', ['Header bits: Hellinger', 'every nPrint column']],
    ['joint.mutual_information', ['Mutual information', 'do pairs of packet fields still tell of each other?']],
    ['joint.correlation', ['Correlations', 'do features rise and fall together as they should?']],
    ['joint.rank_correlation', ['Rank correlations', 'the same by ranks']],
    ['joint.energy', ['Energy distance of vectors', 'all features at once']],
    ['joint.mmd', ['Maximum mean discrepancy', 'all features at once, by a kernel']],
    ['joint.mmd_linear', ['Maximum mean discrepancy, linear', 'the same in one pass']],
    ['joint.sliced_wasserstein', ['Sliced Wasserstein', 'all features at once, on 64 lines']],
    ['joint.frechet', ['Fréchet distance', 'means and covariances']],
    ['joint.precision', ['Precision', 'how much of it is like something real?']],
    ['joint.recall', ['Recall', 'how much of what is real is like something in it?']],
    ['joint.density', ['Density', 'how deep within the real it lies']],
    ['joint.coverage', ['Coverage', 'how much of what is real has a neighbour in it?']],
    ['sequence.jsd', ['Order of packets', 'trigrams of direction and size']],
    ['sequence.dtw', ['Nearest flow', 'dynamic time warping of sizes']],
    ['cicflow.jsd', ['CICFlowMeter features: Jensen–Shannon', '76 features a flow']],
    ['cicflow.ks', ['CICFlowMeter features: KS', '76 features a flow']],
    ['netshare.jsd', ['NetShare: divergence (nats)', 'addresses, ports, protocol']],
    ['netshare.emd', ['NetShare: earth mover’s distance', 'sizes, times, counts; raw']],
    ['c2st.auc', ['Two-sample test: AUC', 'can a classifier tell? 0.5: no']],
    ['c2st.accuracy', ['Two-sample test: accuracy', 'can a classifier tell? 0.5: no']],
    ['c2st.p_value', ['Two-sample test: p-value', 'against real beside real']],
    ['compliance.pass_rate', ['Packets that break no rule', 'the protocol rules']],
    ['compliance.checkable_share', ['Rules that could be checked', 'of those that apply']],
    ['compliance.failure_rate', ['Failure rate of each rule', 'see Compliance']],
    ['observed.rate', ['Behaviour that is no violation', 'difference of rates; see Compliance']],
    ['consistency.rate', ['Consistent flow records', 'do the fields of a record belong together?']],
    ['consistency.observed_difference', ['Habits of flow records', 'difference from real traffic']],
    ['tstr.accuracy', ['Train on synthetic, test on real', 'accuracy']],
    ['tstr.macro_f1', ['Train on synthetic, test on real', 'macro F1']],
  ]);
  const titleOf = metric => titles.get(metric) || [metric, ''];

  /** What rows share in one area and metric, in the order in which the record has them. */
  function measuresOf(rows) {
    const found = new Map();
    for (const row of rows) {
      if (row.metric === 'score' || !row.area) continue;
      const key = JSON.stringify([row.area, row.metric]);
      if (!found.has(key)) found.set(key, { area: row.area, metric: row.metric, rows: [] });
      found.get(key).rows.push(row);
    }
    const place = area => { const at = areas.findIndex(([key]) => key === area); return at < 0 ? areas.length : at; };
    const measures = [...found.values()].map(m => ({ ...m, groups: unique(m.rows.map(r => r.group)), counts: m.rows.some(r => r.in_score !== false && known(r.score)) }));
    return measures.map((m, i) => ({ m, i })).sort((a, b) => place(a.m.area) - place(b.m.area) || b.m.counts - a.m.counts || a.i - b.i).map(({ m }) => m);
  }

  const of = (measure, g) => measure.rows.filter(r => r.generator === g);
  /** The mean score over what it was measured on; alone, the row itself. */
  function summary(measure, g) {
    const ok = of(measure, g).filter(r => r.status === 'ok');
    if (measure.groups.length === 1) return { row: of(measure, g)[0], score: ok.length ? ok[0].score : null, scored: ok.length };
    const counted = measure.counts ? ok.filter(r => r.in_score !== false) : ok;
    const scores = counted.map(r => r.score).filter(known);
    return { score: scores.length ? mean(scores) : null, scored: scores.length };
  }

  function tooltip(row) {
    return `${number(row.value)} ${row.unit || ''} ${interval(row.ci95, number)}; floor ${number(row.floor)}, ceiling ${number(row.ceiling)}; n = ${count(row.n)}, ${plural(list(row.seeds).length, 'seed')}`;
  }

  /** A score, and beside it the value where there is one. */
  function cell(measure, g) {
    const { row, score: value, scored } = summary(measure, g);
    if (row && row.status !== 'ok') return { content: row.status, attributes: { class: 'number void', title: row.reason || 'no reason given' } };
    if (row) return { content: [number(row.value), el('small', {}, known(value) ? `score ${score(value)}` : 'no ceiling')], attributes: { ...tb.heat(value), title: tooltip(row) } };
    if (!known(value)) return { content: tb.format.none, attributes: { class: 'number quiet', title: of(measure, g).length ? 'nothing here has a score' : 'not measured' } };
    return { content: [score(value), el('small', {}, `mean of ${count(scored)}`)], attributes: tb.heat(value) };
  }

  function table(model, measures, open) {
    const areaTitles = new Map(areas);
    const columns = [
      { title: 'Measure', header: true, value: m => titleOf(m.metric)[0], cell: m => [el('button', { type: 'button', class: 'link', onclick: () => open(m) }, name(titleOf(m.metric)[0])), el('small', {}, [titleOf(m.metric)[1], m.counts ? '' : 'does not count'].filter(Boolean).join(' · '))] },
      ...model.generators.map((g, i) => ({ title: g, number: true, head: () => generator(g, i), value: m => summary(m, g).score, cell: m => cell(m, g).content, attributes: m => cell(m, g).attributes })),
      { title: 'Measured on', number: true, value: m => m.groups.length, cell: m => m.groups.length > 1 ? count(m.groups.length) : m.groups[0] || 'all' },
    ];
    return tb.table.table(columns, measures, { sortable: true, className: 'measures', label: 'Measures', tall: true, band: m => areaTitles.get(m.area) || m.area,
      caption: 'Colour and “score”: 0 as real, 1 at the ceiling. Where a measure has many values, the mean of their scores; where it has one, the value itself with its score beneath.' });
  }

  function apart(model, dataset, measure) {
    const groupTitles = new Map(model.fields(dataset).map(f => [f.name, f.title || f.name]));
    const row = (group, g) => of(measure, g).find(r => r.group === group);
    const columns = [
      { title: 'Of', header: true, value: group => group, cell: group => [name(groupTitles.get(group) || group || 'all'), groupTitles.has(group) ? el('small', {}, group) : null] },
      ...model.generators.map((g, i) => ({
        title: g, number: true, head: () => generator(g, i), value: group => { const r = row(group, g); return r && r.status === 'ok' ? r.value : null; },
        cell: group => { const r = row(group, g); return !r ? tb.format.none : r.status !== 'ok' ? r.status : [number(r.value), el('small', {}, interval(r.ci95, number) || (known(r.score) ? `score ${score(r.score)}` : ''))]; },
        attributes: group => { const r = row(group, g); return !r ? { class: 'number' } : r.status !== 'ok' ? { class: 'number void', title: r.reason } : { ...tb.heat(r.score), title: tooltip(r) }; },
      })),
      ...['floor', 'ceiling'].map(key => ({ title: key[0].toUpperCase() + key.slice(1), number: true, value: group => mean(measure.rows.filter(r => r.group === group).map(r => r[key]).filter(known)), cell: group => number(mean(measure.rows.filter(r => r.group === group).map(r => r[key]).filter(known))) })),
    ];
    const sample = measure.rows.find(r => r.status === 'ok') || {};
    return tb.table.table(columns, measure.groups, { sortable: true, tall: true, className: 'measures', label: titleOf(measure.metric)[0],
      caption: `${titleOf(measure.metric)[0]} (${measure.metric}), raw values with their 95 % intervals; ${sample.direction === 'higher' ? 'higher' : 'lower'} is better. ${model.subtitle(dataset)}${plural(list(sample.seeds).length, 'seed')}, n = ${count(Math.max(0, ...measure.rows.map(r => r.n || 0)))}.` });
  }

  tb.sections.push({
    id: 'measures',
    render(root, model, dataset) {
      const measures = measuresOf(model.rowsOf(dataset));
      if (!measures.length) return root.append(empty('This run measured nothing.'));
      const state = { all: false };
      const part = el('div'), detail = el('div', { 'aria-live': 'polite' });
      const open = measure => {
        fill(detail, el('h3', {}, titleOf(measure.metric)[0]), apart(model, dataset, measure));
        detail.scrollIntoView({ block: 'nearest' });
      };
      const draw = () => fill(part, table(model, state.all ? measures : measures.filter(m => m.counts || m.groups.length === 1), open));
      root.append(el('div', { class: 'controls' }, check('Also other views that have many values each', state.all, value => { state.all = value; draw(); })), part, detail);
      draw();
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
