// Draws the report: each section by itself, so that one that fails does not take the others along.
(tb => {
  'use strict';
  const { select, callout } = tb.dom;
  const { listed, plural } = tb.format;

  const model = tb.data.build(tb.page.readData());
  let dataset = model.datasets[0];

  function draw(section) {
    const root = tb.chart.clear(document.querySelector(`#${section.id} .part`));
    try {
      section.render(root, model, dataset);
    } catch (error) {
      root.append(callout('This part could not be drawn.', String(error), 'alert'));
      console.error(section.id, error);
    }
  }

  function heading() {
    const { manifest = {}, tool = {}, created } = model.record;
    const names = model.datasets.length ? listed(model.datasets.slice(0, 4)) : '';
    document.getElementById('run-title').textContent = model.generators.length
      ? `How real is the traffic of ${model.generators.length <= 4 ? listed(model.generators) : plural(model.generators.length, 'generator')}?` : 'Traffic fidelity report';
    document.getElementById('run-facts').textContent = [names ? `Data: ${names}` : '', model.seeds ? plural(model.seeds, 'seed') : '', manifest.path, created ? created.replace('T', ' ').replace('Z', ' UTC') : ''].filter(Boolean).join('  ·  ');
    document.getElementById('foot').textContent = `Made by ${tool.name || 'tracebench'} ${tool.version || ''} from results.json, schema ${model.record.schema_version}. One file, no request to anywhere. Charts: Apache ECharts.`;
  }

  heading();
  tb.page.watchTheme(tb.chart.redrawAll);
  if (model.datasets.length > 1) {
    document.getElementById('dataset-choice').append(select('Data set', model.datasets.map(d => [d, d]), dataset, value => {
      dataset = value;
      tb.sections.filter(section => !section.allDatasets).forEach(draw);
    }));
  }
  document.getElementById('alerts').replaceChildren();
  tb.sections.forEach(draw);
  tb.page.watchPrint();
  tb.page.watchPosition();
})(window.tracebench = window.tracebench || {});
