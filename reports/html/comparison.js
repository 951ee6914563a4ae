// Draws the comparison of two runs.
(tb => {
  'use strict';
  const { el, fill, select, callout, empty, name } = tb.dom;
  const { score, number, interval, known, count, plural } = tb.format;
  const { list, unique } = tb.data;

  const data = tb.page.readData();
  const changes = list(data.changes);
  const generators = unique([...list(data.leaderboard), ...changes].map(c => c.generator));
  const words = { worse: 'worse', better: 'better', unclear: 'unclear', not_comparable: 'not comparable', only_a: 'only in A', only_b: 'only in B', same: 'the same' };
  const limit = 300;

  function heading() {
    const describe = (run, file) => [file, run.created && run.created.replace('T', ' ').replace('Z', ' UTC'), run.version && `tracebench ${run.version}`, run.manifest && run.manifest.path].filter(Boolean).join('  ·  ');
    fill(document.getElementById('runs'), el('dt', {}, 'A'), el('dd', {}, describe(data.a || {}, data.name_a)), el('dt', {}, 'B'), el('dd', {}, describe(data.b || {}, data.name_b)));
    const alerts = document.getElementById('alerts');
    const warnings = list(data.warnings);
    if (warnings.length) alerts.append(el('div', { class: 'callout alert' }, el('p', {}, el('strong', {}, 'Not the same experiment.')), el('ul', {}, warnings.map(w => el('li', {}, w)))));
    document.getElementById('foot').textContent = 'Made by tracebench compare. One file, no request to anywhere. Charts: Apache ECharts.';
  }

  /** The overall score is a metric row like the others, with its seeds. */
  const overall = row => changes.find(c => c.metric === 'score' && c.group === 'overall' && c.dataset === row.dataset && c.generator === row.generator);
  const verdict = row => { const change = overall(row); return change ? words[change.outcome] || change.outcome : 'not comparable'; };
  const colored = outcome => el('span', { class: outcome === 'worse' || outcome === 'better' ? outcome : null }, outcome);

  function scores(root) {
    const rows = list(data.leaderboard);
    if (!rows.length) return root.append(empty('Neither record has a leaderboard.'));
    const cell = entry => entry && known(entry.score) ? [el('b', {}, score(entry.score)), ` ${interval(entry.ci95)}`] : tb.format.none;
    const of = (row, side) => (row[side] || {}).score;
    const columns = [
      { title: 'Data set', value: r => r.dataset, cell: r => name(r.dataset) }, { title: 'Generator', header: true, value: r => r.generator, cell: r => name(r.generator) },
      { title: 'Score in A', number: true, value: r => of(r, 'a'), cell: r => cell(r.a), attributes: r => tb.heat(of(r, 'a')) },
      { title: 'Score in B', number: true, value: r => of(r, 'b'), cell: r => cell(r.b), attributes: r => tb.heat(of(r, 'b')) },
      { title: 'B − A', number: true, value: r => of(r, 'b') - of(r, 'a'), cell: r => [score(of(r, 'b') - of(r, 'a')), el('small', {}, interval((overall(r) || {}).ci95))] },
      { title: 'B is', value: verdict, cell: r => colored(verdict(r)) },
    ];
    root.append(tb.table.table(columns, rows, { sortable: true, caption: 'Brackets: 95 % intervals, of a score over sessions and seeds, of the difference over seeds.' }),
      el('div', { class: 'under' }, tb.table.csvButton('scores', () => columns, () => rows)), el('p'));
    const both = changes.filter(c => c.metric !== 'score' && known(c.score_a) && known(c.score_b));
    if (both.length) root.append(scatter(both));
    return undefined;
  }

  function scatter(both) {
    return tb.chart.chart({
      title: 'Every score in A and in B', subtitle: `${plural(both.length, 'value')}; on the line nothing changed, above it B is farther from real.`,
      summary: `${count(both.filter(c => c.score_b > c.score_a).length)} of ${count(both.length)} scores are higher in B`, file: 'scores-a-b', height: width => Math.min(460, Math.max(300, width * 0.6)),
      columns: [{ title: 'Data set', value: c => c.dataset }, { title: 'Generator', header: true, value: c => c.generator }, { title: 'Metric', value: c => `${c.metric} ${c.group}` },
        { title: 'Score in A', number: true, value: c => c.score_a, cell: c => score(c.score_a) }, { title: 'Score in B', number: true, value: c => c.score_b, cell: c => score(c.score_b) }],
      rows: both,
      option: t => {
        const values = both.flatMap(c => [c.score_a, c.score_b]);
        const [low, high] = [Math.floor(Math.min(0, ...values) * 5) / 5, Math.ceil(Math.max(1, ...values) * 5) / 5];
        const axis = title => tb.chart.axis(t, { type: 'value', min: low, max: high, name: title, nameGap: 28 });
        return {
          grid: { left: 34, right: 24, top: 36, bottom: 30, containLabel: true }, legend: tb.chart.legend(t, { data: generators }),
          tooltip: { trigger: 'item', formatter: p => { const c = both[p.value[2]]; return tb.chart.tip(`${c.generator}: ${c.metric} ${c.group}`, [['A', score(c.score_a)], ['B', score(c.score_b)], ['B is', words[c.outcome] || c.outcome]]); } },
          xAxis: axis('score in A'), yAxis: axis('score in B'),
          series: [
            ...generators.map((g, i) => { const look = t.look(i); return { name: g, type: 'scatter', symbol: look.symbol, symbolSize: 8, itemStyle: { color: look.color, opacity: 0.65 }, data: both.map((c, k) => [c.score_a, c.score_b, k]).filter(d => both[d[2]].generator === g) }; }),
            { name: 'no change', type: 'line', silent: true, symbol: 'none', lineStyle: { color: t.strong, type: 'dashed', width: 1.2 }, data: [[low, low], [high, high]] },
          ],
        };
      },
    });
  }

  function changed(root) {
    const counts = data.counts || {};
    const decided = (counts.worse || 0) + (counts.better || 0);
    const tested = decided + (counts.unclear || 0);
    root.append(el('p', {}, el('span', { class: 'worse' }, `${count(counts.worse || 0)} worse`), ', ', el('span', { class: 'better' }, `${count(counts.better || 0)} better`),
      `, ${['unclear', 'same', 'not_comparable', 'only_a', 'only_b'].map(key => `${count(counts[key] || 0)} ${words[key]}`).join(', ')}.`));
    if (decided) root.append(callout('Many values at once:', `of ${count(tested)} values that differ, chance alone would call about ${count(tested * 0.05)} better or worse. Look for changes that several measures or fields share.`));
    const columns = [
      { title: 'B is', value: c => words[c.outcome] || c.outcome, cell: c => [colored(words[c.outcome] || c.outcome), c.reason ? el('small', {}, c.reason) : null] },
      { title: 'Data set', value: c => c.dataset, cell: c => name(c.dataset) }, { title: 'Generator', value: c => c.generator, cell: c => name(c.generator) },
      { title: 'Metric', header: true, value: c => `${c.metric} ${c.group}`, cell: c => [c.metric, el('small', {}, c.group)] },
      { title: 'A', number: true, value: c => c.a, cell: c => number(c.a) }, { title: 'B', number: true, value: c => c.b, cell: c => number(c.b) },
      { title: 'B − A', number: true, value: c => c.difference, cell: c => [number(c.difference), el('small', {}, interval(c.ci95, number))] },
      { title: 'Score A', number: true, value: c => c.score_a, cell: c => score(c.score_a), attributes: c => tb.heat(c.score_a) },
      { title: 'Score B', number: true, value: c => c.score_b, cell: c => score(c.score_b), attributes: c => tb.heat(c.score_b) },
    ];
    const exported = ['dataset', 'generator', 'metric', 'group', 'area', 'unit', 'direction', 'a', 'b', 'difference', 'score_a', 'score_b', 'paired', 'outcome', 'reason'].map(key => ({ title: key, value: c => c[key] }))
      .concat([{ title: 'ci95_low', value: c => list(c.ci95)[0] }, { title: 'ci95_high', value: c => list(c.ci95)[1] }]);
    const state = { outcome: decided ? 'decided' : 'all', generator: '' };
    const part = el('div');
    const matches = c => (state.outcome === 'all' || (state.outcome === 'decided' ? c.outcome === 'worse' || c.outcome === 'better' : c.outcome === state.outcome)) && (state.generator === '' || c.generator === state.generator);
    const draw = () => {
      const found = changes.filter(matches);
      fill(part, found.length ? tb.table.table(columns, found, { sortable: true, tall: true, limit, label: 'Changes', caption: found.length > limit ? `${count(limit)} of ${count(found.length)} rows; the CSV has all.` : plural(found.length, 'row') }) : empty('No value changed like this.'));
    };
    root.append(el('div', { class: 'controls' },
      select('Show', [['decided', 'Worse or better'], ['all', 'All values'], ...Object.entries(words).filter(([key]) => counts[key])], state.outcome, v => { state.outcome = v; draw(); }),
      generators.length > 1 ? select('Generator', [['', 'All'], ...generators.map(g => [g, g])], '', v => { state.generator = v; draw(); }) : null),
    part, el('div', { class: 'under' }, tb.table.csvButton('changes', () => exported, () => changes)));
    draw();
  }

  heading();
  tb.page.watchTheme(tb.chart.redrawAll);
  scores(document.querySelector('#scores .part'));
  changed(document.querySelector('#changes .part'));
  tb.page.watchPrint();
  tb.page.watchPosition();
})(window.tracebench = window.tracebench || {});
