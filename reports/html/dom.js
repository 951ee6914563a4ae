// Elements from data. Names and labels come from captures and manifests and may be hostile: they only ever become
// text nodes or attribute values, never markup.
(tb => {
  'use strict';

  /** el('td', {class: 'number'}, 'text', childNode, ...); null and undefined children are left out. */
  function el(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) {
      if (value === null || value === undefined || value === false) continue;
      if (name === 'style') for (const [key, setting] of Object.entries(value)) element.style.setProperty(key, setting);
      else if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? '' : String(value));
    }
    append(element, children);
    return element;
  }

  function append(element, children) {
    for (const child of children.flat(Infinity)) {
      if (child === null || child === undefined || child === false) continue;
      element.append(child instanceof Node ? child : document.createTextNode(String(child)));
    }
    return element;
  }

  const fill = (element, ...children) => append((element.replaceChildren(), element), children);

  /** A labelled native select. options: [value, text] pairs, or {group, options}; changed(value) on a choice. */
  function select(label, options, value, changed) {
    const option = ([key, text]) => el('option', { value: key, selected: key === value }, text);
    const list = el('select', { onchange: () => changed(list.value) },
      options.map(item => Array.isArray(item) ? option(item) : el('optgroup', { label: item.group }, item.options.map(option))));
    return el('label', {}, el('span', {}, label), list);
  }

  function check(label, checked, changed) {
    const box = el('input', { type: 'checkbox', checked, onchange: () => changed(box.checked) });
    return el('label', { class: 'check' }, box, label);
  }

  const callout = (title, content, kind = '') => el('div', { class: `callout ${kind}` }, el('p', {}, el('strong', {}, title), ' ', content));
  const empty = text => el('p', { class: 'empty' }, text);
  const name = text => el('span', { class: 'name', title: text }, text);

  /** A generator's name with the colour of its place in the model's list; `real` (-1) is the held-out traffic. */
  const generator = (key, index) => el('span', { class: 'name', title: key },
    el('span', { class: index < 0 ? 'swatch real' : 'swatch', style: { '--swatch': index < 0 ? 'var(--real)' : `var(--series-${index % 8})` } }), key);

  /** {label: element} pairs as a definition list. */
  const facts = pairs => el('dl', { class: 'facts' },
    pairs.filter(([, value]) => value !== null && value !== undefined && value !== '').map(([key, value]) => [el('dt', {}, key), el('dd', {}, value)]));

  tb.dom = { el, fill, select, check, callout, empty, name, generator, facts };
})(window.tracebench = window.tracebench || {});
