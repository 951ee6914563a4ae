// Makes run records for the browser test: `node fixture.mjs KIND FILE`.
//   full    two datasets, three generators, every part of the report, failures and hostile names
//   again   a later run of the same: a better markov, other data in one set
//   many    one dataset and twelve generators
//   sparse  only what the schema requires, and a failed run
// Numbers are drawn from a fixed seed: the same file every time.
import { writeFileSync } from 'node:fs';

let state = 20240101;
const random = () => {  // mulberry32
  state = (state + 0x6d2b79f5) | 0;
  let t = Math.imul(state ^ (state >>> 15), 1 | state);
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
  return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
};
const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
const exponential = mean => -mean * Math.log(1 - random());
const round = (value, digits = 6) => Number(value.toPrecision(digits));
const mean = values => values.reduce((a, b) => a + b, 0) / values.length;
const range = n => Array.from({ length: n }, (_, i) => i);

const hostile = '</script><img src=x onerror="document.title=\'pwned\'">\u2028"\'&{a|b}';
const classes = ['bulk', 'dns', 'rtp', 'ssh', 'video', hostile];

const fields = [
  ['ip.ttl', 'IP time to live', 'categorical', 'packet', ''],
  ['ip.tos', 'IP type of service', 'categorical', 'packet', ''],
  ['ip.total_length', 'IP total length', 'continuous', 'packet', 'bytes'],
  ['ip.id', 'IP identification', 'continuous', 'packet', ''],
  ['ip.flags', 'IP fragment flags', 'categorical', 'packet', ''],
  ['ip.protocol', 'IP protocol', 'categorical', 'packet', ''],
  ['tcp.source_port', 'TCP source port', 'categorical', 'packet', ''],
  ['tcp.destination_port', 'TCP destination port', 'categorical', 'packet', ''],
  ['tcp.flags', 'TCP flags', 'categorical', 'packet', ''],
  ['tcp.window', 'TCP window', 'continuous', 'packet', 'bytes'],
  ['tcp.header_length', 'TCP header length', 'categorical', 'packet', 'bytes'],
  ['tcp.options', 'TCP options present', 'categorical', 'packet', ''],
  ['udp.length', 'UDP length', 'continuous', 'packet', 'bytes'],
  ['udp.destination_port', 'UDP destination port', 'categorical', 'packet', ''],
  ['icmp.type', 'ICMP type', 'categorical', 'packet', ''],
  ['packet.interarrival', 'Time since previous packet', 'continuous', 'packet', 's'],
  ['flow.packets', 'Packets', 'continuous', 'flow', 'packets'],
  ['flow.bytes', 'Bytes', 'continuous', 'flow', 'bytes'],
  ['flow.duration', 'Duration', 'continuous', 'flow', 's'],
  ['flow.interarrival_mean', 'Inter-arrival time, mean', 'continuous', 'flow', 's'],
  ['flow.interarrival_std', 'Inter-arrival time, standard deviation', 'continuous', 'flow', 's'],
  ['flow.size_mean', 'Packet size, mean', 'continuous', 'flow', 'bytes'],
  ['flow.size_std', 'Packet size, standard deviation', 'continuous', 'flow', 'bytes'],
  ['flow.direction_ratio', 'Share of packets from the opener', 'continuous', 'flow', ''],
  ['flow.syn', 'SYN packets', 'categorical', 'flow', ''],
  ['flow.fin', 'FIN packets', 'categorical', 'flow', ''],
  ['flow.rst', 'RST packets', 'categorical', 'flow', ''],
  ['session.flows', 'Flows', 'continuous', 'session', 'flows'],
  ['session.concurrent', 'Flows at the same time, maximum', 'continuous', 'session', 'flows'],
  ['session.duration', 'Duration', 'continuous', 'session', 's'],
  ['session.throughput', 'Throughput, mean', 'continuous', 'session', 'bit/s'],
  ['session.gap', 'Time between flow starts', 'continuous', 'session', 's'],
].map(([name, title, kind, scope, unit]) => ({ name, title, kind, scope, unit }));

