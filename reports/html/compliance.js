// Protocol rules: how often real and synthetic traffic keep them, with frames to look at.
(tb => {
  'use strict';
  const { el, fill, select, check, empty, generator, name } = tb.dom;
  const { percent, count, known, plural } = tb.format;
  const { own, list } = tb.data;

  const rateOf = counts => counts && counts.checked > 0 ? 1 - counts.failed / counts.checked : NaN;
  const capital = text => text.charAt(0).toUpperCase() + text.slice(1);
  const shortfall = (counts, real) => {
    const rate = rateOf(counts);
    return known(rate) ? Math.max(0, (known(rateOf(real)) ? rateOf(real) : 1) - rate) : NaN;
  };

  function examples(rule, sources) {
    const found = sources.map(([source, counts]) => [source, list(own(counts, 'examples'))]).filter(([, frames]) => frames.length);
    if (!found.length) return null;
    return el('details', { 'data-screen-only': true }, el('summary', { class: 'quiet' }, 'Example frames'),
      el('ul', { class: 'examples' }, found.map(([source, frames]) => el('li', {}, `${source}: `,
        frames.slice(0, 8).map((f, i) => [i ? ', ' : '', el('code', {}, f.sample || '?'), ` frame ${count(f.frame)}`])))));
  }

  function cell(counts) {
    if (!counts || counts.checked === 0) return [tb.format.none, el('small', {}, counts && counts.not_checkable ? `${count(counts.not_checkable)} not checkable` : 'not met')];
    return [percent(rateOf(counts)), el('small', {}, `${count(counts.failed)} of ${count(counts.checked)} fail`)];
  }

  tb.sections.push({
    id: 'compliance',
    render(root, model, dataset) {
      const compliance = model.details(dataset).compliance || {};
      const rules = list(compliance.rules);
      if (!rules.length) return root.append(empty('This run checked no protocol rules.'));
      const generators = model.present(compliance.generators);
      const of = (rule, source) => source === 'real' ? own(compliance.real, rule.id) : own(own(compliance.generators, source), rule.id);
      const sources = rule => [['real', of(rule, 'real')], ...generators.map(g => [g, of(rule, g)])];
      const worst = rule => Math.max(0, ...generators.map(g => shortfall(of(rule, g), of(rule, 'real'))).filter(known));
      const failing = rule => generators.some(g => { const c = of(rule, g); return c && c.failed > 0; });
      const state = { only: rules.some(failing), scope: 'all' };
      const part = el('div');

      const rate = (source, title, head) => ({
        title, number: true, head, value: rule => rateOf(of(rule, source)), cell: rule => cell(of(rule, source)),
        attributes: rule => {
          if (source === 'real') return { class: 'number' };
          const lost = shortfall(of(rule, source), of(rule, 'real'));
          // The square root keeps a fraction of a percent visible: one bad checksum in a hundred matters.
          return known(lost) && lost > 0 ? { class: 'number heat', style: { '--level': Math.min(1, 0.06 + Math.sqrt(lost)).toFixed(3) } } : { class: 'number' };
        },
      });
      const columns = [
        { title: 'Rule', header: true, value: rule => rule.id, cell: rule => [name(capital(rule.title || rule.id)), el('small', {}, [rule.id, rule.reference, rule.scope && `a ${rule.scope}`].filter(Boolean).join(' · ')), examples(rule, sources(rule))] },
          rate('real', 'real', () => generator('real', -1)),
        ...generators.map(g => rate(g, g, () => generator(g, model.generators.indexOf(g)))),
        { title: 'Worst shortfall', number: true, value: rule => worst(rule), cell: rule => worst(rule) > 0 ? percent(worst(rule)) : '0' },
      ];
      const exported = [
        { title: 'rule', value: rule => rule.id }, { title: 'reference', value: rule => rule.reference }, { title: 'scope', value: rule => rule.scope },
        ...['real', ...generators].flatMap(s => ['checked', 'failed', 'not_checkable'].map(key => ({ title: `${s} ${key}`, value: rule => (of(rule, s) || {})[key] }))),
      ];

      function draw() {
        const shown = rules.filter(rule => (!state.only || failing(rule)) && (state.scope === 'all' || rule.scope === state.scope));
        const ordered = [...shown].sort((a, b) => worst(b) - worst(a));
        fill(part,
          shown.length ? tb.table.table(columns, ordered, { sortable: true, tall: true, label: 'Protocol rules', caption: `${model.subtitle(dataset)}Pass rate of ${plural(shown.length, 'rule')} of ${count(rules.length)}; the first seed of each generator. Colour: how far below real traffic.` })
            : empty('No rule matches this choice.'),
          el('div', { class: 'under' }, tb.table.csvButton(`compliance-${dataset}`, () => exported, () => rules)));
      }
      const kept = rules.filter(rule => !failing(rule)).length;
      root.append(
        el('p', {}, `${plural(kept, 'rule')} of ${count(rules.length)} ${kept === 1 ? 'is' : 'are'} never broken by any generator; ${count(rules.filter(r => worst(r) > 0.001).length)} ${rules.filter(r => worst(r) > 0.001).length === 1 ? 'is' : 'are'} broken more often than in real traffic.`),
        el('div', { class: 'controls' },
          select('Checked on', [['all', 'Everything'], ['packet', 'Packets'], ['flow', 'Flows'], ['session', 'Sessions']], state.scope, v => { state.scope = v; draw(); }),
          check('Only rules that synthetic traffic breaks', state.only, v => { state.only = v; draw(); })),
        part, ...tb.behaviour(model, dataset));
      draw();
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
