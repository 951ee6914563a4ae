// Enough to run this again, and to see whether it was the same thing that ran.
(tb => {
  'use strict';
  const { el, facts, empty } = tb.dom;
  const { seconds, count, plural, known } = tb.format;
  const { own, list } = tb.data;

  /** A path as a shell argument. */
  const quoted = text => /^[A-Za-z0-9_./:=@%+-]+$/.test(text) ? text : `'${text.replace(/'/g, "'\\''")}'`;

  function tasks(model) {
    const all = list(model.record.tasks);
    if (!all.length) return null;
    const columns = [
      { title: 'Task', header: true, value: t => t.id, cell: t => el('code', {}, t.id) }, { title: 'Kind', value: t => t.kind },
      { title: 'Status', value: t => t.status, cell: t => t.status === 'failed' ? el('span', { class: 'worse' }, 'failed') : t.status },
      { title: 'Time', number: true, value: t => t.seconds, cell: t => seconds(t.seconds) }, { title: 'From the store', value: t => t.reused ? 'yes' : '' },
      { title: 'Key', value: t => t.key, cell: t => el('code', {}, String(t.key || '').slice(0, 12)) }, { title: 'Error', value: t => t.error || '' },
    ];
    const total = all.map(t => t.seconds).filter(known).reduce((a, b) => a + b, 0);
    return el('details', { class: 'block', 'data-screen-only': true }, el('summary', {}, `${plural(all.length, 'task')}, ${seconds(total)} of work, ${count(all.filter(t => t.reused).length)} from the store`),
      tb.table.table(columns, all, { sortable: true, tall: true, label: 'Tasks' }), el('div', { class: 'under' }, tb.table.csvButton('tasks', () => columns, () => all)));
  }

  tb.sections.push({
    id: 'reproduce', allDatasets: true,
    render(root, model) {
      const { tool = {}, manifest = {}, machine = {}, created } = model.record;
      const path = manifest.path || 'MANIFEST';
      const commit = tool.git_commit ? [`git checkout ${quoted(tool.git_commit)}`] : [];
      root.append(el('pre', { tabindex: '0' }, [...commit, `tracebench run ${quoted(path)} -o again`, 'tracebench compare results.json again/results.json -o compare.html'].join('\n')));
      root.append(el('p', {}, 'The same manifest, seeds and data give the same values; times differ. The manifest as it was run:'));
      const libraries = Object.entries(tool.libraries || {}).map(([key, version]) => version ? `${key} ${version}` : key).join(', ');
      if (manifest.content) root.append(el('details', { class: 'block' }, el('summary', {}, `Manifest ${manifest.path || ''}`), el('pre', { tabindex: '0' }, JSON.stringify(manifest.content, null, 2))));
      else root.append(empty('The record carries no manifest.'));
      root.append(facts([
        ['Manifest SHA-256', manifest.sha256 ? el('code', {}, manifest.sha256) : null],
        ...list(model.record.datasets).map(d => [`Data set ${d.name}`, d.sha256 ? el('code', {}, d.sha256) : null]),
        ['Tool', [tool.name, tool.version].filter(Boolean).join(' ')], ['Commit', tool.git_commit ? el('code', {}, tool.git_commit) : null], ['Libraries', libraries],
        ['Machine', [machine.cpu, known(own(machine, 'cores')) ? plural(machine.cores, 'core') : null, known(own(machine, 'memory_gib')) ? `${Math.round(machine.memory_gib)} GiB` : null, machine.os].filter(Boolean).join(', ')], ['Run', created],
      ]));
      const table = tasks(model);
      if (table) root.append(table);
    },
  });
})(window.tracebench = window.tracebench || {});