// quality: 0 as real, 1 as bad as independent marginals, for each area
const quality = {
  resample: { packet: 0.02, flow: 0.04, session: 0.07, compliance: 0.0, utility: 0.03, privacy: 0.9 },
  markov: { packet: 0.18, flow: 0.62, session: 0.71, compliance: 0.05, utility: 0.35, privacy: 0.1 },
  marginal: { packet: 0.05, flow: 1.0, session: 1.02, compliance: 0.98, utility: 0.8, privacy: 0.02 },
};
const areas = ['packet', 'flow', 'session', 'compliance', 'utility', 'privacy'];

function metricRow(dataset, generator, metric, group, area, q, options = {}) {
  const floor = options.floor ?? round(0.004 + 0.03 * random());
  const ceiling = options.ceiling ?? round(floor + 0.08 + 0.5 * random());
  const centre = Math.max(-0.02, q + 0.18 * q * normal() + 0.01 * normal());
  const seeds = range(3).map(() => round(floor + (centre + 0.03 * normal()) * (ceiling - floor)));
  const value = round(mean(seeds));
  const half = 0.02 + 0.04 * random() * (ceiling - floor);
  return {
    dataset, generator, metric, group, area, value, direction: options.direction ?? 'lower',
    unit: options.unit ?? '', n: options.n ?? 1200, seeds, ci95: [round(value - half), round(value + half)],
    floor, ceiling, score: round((value - floor) / (ceiling - floor)), status: 'ok', reason: '', version: 1,
  };
}

const overallOf = q => mean(['packet', 'flow', 'session', 'compliance', 'utility'].map(area => q[area]));

function scoreRow(dataset, generator, group, area, q) {
  const seeds = range(3).map(() => round(q + 0.01 * normal()));
  const value = round(mean(seeds));
  return { dataset, generator, metric: 'score', group, area, value, direction: 'lower', unit: '1', n: 120, seeds, ci95: [round(value - 0.03), round(value + 0.03)], floor: 0, ceiling: 1, score: value, status: 'ok', reason: '', version: 1 };
}

function broken(row, status, reason) {
  return { ...row, value: null, seeds: [], ci95: null, floor: null, ceiling: null, score: null, status, reason, n: 0 };
}

const measuresOf = field => field.kind === 'categorical' ? ['jsd', 'tvd', 'hellinger']
  : ['jsd', 'tvd', 'hellinger', 'wasserstein', 'ks'];

function cdf(shift, log, spread = 1) {
  const x = range(120).map(i => log ? 10 ** (-4 + 6 * i / 119) : 1500 * i / 119);
  const place = value => log ? (Math.log10(value) - (-1 + shift)) / (0.8 * spread) : (value - 600 - 300 * shift) / (260 * spread);
  return { x: x.map(v => round(v, 4)), p: x.map(v => round(1 / (1 + Math.exp(-1.7 * place(v))), 4)) };
}

function shares(n, skew) {
  const weights = range(n).map(i => Math.exp(-skew * i) * (0.6 + 0.8 * random()));
  const sum = weights.reduce((a, b) => a + b, 0);
  return weights.map(w => round(w / sum, 4));
}

function distribution(field, generators) {
  if (field.kind === 'continuous') {
    const log = ['s', 'bit/s', 'packets'].includes(field.unit);
    return {
      kind: 'continuous', log, real: cdf(0, log),
      generators: Object.fromEntries(generators.map(([name, q]) => [name, cdf(q[field.scope] * 0.9, log, 1 + q[field.scope])])),
    };
  }
  const categories = field.name === 'ip.ttl' ? ['64', '63', '128', '57', '255', 'other']
    : field.name === 'tcp.flags' ? ['ACK', 'PSH ACK', 'SYN', 'SYN ACK', 'FIN ACK', 'RST', hostile, 'other'] : ['0', '1', '2', '443', '22', '53', 'other'];
  return {
    kind: 'categorical', categories, real: shares(categories.length, 0.9),
    generators: Object.fromEntries(generators.map(([name, q]) => [name, shares(categories.length, 0.9 - 0.7 * q[field.scope])])),
  };
}

