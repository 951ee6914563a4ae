// What every page does: theme, print, position in the bar. draw(data) fills it.
(tb => {
  'use strict';

  function setTheme(name) {
    document.documentElement.dataset.theme = name;
    const button = document.getElementById('theme');
    button.textContent = name === 'dark' ? 'Light' : 'Dark';
    button.title = name === 'dark' ? 'Use light colours' : 'Use dark colours';
    button.setAttribute('aria-pressed', String(name === 'dark'));
  }

  function watchTheme(changed) {
    const wish = window.matchMedia('(prefers-color-scheme: dark)');
    let chosen = false;
    setTheme(wish.matches ? 'dark' : 'light');
    wish.addEventListener('change', () => { if (!chosen) { setTheme(wish.matches ? 'dark' : 'light'); changed(); } });
    document.getElementById('theme').addEventListener('click', () => {
      chosen = true;
      setTheme(document.documentElement.dataset.theme === 'dark' ? 'light' : 'dark');
      changed();
    });
  }

  function watchPrint() {
    window.addEventListener('beforeprint', tb.chart.beforePrint);
    window.addEventListener('afterprint', tb.chart.afterPrint);
  }

  /** Marks the link of the last section whose start is above the middle of the window. */
  function watchPosition() {
    const links = [...document.querySelectorAll('.bar-links a')];
    const sections = links.map(link => document.getElementById(link.hash.slice(1)));
    let queued = false;
    const mark = () => {
      queued = false;
      let current = 0;
      sections.forEach((section, i) => { if (section && section.getBoundingClientRect().top < window.innerHeight * 0.4) current = i; });
      links.forEach((link, i) => {
        if (i !== current) return link.removeAttribute('aria-current');
        if (!link.hasAttribute('aria-current')) {
          link.setAttribute('aria-current', 'true');
          const strip = link.parentElement;
          strip.scrollTo({ left: link.offsetLeft - strip.offsetLeft - strip.clientWidth / 3 });
        }
        return undefined;
      });
    };
    const queue = () => { if (!queued) { queued = true; requestAnimationFrame(mark); } };
    window.addEventListener('scroll', queue, { passive: true });
    window.addEventListener('resize', queue);
    mark();
  }

  const readData = () => JSON.parse(document.getElementById('data').textContent);

  tb.page = { watchTheme, watchPrint, watchPosition, readData };
})(window.tracebench = window.tracebench || {});
