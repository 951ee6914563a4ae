// Packets as NetDiffusion's images: a line a packet, a pixel a header bit, real beside synthetic.
(tb => {
  'use strict';
  const { el, fill, select, empty, generator } = tb.dom;
  const { count, plural } = tb.format;
  const { list, unique } = tb.data;

  const base64 = /^[A-Za-z0-9+/]+={0,2}$/;
  const width = 1088;
  /** Where each header's columns begin. */
  const headers = [['IPv4', 0], ['TCP', 480], ['UDP', 960], ['ICMP', 1024]];

  /** Pixels by any number of screen pixels, in a window of its own. */
  function enlarge(source, title) {
    const close = () => { dialog.close(); dialog.remove(); };
    const image = el('img', { src: source, alt: title, class: 'bits enlarged' });
    const dialog = el('dialog', { class: 'enlarge', 'aria-label': title, onclick: event => { if (event.target === dialog) close(); }, onclose: () => dialog.remove() },
      el('div', { class: 'under' }, el('strong', {}, title), el('button', { type: 'button', onclick: close }, 'Close')),
      el('div', { class: 'scroll' }, image));
    document.body.append(dialog);
    dialog.showModal();
  }

  /** An image of bits that is decoded when it comes into view; null where it is none. */
  function bits(png, rows, title) {
    if (typeof png !== 'string' || !base64.test(png)) return null;
    const source = `data:image/png;base64,${png}`;
    return el('button', { type: 'button', class: 'picture', title: 'Enlarge', onclick: () => enlarge(source, title) },
      el('img', { src: source, alt: title, class: 'bits', loading: 'lazy', decoding: 'async', width, height: Math.max(1, Number(rows) || 1) }));
  }

  const legend = () => el('p', { class: 'legend bit-legend' },
    [['one', '1'], ['zero', '0'], ['absent', 'absent: a header or option that the packet does not have']].map(([kind, text]) => el('span', {}, el('span', { class: `bit ${kind}` }), text)));
  const ruler = () => el('div', { class: 'ruler', 'aria-hidden': 'true' }, headers.map(([name, first], i) =>
    el('span', { style: { left: `${100 * first / width}%`, width: `${100 * ((headers[i + 1] || [0, width])[1] - first) / width}%` } }, name)));

  tb.pictures = { bits, legend, ruler };

  tb.sections.push({
    id: 'pictures',
    render(root, model, dataset) {
      const real = list((list(model.record.datasets).find(d => d.name === dataset) || {}).pictures);
      const sides = [{ name: 'real', index: -1, pictures: real },
        ...model.generators.map((name, index) => ({ name, index, pictures: list((list(model.record.generators).find(g => g.name === name && (g.dataset === dataset || !g.dataset)) || {}).pictures) }))]
        .filter(side => side.pictures.length);
      const labels = unique(sides.flatMap(side => side.pictures.map(p => p.label))).sort();
      if (!labels.length) return root.append(empty('The record holds no images of packets.'));
      const shown = el('div', { class: 'grid' });
      const draw = label => fill(shown, sides.map(side => {
        const picture = side.pictures.find(p => p.label === label);
        const title = `${side.name}, ${label}`;
        const image = picture ? bits(picture.png, picture.rows, title) : null;
        return el('figure', {}, el('figcaption', {}, el('h3', {}, generator(side.name, side.index)),
          el('p', {}, image ? `first ${plural(picture.rows, 'packet')} with a row, of ${count(picture.packets)}` : 'no such image')),
        image ? [ruler(), image] : null);
      }));
      root.append(el('div', { class: 'controls' }, labels.length > 1 ? select('Class', labels.map(l => [l, l]), labels[0], draw) : null), legend(), shown);
      draw(labels[0]);
      return undefined;
    },
  });
})(window.tracebench = window.tracebench || {});