/** One red pixel. */
const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
const pictures = { markov: [{ label: classes[0], png: pixel, rows: 64, packets: 300 }], marginal: [{ label: classes[0], png: '"><script>', rows: 64, packets: 300 }] };

const rules = [
  ['ip4.version', 'Version is 4', 'RFC 791, 3.1', 'packet'], ['ip4.header_length', 'Header length is 5 to 15 words', 'RFC 791, 3.1', 'packet'],
  ['ip4.total_length', 'Total length fits the header and the frame', 'RFC 791, 3.1', 'packet'],
  ['ip4.checksum', 'Header checksum is right', 'RFC 791, 3.1; RFC 1071', 'packet'], ['ip4.ttl', 'Time to live is above 0', 'RFC 1812, 5.3.1', 'packet'],
  ['ip4.source', 'Source address is not a multicast one', 'RFC 1122, 3.2.1.3', 'packet'], ['ip4.id_repeat', 'Identification does not repeat within a minute', 'RFC 6864, 4.3', 'flow'],
  ['tcp.data_offset', 'Data offset is 5 to 15 words', 'RFC 9293, 3.1', 'packet'], ['tcp.checksum', 'Checksum is right', 'RFC 9293, 3.1', 'packet'],
  ['tcp.flags', 'SYN is not combined with FIN or RST', 'RFC 9293, 3.10', 'packet'], ['tcp.options', 'Options are well formed', 'RFC 9293, 3.2', 'packet'],
  ['tcp.handshake', 'A connection begins with SYN, SYN ACK, ACK', 'RFC 9293, 3.5', 'flow'], ['tcp.sequence', 'Sequence numbers follow what was sent', 'RFC 9293, 3.4', 'flow'],
  ['tcp.acknowledgement', 'Nothing is acknowledged that was not sent', 'RFC 9293, 3.4', 'flow'], ['tcp.window', 'Data stays within the offered window', 'RFC 9293, 3.8', 'flow'],
  ['tcp.after_close', 'No data after FIN in the same direction', 'RFC 9293, 3.6', 'flow'], ['udp.length', 'Length is at least 8 and fits the datagram', 'RFC 768', 'packet'],
  ['udp.checksum', 'Checksum is right', 'RFC 768; RFC 1071', 'packet'], ['icmp.checksum', 'Checksum is right', 'RFC 792', 'packet'], ['ip6.hop_limit', 'Hop limit is above 0', 'RFC 8200, 3', 'packet'],
].map(([id, title, reference, scope]) => ({ id, title, reference, scope }));

function ruleCounts(q, rule) {
  const checked = rule.id.startsWith('ip6') ? 0 : rule.scope === 'flow' ? 310 : 14200;
  const failing = q > 0.9 ? (rule.scope === 'flow' || rule.id.includes('length') ? 0.6 + 0.3 * random() : 0.01)
    : rule.id === 'tcp.window' ? 0.01 + q : q > 0.03 && rule.scope === 'flow' ? 0.12 * random() : 0;
  const failed = Math.round(checked * failing);
  return {
    checked, failed, not_checkable: rule.id === 'tcp.checksum' ? 880 : 0,
    examples: range(Math.min(5, failed)).map(i => ({ sample: i === 0 ? `${hostile}.pcap` : `video-0${i}.pcap`, frame: 3 + 17 * i })),
  };
}

