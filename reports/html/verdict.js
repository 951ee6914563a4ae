// What a reader with one minute sees: a sentence a generator, then the leaderboard.
(tb => {
  'use strict';
  const { el, callout, empty, generator } = tb.dom;
  const { score, number, interval, plural, known, mean, percent, count, listed } = tb.format;
  const { own, list, areas } = tb.data;

  const areaPhrases = {
    packet: 'packet headers', flow: 'the shape and timing of flows', session: 'the structure of sessions',
    compliance: 'protocol compliance', utility: 'its use in classifiers', privacy: 'privacy',
  };

  const alike = ({ score: value, ci95 }) => value < 0.05 || (Array.isArray(ci95) && known(ci95[0]) && ci95[0] <= 0);

  /** The thresholds are explained under Methods. */
  function judgement(entry) {
    const value = entry.score;
    if (!known(value)) return 'has no overall score';
    if (alike(entry)) return 'was not told apart from real traffic';
    if (value < 0.25) return 'is close to real traffic';
    if (value < 0.6) return 'is recognisably synthetic';
    if (value < 0.95) return 'is far from real traffic';
    return 'is no better than independent marginals';
  }

  /** Titles of the fields of one area, farthest from real first, by their mean score over the distances. */
  function farthest(model, entry, area) {
    const scores = new Map();
    for (const row of model.rowsOf(entry.dataset, entry.generator)) {
      if (row.in_score === false) continue;
      if (row.area === area && row.metric !== 'score' && row.status === 'ok' && known(row.score) && row.group) scores.set(row.group, [...(scores.get(row.group) || []), row.score]);
    }
    const titles = new Map(model.fields(entry.dataset).map(f => [f.name, f.title || f.name]));
    titles.set('all', 'Header bits (nPrint)');
    const rules = list(own(model.details(entry.dataset).compliance, 'rules'));
    for (const rule of rules) titles.set(rule.id, rule.title || rule.id);
    const title = name => titles.get(name) || (area === 'utility' ? name.replace(/^([^/@]+)\/([^/@]+).*$/, '$1 on $2 features') : name);
    return [...scores].map(([name, values]) => [title(name), mean(values)]).sort((a, b) => b[1] - a[1]);
  }

  function sentence(model, entry) {
    const parts = Object.entries(entry.areas || {}).filter(([area, value]) => known(value) && area !== 'privacy').sort((a, b) => b[1] - a[1]);
    const range = interval(entry.ci95);
    const out = [el('b', {}, entry.generator), ` ${judgement(entry)}`];
    if (known(entry.score)) out.push(`: ${score(entry.score)}${range ? ` ${range}` : ''} of the way from real to independent marginals.`);
    else out.push('.');
    if (parts.length && parts[0][1] >= 0.05) {
      const [area, value] = parts[0];
      const fields = farthest(model, entry, area).slice(0, 2).filter(([, s]) => s >= 0.05).map(([title, s]) => `“${title}” (${score(s)})`);
      out.push(` ${alike(entry) ? 'Farthest from real:' : 'What gives it away most is'} ${areaPhrases[area] || area} (${score(value)})${fields.length ? `, above all ${listed(fields)}` : ''}.`);
    }
    if (parts.length > 1 && !alike(entry)) {
      const [area, value] = parts[parts.length - 1];
      if (value < parts[0][1] / 2) out.push(` Nearest to real: ${areaPhrases[area] || area} (${score(value)}).`);
    }
    return out;
  }

  function complianceSentence(model, entry) {
    const compliance = model.details(entry.dataset).compliance;
    const counts = own(own(compliance, 'generators'), entry.generator);
    if (!counts) return '';
    const failedShare = c => c && c.checked > 0 ? c.failed / c.checked : NaN;
    const worse = list(compliance.rules).map(rule => ({ rule, share: failedShare(own(counts, rule.id)), real: failedShare(own(compliance.real, rule.id)) }))
      .filter(r => known(r.share) && r.share > (known(r.real) ? r.real : 0) + 0.001).sort((a, b) => b.share - a.share);
    const checked = list(compliance.rules).filter(rule => known(failedShare(own(counts, rule.id)))).length;
    if (!checked) return '';
    if (!worse.length) return `It breaks none of ${plural(checked, 'protocol rule')} more often than real traffic does. `;
    return `It breaks ${count(worse.length)} of ${plural(checked, 'protocol rule')} more often than real traffic does, worst “${worse[0].rule.title || worse[0].rule.id}” (${percent(worse[0].share)} of checks). `;
  }

  /** Over all models and features: "62 % to 97 %". */
  function accuracies(evaluations) {
    const levels = evaluations.map(e => mean(e.accuracy)).filter(known);
    if (!levels.length) return '';
    const [low, high] = [percent(Math.min(...levels)), percent(Math.max(...levels))];
    return low === high ? low : `${low} to ${high}`;
  }

  function utilitySentence(model, entry) {
    const evaluations = list(model.details(entry.dataset).classification).filter(e => e.features !== 'identifiers');
    const alone = accuracies(evaluations.filter(e => e.generator === entry.generator && e.protocol === 'TSTR'));
    const real = accuracies(evaluations.filter(e => e.protocol === 'TRTR'));
    return alone ? `Classifiers trained on it alone get ${alone} of real test samples right${real ? `; trained on real traffic, ${real}` : ''}.` : '';
  }

  /** A mark on a line from 0 to 1 (or further, where a score is), with its interval. */
  function scale(entry, most) {
    if (!known(entry.score)) return null;
    const at = value => `${100 * Math.min(1, Math.max(0, value / most))}%`;
    const range = Array.isArray(entry.ci95) && known(entry.ci95[0]) && known(entry.ci95[1])
      ? el('i', { style: { left: at(entry.ci95[0]), right: `calc(100% - ${at(entry.ci95[1])})` } }) : null;
    return el('div', { class: 'scale', 'aria-hidden': 'true' }, range, el('b', { style: { left: at(entry.score) } }));
  }

  function leaderboard(model, dataset, entries) {
    const used = areas.filter(([area]) => entries.some(e => known(own(e.areas, area))));
    const columns = [
      { title: 'Generator', header: true, value: e => e.generator, cell: e => generator(e.generator, model.generators.indexOf(e.generator)) },
      { title: 'Score', number: true, value: e => e.score, cell: e => el('b', {}, score(e.score)), attributes: e => tb.heat(e.score) },
      { title: '95 % interval', number: true, value: e => interval(e.ci95), cell: e => interval(e.ci95) || tb.format.none },
      ...used.map(([area, title]) => ({ title, number: true, value: e => own(e.areas, area), cell: e => score(own(e.areas, area)), attributes: e => tb.heat(own(e.areas, area)) })),
      { title: 'n', number: true, value: e => e.n, cell: e => count(e.n) },
      { title: 'Seeds', number: true, value: e => e.seeds, cell: e => count(e.seeds) },
    ];
    return { columns, used };
  }

  function scoreChart(model, dataset, entries, { columns, used }) {
    const rows = entries.filter(e => known(e.score));
    if (!rows.length) return null;
    return tb.chart.chart({
      title: 'Overall score with its 95 % interval, and the areas behind it',
      subtitle: `${model.subtitle(dataset)}${plural(Math.max(...rows.map(e => e.seeds || 0)), 'seed')}, n = ${count(Math.max(...rows.map(e => e.n || 0)))} samples a seed. 0: as real; 1: independent marginals.`,
      summary: rows.map(e => `${e.generator} ${score(e.score)} ${interval(e.ci95)}`).join('; '),
      file: `leaderboard-${dataset}`, columns, rows: entries,
      height: 92 + 32 * rows.length,
      option: (t, width) => scoreOption(t, width, rows, used),
    });
  }

  function scoreOption(t, width, rows, used) {
    const values = rows.flatMap(e => [e.score, ...(e.ci95 || []), ...used.map(([area]) => own(e.areas, area))]).filter(known);
    const low = Math.floor(Math.min(0, ...values) * 10) / 10;
    const high = Math.max(1.1, Math.ceil(Math.max(0, ...values) * 10) / 10);
    const step = high - low > 4 ? 1 : width < 500 ? 0.5 : 0.2;  // labelled; the grid is as fine as the ends need
    return {
      grid: { left: 8, right: 20, top: 38, bottom: 28, containLabel: true },
      legend: tb.chart.legend(t, { data: ['Overall', ...used.map(([, title]) => title)] }),
      tooltip: { trigger: 'item', formatter: p => tb.chart.tip(rows[p.value[1]].generator, [[p.seriesName, score(p.value[0])]]) },
      xAxis: tb.chart.axis(t, { type: 'value', min: low, max: high, interval: 0.1, name: 'score', nameGap: 26, splitLine: { show: false }, axisLabel: { color: t.muted, fontSize: 11.5, interval: 0, hideOverlap: false, formatter: v => Math.abs(v / step - Math.round(v / step)) < 1e-6 ? number(Math.round(v * 10) / 10) : '' } }),
      yAxis: tb.chart.axis(t, { type: 'category', inverse: true, data: rows.map(e => e.generator), axisLabel: { color: t.ink, fontSize: 12, width: width < 500 ? 80 : 160, overflow: 'truncate' }, splitLine: { show: true, lineStyle: { color: t.line } } }),
      series: [
        ...used.map(([area, title], i) => ({
          name: title, type: 'scatter', symbol: tb.chart.symbols[(i + 1) % tb.chart.symbols.length], symbolSize: 9,
          itemStyle: { color: t.paper, borderColor: t.muted, borderWidth: 1.5 },
          data: rows.map((e, row) => [own(e.areas, area), row]).filter(([x]) => known(x)),
        })),
        {
          name: 'interval', type: 'custom', silent: true, z: 4, data: rows.map((e, row) => [(e.ci95 || [])[0], row, (e.ci95 || [])[1]]).filter(d => known(d[0]) && known(d[2])),
          encode: { x: [0, 2], y: 1 },
          renderItem: (params, api) => {
            const [x1, y] = api.coord([api.value(0), api.value(1)]);
            const [x2] = api.coord([api.value(2), api.value(1)]);
            return { type: 'line', shape: { x1, y1: y, x2, y2: y }, style: { stroke: t.ink, lineWidth: 3, opacity: 0.75 } };
          },
        },
        {
          name: 'Overall', type: 'scatter', symbol: 'circle', symbolSize: 12, z: 5, itemStyle: { color: t.ink, borderColor: t.paper, borderWidth: 1.5 }, data: rows.map((e, row) => [e.score, row]),
          markLine: { silent: true, symbol: 'none', label: { show: false }, lineStyle: { color: t.strong, type: 'dashed' }, data: [{ xAxis: 0 }, { xAxis: 1 }] },
        },
      ],
    };
  }

  /** Neighbours in the ranking whose intervals overlap. */
  function ties(entries) {
    const out = [];
    for (let i = 0; i + 1 < entries.length; ++i) {
      const [a, b] = [entries[i].ci95, entries[i + 1].ci95];
      if (Array.isArray(a) && Array.isArray(b) && known(a[1]) && known(b[0]) && a[1] >= b[0]) out.push(`${entries[i].generator} and ${entries[i + 1].generator}`);
    }
    return out;
  }

  function ofDataset(model, dataset) {
    const entries = model.leaderboard.filter(e => e.dataset === dataset);
    const heading = model.datasets.length > 1 ? el('h3', {}, `Data set ${dataset}`) : null;
    if (!entries.length) return [heading, empty('No generator was scored on this data set.')];
    const most = Math.max(1, ...entries.map(e => known(e.score) ? e.score : 0));
    const parts = leaderboard(model, dataset, entries);
    const overlapping = ties(entries);
    const single = entries.filter(e => (e.seeds || 0) === 1).length > 0;
    return [
      heading,
      el('ol', { class: 'verdicts' }, entries.map(entry => el('li', {},
        el('div', { class: 'score' }, el('div', { class: 'figure' }, score(entry.score)), el('div', { class: 'range' }, interval(entry.ci95)), scale(entry, most)),
        el('div', {}, el('p', { class: 'sentence' }, sentence(model, entry)),
          el('p', { class: 'more' }, complianceSentence(model, entry), utilitySentence(model, entry)))))),
      overlapping.length ? callout('Not separated:', `the intervals of ${overlapping.join(', and of ')} overlap, so this run does not settle their order.`) : null,
      single ? callout('One seed:', 'intervals here come from resampling sessions alone. They cannot show how much another training run would differ; use three seeds or more before you decide on them.') : null,
      tb.table.table(parts.columns, entries, { sortable: true, caption: `Leaderboard${model.datasets.length > 1 ? `, data set ${dataset}` : ''}: scores by area, best first` }),
      scoreChart(model, dataset, entries, parts),
    ];
  }

  function alerts(model, root) {
    const failed = list(model.record.tasks).filter(t => t.status === 'failed');
    const skipped = list(model.record.tasks).filter(t => t.status === 'skipped').length;
    if (failed.length) {
      root.append(el('div', { class: 'callout alert' },
        el('p', {}, el('strong', {}, `${count(failed.length)} of ${plural(list(model.record.tasks).length, 'task')} failed.`), ` ${skipped ? `${count(skipped)} more were skipped for it. ` : ''}What depends on them is missing below.`),
        el('ul', {}, failed.slice(0, 5).map(t => el('li', {}, el('code', {}, t.id), t.error ? `: ${t.error}` : '')),
          failed.length > 5 ? el('li', {}, `and ${count(failed.length - 5)} more, listed under `, el('a', { href: '#reproduce' }, 'How to reproduce this')) : null)));
    }
    const bad = model.metrics.filter(m => m.status === 'failed');
    if (bad.length) {
      const reasons = new Map();
      for (const m of bad) {
        const key = `${m.generator}: ${m.reason || 'no reason given'}`;
        reasons.set(key, [...(reasons.get(key) || []), m]);
      }
      root.append(el('div', { class: 'callout' },
        el('p', {}, el('strong', {}, `${plural(bad.length, 'value')} of ${count(model.metrics.length)} could not be measured.`), ' Where they belong they are marked “failed”; no score counts them.'),
        el('ul', {}, [...reasons].slice(0, 3).map(([reason, rows]) => el('li', {}, `${reason} (${rows[0].metric}${rows[0].group ? ` of ${rows[0].group}` : ''}${rows.length > 1 ? ` and ${count(rows.length - 1)} more` : ''})`)),
          reasons.size > 3 ? el('li', {}, `and ${plural(reasons.size - 3, 'other reason')} under `, el('a', { href: '#measurements' }, 'All numbers')) : null)));
    }
  }

  tb.sections = tb.sections || [];
  tb.sections.push({
    id: 'verdict', allDatasets: true,
    render(root, model) {
      alerts(model, document.getElementById('alerts'));
      const datasets = model.datasets.filter(d => model.leaderboard.some(e => e.dataset === d));
      if (!datasets.length) return root.append(empty('This run scored no generator.'));
      for (const dataset of datasets) root.append(...ofDataset(model, dataset).filter(Boolean));
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
