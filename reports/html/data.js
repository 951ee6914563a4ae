// The run record, indexed for the sections. Keys may be any text ("constructor", "__proto__"), so look-ups go
// through own() or a Map.
(tb => {
  'use strict';
  const { known, mean } = tb.format;

  const own = (object, key) => object !== null && typeof object === 'object' && Object.prototype.hasOwnProperty.call(object, key) ? object[key] : undefined;
  const list = value => Array.isArray(value) ? value : [];
  const unique = values => [...new Set(values)];

  const distances = [
    ['jsd', 'Jensen–Shannon divergence'], ['tvd', 'Total variation'], ['hellinger', 'Hellinger'],
    ['wasserstein', 'Wasserstein-1'], ['ks', 'Kolmogorov–Smirnov'], ['energy', 'Energy distance'],
    ['kl', 'Kullback–Leibler divergence'], ['chi_square', 'Chi-square distance'],
  ];
  const areas = [
    ['packet', 'Packet headers'], ['flow', 'Flows'], ['session', 'Sessions'],
    ['compliance', 'Compliance'], ['utility', 'Downstream use'], ['privacy', 'Privacy'],
  ];

  function build(record) {
    const metrics = list(record.metrics);
    const leaderboard = list(record.leaderboard);
    const datasets = unique([...list(record.datasets).map(d => d.name), ...Object.keys(record.details || {}), ...metrics.map(m => m.dataset), ...leaderboard.map(l => l.dataset)]);

    const scores = new Map();
    for (const entry of leaderboard) scores.set(entry.generator, [...(scores.get(entry.generator) || []), entry.score]);
    const declared = unique([...list(record.generators).map(g => g.name), ...leaderboard.map(l => l.generator), ...metrics.map(m => m.generator)]).filter(name => name !== 'real');
    const place = name => known(mean(scores.get(name))) ? mean(scores.get(name)) : Infinity;
    const generators = declared.map((name, i) => ({ name, i })).sort((a, b) => (place(a.name) - place(b.name)) || a.i - b.i).map(g => g.name);

    const byKey = new Map(metrics.map(m => [JSON.stringify([m.dataset, m.generator, m.metric, m.group]), m]));
    const metric = (dataset, generator, name, group) => byKey.get(JSON.stringify([dataset, generator, name, group]));
    const details = dataset => own(record.details, dataset) || {};
    const rowsOf = (dataset, generator) => metrics.filter(m => m.dataset === dataset && (generator === undefined || m.generator === generator));
    const seeds = Math.max(0, ...metrics.map(m => list(m.seeds).length), ...leaderboard.map(l => l.seeds || 0));

    /** Fields that have a distance or a distribution, in the record's order, then the others by name. */
    function fields(dataset) {
      const described = list(details(dataset).fields);
      const names = new Set(described.map(f => f.name));
      const measured = unique(rowsOf(dataset).filter(m => distances.some(([key]) => key === m.metric) && !names.has(m.group)).map(m => m.group)).sort();
      const area = group => (metrics.find(m => m.dataset === dataset && m.group === group) || {}).area;
      return [...described, ...measured.map(name => ({ name, title: name, kind: 'continuous', scope: area(name) || 'packet', unit: '' }))];
    }

    /** Generators there are distributions, sessions, ... of: those known, in order, then strangers. */
    const present = object => [...generators.filter(g => own(object, g) !== undefined), ...Object.keys(object || {}).filter(g => !generators.includes(g))];

    /** "3 seeds" or what a list of values says. */
    const subtitle = dataset => datasets.length > 1 ? `Data set ${dataset}. ` : '';

    return { record, metrics, leaderboard, datasets, generators, metric, details, rowsOf, fields, present, seeds, subtitle };
  }

  tb.data = { build, own, list, unique, distances, areas };
})(window.tracebench = window.tracebench || {});