function session(label, sample, q) {
  const duration = 4 + 14 * random();
  const flows = range(label === 'dns' ? 3 : 4 + Math.floor(5 * random())).map(i => {
    const start = q > 0.9 ? duration * random() : i * duration / 12;
    const end = Math.min(duration, start + 0.4 + exponential(duration / 2));
    const points = range(30).map(() => start + (end - start) * (q > 0.5 ? random() : random() ** 2)).sort((a, b) => a - b)
      .map(t => [round(t, 5), (random() < 0.35 ? 1 : -1) * Math.round(60 + 1400 * random() ** 2)]);
    const forward = points.filter(p => p[1] > 0), reverse = points.filter(p => p[1] < 0);
    const bytes = list => list.reduce((sum, p) => sum + Math.abs(p[1]), 0);
    return {
      protocol: i % 3 === 2 ? 'UDP' : 'TCP', src: `10.0.0.2:${40000 + 7 * i}`, dst: i % 3 === 2 ? '10.0.1.53:53' : `[2001:db8::${i}]:443`,
      start: round(start, 5), end: round(end, 5), packets: [forward.length, reverse.length], bytes: [bytes(forward), bytes(reverse)], points,
    };
  });
  const step = duration / 60;
  const rate = base => range(60).map(i => Math.round(base * (0.4 + random()) * (1 + Math.sin(i / 4 + q * 3))));
  return {
    label, sample, file: `synthetic/markov/1/${sample}`, duration_s: round(duration, 5), packets: flows.length * 30,
    bytes: flows.reduce((sum, flow) => sum + flow.bytes[0] + flow.bytes[1], 0), flows,
    throughput: { step_s: round(step, 5), up: rate(40e3), down: rate(1.1e6) },
  };
}

const statistics = [
  ['flow.packets', 'Packets a flow', 'packets'], ['flow.bytes', 'Bytes a flow', 'bytes'], ['flow.duration', 'Flow duration', 's'],
  ['session.flows', 'Flows a session', 'flows'], ['session.duration', 'Session duration', 's'], ['session.throughput', 'Mean throughput', 'bit/s'],
].map(([name, title, unit]) => ({ name, title, unit }));

function statisticsOf(q) {
  const out = {};
  statistics.forEach((statistic, i) => {
    const centre = [42, 31000, 3.2, 5.5, 12.4, 2.4e6][i] * (1 + 0.4 * q * normal());
    out[statistic.name] = { mean: round(centre, 4), p5: round(centre * 0.1, 4), p50: round(centre * 0.7, 4), p95: round(centre * 3.1, 4) };
  });
  return out;
}

function evaluation(generator, features, model, protocol, ratio, level) {
  const accuracy = range(3).map(() => round(Math.max(0, Math.min(1, level + 0.015 * normal())), 4));
  const f1 = accuracy.map(a => round(a - 0.02 * random(), 4));
  const n = classes.length;
  const confusion = classes.map((_, i) => classes.map((_, j) => Math.round(i === j ? 60 * level : 60 * (1 - level) / (n - 1) + (j === (i + 1) % n ? 3 * random() : 0))));
  const band = values => [round(mean(values) - 0.03, 4), round(Math.min(1, mean(values) + 0.03), 4)];
  return {
    generator, features, model, protocol, ratio, seeds: [1, 2, 3], accuracy, macro_f1: f1, accuracy_ci95: band(accuracy), macro_f1_ci95: band(f1),
    n_train: 96, n_test: 60, labels: classes, recall: classes.map((_, i) => round(confusion[i][i] / confusion[i].reduce((a, b) => a + b), 4)), confusion,
  };
}

function classification(generators) {
  const out = [];
  for (const features of ['nprint', 'flow']) {
    for (const model of ['xgboost', 'forest']) {
      out.push(evaluation('real', features, model, 'TRTR', null, 0.94));
      for (const [name, q] of generators) {
        out.push(evaluation(name, features, model, 'TSTR', null, 0.93 - 0.6 * q.utility));
        out.push(evaluation(name, features, model, 'TRTS', null, 0.95 - 0.7 * q.utility));
        for (const ratio of [0, 0.25, 0.5, 0.75, 1]) out.push(evaluation(name, features, model, 'AUG', ratio, 0.94 - 0.12 * ratio * q.utility));
      }
    }
  }
  out.push(evaluation('real', 'identifiers', 'xgboost', 'TRTR', null, 0.98));
  return out;
}

