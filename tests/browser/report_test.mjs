// Opens rendered reports in Debian's Chromium, from file paths, and checks what a reader relies on.
//   node report_test.mjs TRACEBENCH OUTPUT_FOLDER [RUN ...]
// Records come from fixture.mjs; further RUNs (folders or results.json) are rendered and looked at as well.
// Screenshots of every section are left in OUTPUT_FOLDER.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const { chromium } = createRequire(path.join(here, '../../ci/node/package.json'))('playwright-core');
const [tracebench, output, ...runs] = process.argv.slice(2);
const patient = 300000;  // ms: the machine may be busy building
const maxPage = 4 << 20;

mkdirSync(output, { recursive: true });

function render(name, record) {
  const page = path.join(output, `${name}.html`);
  execFileSync(tracebench, ['report', record, '-o', page], { stdio: 'inherit' });
  assert.ok(statSync(page).size < maxPage, `${page} is ${statSync(page).size} bytes`);
  return page;
}

function fixture(kind) {
  const record = path.join(output, `${kind}.json`);
  execFileSync(process.execPath, [path.join(here, 'fixture.mjs'), kind, record], { stdio: 'inherit' });
  return record;
}

/** A tab on `file` that remembers every console message, error and request. */
async function open(browser, file, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, colorScheme: 'light', ...options });
  context.setDefaultTimeout(patient);
  const page = await context.newPage();
  const seen = { messages: [], requests: [] };
  page.on('console', message => seen.messages.push(`${message.type()}: ${message.text()}`));
  page.on('pageerror', error => seen.messages.push(String(error.stack || error)));
  page.on('request', request => { if (!/^(file|data|blob):/.test(request.url()) || request.url() !== page.url() && request.url().startsWith('file:')) seen.requests.push(request.url()); });
  await page.goto(pathToFileURL(file).href, { timeout: patient });
  return { page, context, seen };
}

async function quiet({ page, context, seen }, name) {
  assert.deepEqual(seen.messages, [], `${name}: console`);
  assert.deepEqual(seen.requests.filter(url => url !== page.url()), [], `${name}: requests`);
  assert.equal(await page.evaluate(() => performance.getEntriesByType('resource').filter(e => !/^(data|blob):/.test(e.name)).length), 0, `${name}: resources`);
  assert.equal(await page.evaluate(() => document.title.includes('pwned') || document.querySelectorAll('img:not(.bits)').length > 0), false, `${name}: hostile text became markup`);
  await context.close();
}

/** Scrolls through the page as a reader does and waits until every chart in it is drawn. */
async function readThrough(page) {
  const step = 700;
  for (let y = 0; y < await page.evaluate(() => document.documentElement.scrollHeight); y += step) {
    await page.evaluate(top => window.scrollTo(0, top), y);
    await page.evaluate(() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done))));
  }
  await page.waitForFunction(() => [...document.querySelectorAll('.chart')].every(c => c.querySelectorAll('svg path').length > 2));
}

const sections = ['verdict', 'measures', 'fields', 'distributions', 'compliance', 'sessions', 'pictures', 'classifiers', 'privacy', 'generators', 'datasets', 'measurements', 'reproduce', 'methods'];

async function screenshots(page, name) {
  await page.evaluate(() => { document.querySelector('.bar').style.position = 'static'; window.scrollTo(0, 0); });
  await page.screenshot({ path: path.join(output, `${name}-top.png`) });
  for (const id of await page.$$eval('section', all => all.map(s => s.id))) await page.locator(`#${id}`).screenshot({ path: path.join(output, `${name}-${id}.png`) });
  await page.evaluate(() => { document.querySelector('.bar').style.position = ''; });
}

async function wholePage(page, name) {
  await page.evaluate(() => { document.querySelector('.bar').style.position = 'static'; });
  await page.screenshot({ path: path.join(output, `${name}.png`), fullPage: true });
  await page.evaluate(() => { document.querySelector('.bar').style.position = ''; });
}