function details(generators) {
  const byGenerator = make => Object.fromEntries(generators.map(([name, q]) => [name, make(q, name)]));
  return {
    fields,
    distributions: Object.fromEntries(fields.filter(f => f.name !== 'icmp.type').map(f => [f.name, distribution(f, generators)])),
    compliance: {
      rules, real: Object.fromEntries(rules.map(r => [r.id, ruleCounts(0, r)])),
      generators: byGenerator(q => Object.fromEntries(rules.map(r => [r.id, ruleCounts(q.compliance, r)]))),
    },
    observed: {
      behaviours: [{ id: 'tcp.retransmission', title: 'segments sent again', of: 'TCP segments', reference: 'RFC 9293 section 3.8.1' }],
      real: { 'tcp.retransmission': { count: 120, of: 40000 } },
      generators: byGenerator(q => ({ 'tcp.retransmission': { count: Math.round(120 * (1 - q.compliance)), of: 40000 } })),
    },
    consistency: {
      rules: [{ id: 'flags.data', title: 'who sends data acknowledges', source: `RFC 9293 ${hostile}`, observed: false }],
      real: { 'flags.data': { checked: 800, rate: 1, examples: [] } },
      generators: byGenerator(q => ({ 'flags.data': { checked: 790, rate: round(1 - 0.3 * q.compliance), examples: [] } })),
    },
    privacy: {
      thresholds: [{ area: 'copies', metric: 'privacy.copy_rate', group: '', medium: 0.05, high: 0.2 }],
      generators: byGenerator(q => privacyOf(q.privacy)),
    },
    summary: { statistics, real: statisticsOf(0), generators: byGenerator(q => statisticsOf(q.session)) },
    sessions: {
      real: classes.flatMap(label => range(2).map(i => session(label, `${label}-1${i}.pcap`, 0))),
      generators: byGenerator(q => classes.flatMap(label => range(2).map(i => session(label, `${label}-0${i}.pcap`, q.session)))),
    },
    classification: classification(generators),
  };
}

function privacyOf(q) {
  const level = q > 0.5 ? 'high' : q > 0.09 ? 'medium' : 'low';
  const verdict = (area, metric, group) => ({ area, level, metric, group, excess: round(q, 3) });
  return {
    verdicts: [verdict('copies', 'privacy.copy_rate', ''), verdict('membership', 'privacy.membership_auc', 'distance'), { area: 'model', level: 'unknown' }, verdict('identifiers', 'privacy.leaked_identifiers', 'dns_names')],
    excess: [{ metric: 'privacy.copy_rate', group: '', excess: round(q, 3), ci95: [round(q - 0.02, 3), round(q + 0.02, 3)] }],
    extraction: [10, 100, 1000].map(flows => ({ flows, exact: round(q * flows / 2000, 4), near: round(q * flows / 1000, 4) })),
    leaks: { dns_names: { secrets: 20, public: 3, recovered: Math.round(20 * q), examples: [`www.example.com ${hostile}`] }, macs: { secrets: 4, public: 0, recovered: 0, examples: [] } },
  };
}

/** Values of measures that look at whole vectors, and views that count in no score. */
function jointRows(dataset, name, q) {
  const view = row => ({ ...row, in_score: false });
  return [
    metricRow(dataset, name, 'joint.energy', 'flow', 'flow', q.flow), metricRow(dataset, name, 'joint.coverage', 'flow', 'flow', q.flow, { direction: 'higher', floor: 0.95, ceiling: 0.1 }),
    view(metricRow(dataset, name, 'joint.mmd', 'flow', 'flow', q.flow)), view(metricRow(dataset, name, 'c2st.auc', 'xgboost/flow', 'flow', q.flow, { floor: 0.5, ceiling: 1 })),
    view(broken(metricRow(dataset, name, 'c2st.p_value', 'xgboost/flow', 'flow', q.flow), 'skipped', `too few sessions ${hostile}`)),
    ...['Flow Duration', 'Fwd IAT Mean', 'Idle Min'].map(group => view(metricRow(dataset, name, 'cicflow.ks', group, 'flow', q.flow))),
  ];
}

function metricsOf(dataset, generators) {
  const out = [];
  for (const [name, q] of generators) {
    for (const field of fields) {
      for (const measure of measuresOf(field)) {
        const row = metricRow(dataset, name, measure, field.name, field.scope, q[field.scope], { unit: measure === 'wasserstein' ? field.unit : measure === 'jsd' ? 'bit' : '' });
        out.push(field.name === 'icmp.type' ? broken(row, 'skipped', 'no ICMP packets in the held-out sessions')
          : field.name === 'flow.rst' && name === 'markov' && measure === 'hellinger' ? broken(row, 'failed', `bootstrap failed: ${hostile}`) : row);
      }
    }
    for (const area of ['packet', 'flow', 'session', 'compliance', 'utility']) out.push(scoreRow(dataset, name, area, area, q[area]));
    out.push(scoreRow(dataset, name, 'overall', '', overallOf(q)));
    out.push(metricRow(dataset, name, 'compliance.pass_rate', '', 'compliance', q.compliance, { direction: 'higher', floor: 0.998, ceiling: 0.71 }));
    out.push(...jointRows(dataset, name, q));
    out.push({ ...metricRow(dataset, name, 'privacy.membership_auc', '', 'privacy', q.privacy, { floor: 0.5, ceiling: 0.9 }), ceiling: null, score: null });
  }
  return out;
}

function leaderboardOf(dataset, generators) {
  return generators.map(([generator, q]) => {
    const score = overallOf(q);
    const { privacy, ...areas } = q;  // reported, but no part of the score
    return { dataset, generator, score: round(score), ci95: [round(score - 0.03 - 0.02 * random()), round(score + 0.03 + 0.02 * random())], areas, n: 120, seeds: 3 };
  }).sort((a, b) => a.score - b.score);
}

/** Training of one seed: a loss at every point, validation at some. */
function training(seed) {
  const curve = range(160).map(i => {
    const loss = 5.6 * Math.exp(-i / 14) + 1.6;
    const validation = i % 12 === 11 ? round(loss + 0.1 * seed, 4) : null;
    return { tokens: 2048 * (i + 1), steps: i + 1, seconds: round((0.4 + 0.01 * seed) * (i + 1), 4), train_loss: round(loss + 0.08 * normal(), 4), validation_loss: validation, bits_per_packet: validation && round(14 * validation, 4) };
  });
  return {
    seed, tokens: 2048 * 160, packets: 21000, left_out: seed === 2 ? 40 : 0, tokens_per_packet: 11.5 + 0.1 * seed, seconds: round(160 * (0.4 + 0.01 * seed), 4), tokens_per_s: round(2048 / (0.4 + 0.01 * seed), 4), steps: 160, epochs: 1.5,
    best_validation: round(1.7 + 0.1 * seed, 4), stopped: 'epochs', curve,
  };
}

// What generators that are trained say: one of them all there is, one only the loss of each step.
const trained = {
  markov: dataset => ({
    describe: { what: `flows as chains ${hostile}`, parameters: 182110 },
    training: [training(1), training(2), dataset === 'apps' ? null : training(3)],
    sampling: range(3).map(i => dataset === 'apps' && i === 2 ? null : { seed: i + 1, tokens: 500000, illegal_first_choices: 15000 + 1000 * i, packets: 42000 }),
  }),
  marginal: () => ({
    describe: { what: 'fields drawn independently', fields: 47 },
    training: range(3).map(i => ({ seed: i + 1, steps: 60, curve: range(60).map(step => ({ steps: step + 1, train_loss: round(0.9 / (step + 1) + 0.1 + 0.01 * normal(), 4) })) })),
  }),
};
const own = (object, key) => Object.prototype.hasOwnProperty.call(object, key) ? object[key] : undefined;