const tests = {
  async 'every section is there, charts are drawn when seen'(browser, files) {
    const tab = await open(browser, files.full);
    const { page } = tab;
    assert.deepEqual(await page.$$eval('section', all => all.map(s => s.id)), sections);
    assert.deepEqual(await page.$$eval('.bar-links a', all => all.map(a => a.hash.slice(1))), sections);
    const drawnAtFirst = await page.$$eval('.chart[data-drawn]', all => all.length);
    const charts = await page.$$eval('.chart', all => all.length);
    assert.ok(charts >= 12, `${charts} charts`);
    assert.ok(drawnAtFirst < charts / 2, `${drawnAtFirst} of ${charts} charts were drawn before they were seen`);
    await readThrough(page);
    const cells = await page.$$eval('#fields td.heat', all => all.length);
    assert.ok(cells > 60, `${cells} cells in the heat map`);
    assert.ok(await page.locator('#alerts').getByText('tasks failed').isVisible());
    assert.ok(await page.locator('#classifiers').getByText('Shortcut in this data set').isVisible());
    await screenshots(page, 'light');
    await quiet(tab, 'full');
  },

  async 'areas lead to measures, and a measure to what it was measured on'(browser, files) {
    const tab = await open(browser, files.full);
    const { page } = tab;
    const section = page.locator('#measures');
    const lines = section.locator('tbody tr:not(.band)');
    const some = await lines.count();
    assert.ok(some >= 8, `${some} measures`);
    assert.equal(await section.getByText('CICFlowMeter features: KS').count(), 0);
    await section.locator('input[type=checkbox]').check();
    assert.ok(await lines.count() > some);
    await section.getByRole('button', { name: 'CICFlowMeter features: KS' }).click();
    assert.ok(await section.getByText('Fwd IAT Mean').isVisible());
    assert.ok(await section.locator('td.void', { hasText: 'skipped' }).count() >= 1);
    for (const [summary, text] of [['Behaviour that is no violation', 'Segments sent again'], ['Consistency of flow records', 'Who sends data acknowledges']]) {
      await page.locator('#compliance summary', { hasText: summary }).click();
      assert.ok(await page.locator('#compliance').getByText(text).isVisible(), text);
    }
    const privacy = page.locator('#privacy');
    assert.ok(await privacy.locator('td', { hasText: 'high' }).count() >= 2, 'copies are called high');
    assert.ok(await privacy.locator('td', { hasText: 'unknown' }).count() >= 1);
    assert.ok(await privacy.getByText('www.example.com').first().isVisible());
    await quiet(tab, 'measures');
  },

  async 'every chart has a title, what it rests on, a table and a CSV'(browser, files) {
    const tab = await open(browser, files.full, { acceptDownloads: true });
    const { page } = tab;
    const frames = await page.$$eval('figure.card', all => all.map(f => ({
      title: f.querySelector('h3').textContent, subtitle: f.querySelector('figcaption p').textContent,
      role: f.querySelector('.chart').getAttribute('role'), label: f.querySelector('.chart').getAttribute('aria-label'),
      csv: f.querySelectorAll('button').length, table: f.querySelectorAll('details.data').length,
    })));
    for (const frame of frames) {
      assert.ok(frame.title && frame.label.startsWith(frame.title), JSON.stringify(frame));
      assert.equal(frame.role, 'img');
      assert.equal(frame.csv, 1, frame.title);
      assert.equal(frame.table, 1, frame.title);
      if (!/^(Training|Real|markov)/.test(frame.title)) assert.match(frame.subtitle, /seed.*n = |n = .*seed/, frame.title);
    }
    const figure = page.locator('#distributions figure.card').first();
    await figure.locator('summary').click();
    await figure.locator('table tbody tr').nth(3).waitFor();  // it is filled once it is open, which is told later
    const shown = await figure.locator('table tbody tr').count();
    const [download] = await Promise.all([page.waitForEvent('download'), figure.locator('button').click()]);
    const csv = readFileSync(await download.path(), 'utf8').trimEnd().split('\r\n');
    assert.equal(csv.length, shown + 1);
    // Names may hold commas: those between quotes do not separate.
    const commas = csv[0].replace(/"(?:[^"]|"")*"/g, '').match(/,/g).length;
    assert.equal(commas + 1, await figure.locator('table thead th').count());
    await quiet(tab, 'tables');
  },

  async 'the keyboard reaches and works the controls'(browser, files) {
    const tab = await open(browser, files.full);
    const { page } = tab;
    const selects = { fields: 3, distributions: 1, compliance: 1, sessions: 3, classifiers: 4 };
    for (const [id, n] of Object.entries(selects)) assert.equal(await page.locator(`#${id} .controls select`).count(), n, id);
    const firstValue = () => page.locator('#fields td.number').first().textContent();
    const before = await firstValue();
    await page.locator('#fields select').nth(1).focus();
    await page.keyboard.press('ArrowDown');
    assert.notEqual(await firstValue(), before, 'the heat map shows raw values');
    assert.equal(await page.locator('#fields select').nth(1).inputValue(), 'value');

    await page.locator('#sessions select').first().focus();
    const title = () => page.locator('#sessions figure h3').first().textContent();
    const first = await title();
    await page.keyboard.press('ArrowDown');
    assert.notEqual(await title(), first);

    const sort = page.locator('#compliance th button.sort').nth(3);
    await sort.focus();
    await page.keyboard.press('Enter');
    assert.equal(await page.locator('#compliance th').nth(3).getAttribute('aria-sort'), 'descending');
    await page.locator('#compliance input[type=checkbox]').focus();
    const rows = await page.locator('#compliance tbody tr').count();
    await page.keyboard.press('Space');
    assert.ok(await page.locator('#compliance tbody tr').count() > rows);

    await page.locator('#fields tbody button.link').first().focus();
    await page.keyboard.press('Enter');
    assert.match(await page.locator('#distributions select').inputValue(), /^field:/);
    assert.equal(await page.locator('#distributions figure').count(), 1);

    await page.locator('#dataset-choice select').focus();
    await page.keyboard.press('ArrowDown');
    assert.match(await page.locator('#fields .caption').textContent(), /Data set apps/);
    // Tab alone walks from the top through the bar into the page, and what has focus shows it.
    await page.evaluate(() => { window.scrollTo(0, 0); document.activeElement.blur(); });
    const reached = new Set();
    for (let i = 0; i < 40; ++i) {
      await page.keyboard.press('Tab');
      reached.add(await page.evaluate(() => document.activeElement.closest('section, nav, header')?.id || document.activeElement.closest('nav')?.className || document.activeElement.className));
    }
    assert.ok(reached.has('bar') && reached.has('verdict') && reached.has('measures'), [...reached].join());
    await quiet(tab, 'keyboard');
  },

  async 'packets as images of bits, real beside synthetic'(browser, files) {
    const tab = await open(browser, files.full);
    const { page } = tab;
    const section = page.locator('#pictures');
    await section.scrollIntoViewIfNeeded();
    assert.deepEqual(await section.locator('figure h3').allTextContents(), ['real', 'markov', 'marginal']);
    assert.match(await section.locator('figure').nth(0).textContent(), /first 64 packets with a row, of 117/);
    assert.match(await section.locator('figure').nth(2).textContent(), /no such image/, 'what is no base64 is not shown');
    assert.equal(await section.locator('img').count(), 2);
    await page.waitForFunction(() => [...document.querySelectorAll('#pictures img')].every(i => i.complete && i.naturalWidth === 1));
    await section.locator('button.picture').first().click();
    assert.match(await page.locator('dialog.enlarge').textContent(), /real, /);
    await page.locator('dialog.enlarge button').click();
    assert.equal(await page.locator('dialog.enlarge').count(), 0);
    await quiet(tab, 'pictures');
  },

  async 'what generators cost and how training went'(browser, files) {
    const tab = await open(browser, files.full, { acceptDownloads: true });
    const { page } = tab;
    const section = page.locator('#generators');
    await section.scrollIntoViewIfNeeded();
    const row = section.locator('tbody tr').filter({ hasText: 'markov' }).first();
    assert.match(await section.locator('thead').first().textContent(), /Parameters.*Learning.*Packets a second.*Tokens a packet.*First choice illegal/);
    assert.match(await row.textContent(), /flows as chains <\/script>/);
    assert.match(await row.textContent(), /182 k.*11\.7.*11\.6 to 11\.8.*3\.2 %.*3 to 3\.4 %/, 'mean and range over seeds');
    const titles = await section.locator('figure h3').allTextContents();
    assert.deepEqual(titles, ['Training of markov on lab', 'Training of marginal on lab', 'Training of markov on apps', 'Training of marginal on apps']);
    const subtitle = i => section.locator('figcaption p').nth(i).textContent();
    assert.match(await subtitle(0), /3 seeds: 65\.6 to 68\.8 s, 328 k tokens, 160 steps, 1\.5 epochs.*Best validation loss 1\.8 to 2\. 40 packets could not be encoded/);
    assert.match(await subtitle(1), /^3 seeds: 60 steps\. Loss in training\.$/);
    assert.match(await subtitle(2), /2 seeds \(1 failed\)/);

    const chart = i => section.locator('.chart').nth(i);
    const drawn = async i => { await chart(i).scrollIntoViewIfNeeded(); await page.waitForFunction(n => document.querySelectorAll('#generators .chart')[n].querySelectorAll('svg path').length > 2, i); return chart(i).locator('svg').textContent(); };
    assert.match(await drawn(0), /seed 1.*seed 2.*seed 3/);
    assert.match(await drawn(0), /time/);
    assert.match(await drawn(1), /steps/, 'the axis there is, where the chosen one is not');
    await section.locator('select').first().focus();
    await page.keyboard.press('ArrowDown');
    assert.match(await drawn(0), /tokens/);
    await section.locator('select').nth(1).focus();
    await page.keyboard.press('ArrowDown');
    assert.match(await drawn(0), /bits a packet/);
    assert.match(await drawn(1), /loss/);
    await chart(0).hover({ position: { x: 300, y: 150 } });
    await section.locator('.tip').first().waitFor();
    assert.match(await section.locator('.tip').first().textContent(), /[0-9,]+ tokens.*seed 1, validation/);

    await section.locator('figure summary').first().click();
    const rows = section.locator('figure').first().locator('details.data tbody tr');
    await rows.first().waitFor();
    assert.equal(await rows.count(), 3 * 160);
    const [download] = await Promise.all([page.waitForEvent('download'), section.locator('button').getByText('CSV').first().click()]);
    const csv = readFileSync(await download.path(), 'utf8').trimEnd().split('\r\n');
    assert.equal(csv.length, 1 + 2 * 3 * 3, 'a line a data set, generator and seed');
    assert.match(csv[0], /^generator,dataset,kind,parameters,seed,fit_s,sample_s,packets,packets_per_s,tokens_per_packet,illegal_first_choices$/);
    assert.match(csv[5], /^markov,lab,markov,182110,2,.*,11\.7,0\.032$/);
    await quiet(tab, 'generators');

    const plain = await open(browser, files.many);
    assert.equal(await plain.page.locator('#generators figure').count(), 0, 'nothing was trained');
    assert.equal(await plain.page.locator('#generators tbody tr').count(), 12);
    assert.doesNotMatch(await plain.page.locator('#generators thead').textContent(), /illegal/);
    await quiet(plain, 'generators without training');
  },

  async 'a session of every generator beside a real one of its class'(browser, files) {
    const tab = await open(browser, files.full);
    const { page } = tab;
    const choice = i => page.locator('#sessions .controls select').nth(i);
    const titles = () => page.locator('#sessions figure h3').allTextContents();
    await choice(0).scrollIntoViewIfNeeded();
    const opening = await titles();
    assert.match(opening[1], /^markov: /, 'a trained generator first');
    const labels = await choice(0).locator('option').allTextContents();
    const generators = await choice(1).locator('option').allTextContents();
    assert.deepEqual(generators, ['resample', 'markov', 'marginal', 'every generator']);
    for (const label of labels) {
      await choice(0).selectOption(label);
      for (const generator of generators.slice(0, 3)) {
        await choice(1).selectOption({ label: generator });
        assert.deepEqual(await titles(), [`Real (held out): ${label}`, `${generator}: ${label}`]);
      }
    }
    await choice(1).focus();
    await page.keyboard.press('End');
    assert.deepEqual(await titles(), ['Real (held out)', 'resample', 'markov', 'marginal'].map(source => `${source}: ${labels[labels.length - 1]}`));
    await choice(2).selectOption('1');
    const charts = page.locator('#sessions .chart');
    assert.equal(await charts.count(), 4);
    for (let i = 0; i < 4; ++i) await charts.nth(i).scrollIntoViewIfNeeded();
    await page.waitForFunction(() => [...document.querySelectorAll('#sessions .chart')].every(c => c.querySelectorAll('svg path').length > 20));
    const ends = await charts.evaluateAll(all => all.map(c => [...c.querySelectorAll('svg text')].map(t => t.textContent).filter(t => / s$/.test(t)).pop()));
    assert.equal(new Set(ends).size, 1, `one time axis: ${ends}`);
    assert.match(await charts.nth(1).textContent(), /from the opener.*towards the opener/s);
    await quiet(tab, 'sessions');

    const many = await open(browser, files.many);
    await many.page.locator('#sessions .controls select').nth(1).selectOption('all');
    assert.equal(await many.page.locator('#sessions figure').count(), 13);
    await quiet(many, 'many sessions');
  },

  async 'light and dark'(browser, files) {
    const tab = await open(browser, files.full, { colorScheme: 'dark' });
    const { page } = tab;
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await paper();
    await readThrough(page);
    await wholePage(page, 'dark');
    const stroke = () => page.locator('#verdict svg text').first().getAttribute('fill');
    const inDark = await stroke();
    await page.locator('#theme').focus();
    await page.keyboard.press('Enter');
    assert.notEqual(await paper(), dark);
    assert.notEqual(await stroke(), inDark, 'charts follow the theme');
    assert.equal(await page.locator('#theme').getAttribute('aria-pressed'), 'false');
    await page.emulateMedia({ colorScheme: 'light' });
    await page.emulateMedia({ colorScheme: 'dark' });
    assert.notEqual(await paper(), dark, 'the button outweighs the system');
    await quiet(tab, 'dark');
  },

  async 'a narrow screen scrolls nothing but tables sideways'(browser, files) {
    const tab = await open(browser, files.full, { viewport: { width: 390, height: 844 } });
    const { page } = tab;
    await readThrough(page);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 390);
    assert.ok(await page.$$eval('.chart', all => all.every(c => c.getBoundingClientRect().right <= 390)));
    await wholePage(page, 'narrow');
    await page.setViewportSize({ width: 800, height: 844 });
    await page.waitForFunction(() => { const c = document.querySelector('#verdict .chart'); return Math.abs(c.querySelector('svg').clientWidth - c.clientWidth) < 2; });
    await quiet(tab, 'narrow');
  },

  async 'printing shows all charts and their tables, in light colours'(browser, files) {
    const tab = await open(browser, files.full, { colorScheme: 'dark' });
    const { page } = tab;
    await page.evaluate(() => window.addEventListener('beforeprint', () => {
      window.printed = {
        drawn: [...document.querySelectorAll('.chart')].filter(c => c.dataset.drawn).length,
        tables: [...document.querySelectorAll('figure details.data')].filter(d => d.open && d.querySelector('tbody tr')).length, theme: document.documentElement.dataset.theme,
      };
    }));
    await page.pdf({ path: path.join(output, 'report.pdf'), format: 'A4' });
    const charts = await page.locator('.chart').count();
    assert.deepEqual(await page.evaluate(() => window.printed), { drawn: charts, tables: charts, theme: 'light' });
    assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), 'dark', 'the screen is as before');
    await page.emulateMedia({ media: 'print' });
    assert.equal(await page.locator('.bar').isVisible(), false);
    await quiet(tab, 'print');
  },

  async 'a record with next to nothing, and one with many generators'(browser, files) {
    const sparse = await open(browser, files.sparse);
    assert.ok(await sparse.page.getByText('no space left on device').first().isVisible());
    for (const id of sections.slice(2, 6)) assert.equal(await sparse.page.locator(`#${id} .empty`).count(), 1, id);
    await wholePage(sparse.page, 'sparse');
    await quiet(sparse, 'sparse');

    const many = await open(browser, files.many);
    await readThrough(many.page);
    assert.equal(await many.page.locator('.verdicts li').count(), 12);
    await wholePage(many.page, 'many');
    await quiet(many, 'many');
  },

  async 'two runs compared'(browser, files) {
    const tab = await open(browser, files.comparison);
    const { page } = tab;
    await readThrough(page);
    assert.ok(await page.getByText('Not the same experiment.').isVisible());
    assert.ok(await page.locator('#changes tbody tr').count() > 0);
    assert.match(await page.locator('#alerts').textContent(), /apps has another content.*manifests differ, at .generators.1.settings.order/s);
    assert.equal(await page.locator('#scores td .better').count(), 1, 'markov on lab is better');
    await page.locator('#changes select').first().focus();
    await page.keyboard.press('ArrowDown');
    assert.match(await page.locator('#changes .caption').textContent(), /300 of/);
    await wholePage(page, 'comparison');
    await quiet(tab, 'comparison');
  },
};

const files = { full: render('full', fixture('full')), sparse: render('sparse', fixture('sparse')), many: render('many', fixture('many')) };
files.comparison = path.join(output, 'comparison.html');
execFileSync(tracebench, ['compare', path.join(output, 'full.json'), fixture('again'), '-o', files.comparison], { stdio: ['ignore', 'inherit', 'ignore'] });
runs.forEach((run, i) => {
  const file = render(`run-${i + 1}`, run);
  tests[`the report of ${run}`] = async browser => {
    const tab = await open(browser, file);
    await readThrough(tab.page);
    await screenshots(tab.page, `run-${i + 1}`);
    await quiet(tab, run);
  };
});

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium', timeout: patient,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--no-first-run'],
});
let failed = 0;
for (const [name, test] of Object.entries(tests)) {
  const start = Date.now();
  try {
    await test(browser, files);
    console.log(`ok    ${name} (${((Date.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    console.log(`FAIL  ${name}\n${error.stack || error}`);
  }
}
await browser.close();
console.log(failed ? `${failed} of ${Object.keys(tests).length} failed` : `all ${Object.keys(tests).length} passed; screenshots in ${output}`);
process.exit(failed ? 1 : 0);