function record(datasets, generators) {
  const manifest = {
    name: 'lab', datasets: datasets.map(name => ({ name, source: 'lab', unit: 'session', train_fraction: 0.6, seed: 1 })),
    generators: generators.map(([name]) => ({ name, kind: name, settings: name === 'markov' ? { order: 2 } : {} })),
    metrics: ['distance', 'compliance', 'flow', 'privacy'], classifiers: [{ features: ['nprint', 'flow'], models: ['xgboost', 'forest'], ratios: [0, 0.25, 0.5, 0.75, 1] }], seeds: [1, 2, 3],
  };
  return {
    schema_version: 1,
    tool: { name: 'tracebench', version: '0.1.0', git_commit: 'fb2e9c1d4a7786f0aa51cd2f8e9b7c6d5e4f3a2b', libraries: { XGBoost: '1.7.4', libpcap: '1.10.3', 'nlohmann-json': '3.11.2', OpenBLAS: '0.3.21' } },
    manifest: { path: 'datasets/lab.json', sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', content: manifest },
    datasets: datasets.map(name => ({
      name, sha256: '2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae', unit: 'session', labels: classes,
      samples: { train: Object.fromEntries(classes.map(c => [c, 12])), heldout: Object.fromEntries(classes.map(c => [c, 8])) },
      pictures: [{ label: classes[0], png: pixel, rows: 64, packets: 117 }],
      packets: 48213, flows: 1894, bytes: 31846122, warnings: name === 'apps' ? [`class '${hostile}' comes from one capture: a split by flow flatters every generator`, 'netflix.pcap is damaged at byte 81920; the 1,204 packets before it are used'] : [],
    })),
    machine: { cpu: 'Example CPU @ 2.60GHz', cores: 2, memory_gib: 23.4, os: 'Debian GNU/Linux 12 (bookworm)' },
    created: '2024-05-17T09:12:44Z',
    seeds: [1, 2, 3],
    generators: datasets.flatMap(dataset => generators.map(([name], i) => ({
      name, kind: name, dataset, settings: name === 'markov' ? { order: 2 } : {}, pictures: own(pictures, name) || [], ...(own(trained, name) || (() => ({ describe: null })))(dataset),
      fit_s: range(3).map(() => round(0.3 + i + random(), 3)), sample_s: range(3).map(() => round(1.1 + random(), 3)), packets: range(3).map(() => 40000 + Math.floor(4000 * random())),
    }))),
    tasks: datasets.flatMap(d => [{ id: `describe:${d}:real:0:summary`, kind: 'describe', key: 'a1b2c3d4', status: 'reused', seconds: 2.31, reused: true, error: null },
      ...generators.flatMap(([g], i) => [1, 2, 3].map(s => ({ id: `fit:${d}:${g}:${s}`, kind: 'fit', key: `f00d${i}${s}`, status: g === 'markov' && s === 3 && d === 'apps' ? 'failed' : 'done', seconds: round(1 + random(), 3), reused: false, error: g === 'markov' && s === 3 && d === 'apps' ? 'the time budget of 60 s was used up' : null })))]),
    metrics: datasets.flatMap(d => metricsOf(d, generators)),
    leaderboard: datasets.flatMap(d => leaderboardOf(d, generators)),
    details: Object.fromEntries(datasets.map(d => [d, details(generators)])),
  };
}

function again() {
  state = 7;
  const better = { ...quality, markov: { ...quality.markov, flow: 0.41, session: 0.5 } };
  const out = record(['lab', 'apps'], Object.entries(better));
  out.created = '2024-06-02T16:40:01Z';
  out.manifest.sha256 = '60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752';
  out.manifest.content.generators[1].settings.order = 3;
  out.datasets[1].sha256 = 'fcde2b2edba56bf408601fb721fe9b5c338d10ee429ea04fae5511b68fbf8fb9';
  return out;
}

const kinds = {
  again,
  full: () => record(['lab', 'apps'], [...Object.entries(quality)]),
  many: () => record(['lab'], range(12).map(i => {
    const q = i / 10;
    return [`model-${i + 1}${i === 4 ? hostile : ''}`, { packet: q * 0.5, flow: q, session: q, compliance: q * q, utility: q * 0.6, privacy: 1 - q }];
  })),
  sparse: () => ({
    schema_version: 1, metrics: [broken(metricRow('only', 'one', 'distance', '', '', 0.4), 'failed', 'seed 1: the generator wrote no packets')],
    leaderboard: [{ dataset: 'only', generator: 'one', score: null }], tasks: [{ id: 'fit:only:one:1', status: 'failed', error: 'no space left on device' }],
  }),
};

const [kind, file] = process.argv.slice(2);
if (!(kind in kinds) || !file) {
  console.error(`usage: node fixture.mjs ${Object.keys(kinds).join('|')} FILE`);
  process.exit(2);
}
writeFileSync(file, JSON.stringify(kinds[kind]()));
