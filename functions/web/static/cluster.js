// The cluster page: what the stream of events tells goes into the model, and from there into the
// document. Nothing is animated that has not happened.
import {$, clock, draw, make, say} from "./dom.js";
import {Problem, events, request, sleep} from "./api.js";
import {Charts} from "./charts.js";
import {Operator} from "./operator.js";
import {Failover} from "./failover.js";
import {Rates} from "./rates.js";
import {wires} from "./wires.js";
import * as load from "./load.js";

const silence = 5000; // ms without a word from the server, which sends two a second
const mourning = 8000; // ms that a worker which is gone is still drawn
const operator = new Operator();
const rates = new Rates();
const failover = new Failover();
const link = wires($("topology"));
const charts = new Charts($("charts"), [
  {key: "writes", title: "Writes a second"}, {key: "reads", title: "Reads a second"},
  {key: "writing", title: "Writes waiting"}, {key: "reading", title: "Reads waiting"},
  {key: "lag", title: "Largest lag, entries"},
]);

let topology = null; // the last one
let outage = null; // why there is no newer one: {part, detail}
let streaming = false;
const gone = new Map(); // workers that are drawn though they are gone: id -> {worker, until}
const cards = new Map(); // id -> card

// What was seen.

const seen = text => {
  const t = new Date();
  $("seen").prepend(make("li", {}, make("time", {datetime: t.toISOString()}, clock(t)), make("span", {}, text)));
  while ($("seen").children.length > 100) $("seen").lastChild.remove();
};

const compare = (before, after) => {
  const ids = new Map(after.workers.map(w => [w.id, w])), old = new Map(before.workers.map(w => [w.id, w]));
  for (const w of before.workers) if (!ids.has(w.id)) {
    gone.set(w.id, {worker: w, until: Date.now() + mourning});
    seen(`${w.id}, ${w.role}, is gone`);
  }
  for (const w of after.workers) {
    const was = old.get(w.id);
    if (!was) seen(`${w.id} has come, ${w.state}`);
    else if (was.state !== w.state) seen(`${w.id} is ${w.state}`);
  }
  if (after.elected && after.elected !== before.elected) seen(`${after.elected} is elected`);
  if (after.master !== before.master) seen(after.master ? `${after.master} is master of epoch ${after.epoch}` : "there is no master");
  if (after.desired.slaves !== before.desired.slaves) seen(`${after.desired.slaves} slaves are wanted`);
  const known = new Set(before.recoveries.map(r => r.at + r.what));
  for (const r of after.recoveries.filter(r => !known.has(r.at + r.what)).reverse()) seen(`${r.what}: ${r.duration_ms} ms after ${r.why}`);
};

// The document.

const node = (id, text, down = false) => {
  const e = $(id);
  e.classList.toggle("down", down);
  say(e.querySelector("p"), text);
};

const summary = t => {
  if (outage) return [`As of ${clock(topology?.seen ?? Date.now())}: ${outage.detail}`, true];
  const slaves = t.workers.filter(w => w.role === "slave" && w.state === "serving").length;
  const of = `${slaves} of ${t.desired.slaves} slaves serve`;
  if (!t.master) return [t.elected ? `No master yet: ${t.elected} is elected, ${of}` : `No master, ${of}; writes wait`, true];
  return [`${t.master} is master of epoch ${t.epoch}, ${of}${t.desired.auto ? ", scaled automatically" : ""}`, false];
};

const newCard = () => {
  const cell = (name, title) => make("div", {class: name}, make("dt", {}, title), make("dd", {}, "–"));
  return make("li", {class: "worker"},
    make("header", {}, make("h3"), make("span", {class: "badge"}), make("span", {class: "state"})),
    make("dl", {}, cell("position", "position"), cell("lag", "lag"), cell("w", "writes/s"), cell("r", "reads/s")),
    make("div", {class: "database"},
      draw("svg", {viewBox: "0 0 24 28", "aria-hidden": "true"}, draw("path", {d: "M2 6v16c0 2.8 4.5 5 10 5s10-2.2 10-5V6"}), draw("ellipse", {cx: 12, cy: 6, rx: 10, ry: 5})),
      make("span")));
};

const dress = (card, w, dead, master) => {
  const set = (selector, text) => { const e = card.querySelector(selector); if (e.textContent !== text) e.textContent = text; };
  card.id = `worker-${w.id}`;
  card.classList.toggle("master", !dead && w.role === "master");
  card.classList.toggle("gone", dead);
  set("h3", w.id);
  set(".badge", !dead && topology.elected === w.id ? "elected" : w.role);
  set(".state", dead ? "gone" : `${w.state}, pid ${w.pid}`);
  card.querySelector(".state").classList.toggle("busy", !dead && w.state !== "serving");
  set(".position dd", w.position);
  set(".lag dd", dead ? "–" : String(w.lag));
  set(".w dd", dead ? "–" : rates.of(w.id, "writes"));
  set(".r dd", dead ? "–" : rates.of(w.id, "reads"));
  card.querySelector(".database").classList.toggle("down", dead || w.database !== "ok");
  set(".database span", dead ? "database" : w.database === "ok" ? "database ok" : w.database);
  if (master && !card.classList.contains("was-master")) card.classList.add("fresh");
  card.classList.toggle("was-master", master);
};

const drawWorkers = () => {
  const now = Date.now();
  for (const [id, g] of gone) if (g.until < now || topology.workers.some(w => w.id === id)) gone.delete(id);
  const list = [...topology.workers.map(w => ({w, dead: false})), ...[...gone.values()].map(g => ({w: g.worker, dead: true}))]
    .sort((a, b) => (b.w.role === "master") - (a.w.role === "master") || a.w.id.localeCompare(b.w.id, undefined, {numeric: true}));
  const wanted = list.map(({w, dead}) => {
    if (!cards.has(w.id)) cards.set(w.id, newCard());
    const card = cards.get(w.id);
    dress(card, w, dead, !dead && w.role === "master");
    return card;
  });
  for (const [id, card] of cards) if (!wanted.includes(card)) { card.remove(); cards.delete(id); }
  wanted.forEach((card, i) => { if ($("workers").children[i] !== card) $("workers").insertBefore(card, $("workers").children[i] ?? null); });
};

const drawWires = () => {
  const writing = rates.total("writes") > 0, reading = rates.total("reads") > 0;
  const kind = (busy, other = "") => busy ? "busy" : other;
  const links = [["gateway", "users"], ["gateway", "rides"], ["users", "orchestrator"], ["rides", "orchestrator"]]
    .map(([a, b]) => ({from: $(a), to: $(b), kind: kind(writing || reading)}));
  links.push({from: $("orchestrator"), to: $("writes"), kind: kind(writing)}, {from: $("orchestrator"), to: $("reads"), kind: kind(reading)},
    {from: $("orchestrator"), to: $("control"), kind: ""}, {from: $("control"), to: $("watcher"), kind: ""}, {from: $("watcher"), to: $("registry"), kind: "watch"});
  for (const w of topology.workers) {
    const card = cards.get(w.id);
    if (w.role === "master") links.push({from: $("writes"), to: card, kind: kind(writing)});
    else if (w.state === "serving") links.push({from: $("reads"), to: card, kind: kind(rates.of(w.id, "reads") > 0)});
    links.push({from: $("log"), to: card, kind: "log"});
  }
  link(links);
};

const drawQueues = queues => {
  for (const q of queues ?? []) {
    node(q.name, `${q.waiting} waiting, ${q.consumers} ${q.consumers === 1 ? "consumer" : "consumers"}`, q.consumers === 0);
    $(q.name).classList.toggle("full", q.waiting > 0);
  }
};

const drawRecoveries = () => {
  if (topology.recoveries.length === 0) return;
  $("recoveries").replaceChildren(...topology.recoveries.slice(0, 8).map(r => make("tr", {},
    make("td", {}, make("time", {datetime: r.at}, clock(r.at))), make("td", {}, r.why), make("td", {}, r.what),
    make("td", {class: "number"}, `${r.duration_ms} ms`))));
};

const drawChoices = () => {
  const ids = topology.workers.filter(w => w.role === "slave" && w.state === "serving").map(w => w.id);
  const now = [...$("to").options].slice(1).map(o => o.value);
  if (ids.join() === now.join()) return;
  const chosen = $("to").value;
  $("to").replaceChildren($("to").options[0], ...ids.map(id => make("option", {value: id}, id)));
  $("to").value = ids.includes(chosen) ? chosen : "";
};

const drawAll = () => {
  const [text, bad] = summary(topology);
  say($("summary"), text);
  $("summary").classList.toggle("bad", bad);
  node("watcher", outage?.part === "watcher" ? "does not answer" : topology.watcher ? `${topology.watcher} leads` : "leads", outage?.part === "watcher");
  node("registry", outage?.part === "registry" ? "does not answer" : `${topology.workers.length} workers registered`, outage?.part === "registry");
  drawQueues(outage ? outage.queues : topology.queues);
  if (outage?.part === "broker") for (const q of ["writes", "reads", "control"]) node(q, "does not answer", true);
  const newest = topology.workers.reduce((p, w) => w.lag === 0 ? w.position : p, "–");
  node("log", `at ${newest}`);
  drawWorkers();
  drawWires();
  drawRecoveries();
  drawChoices();
  failover.show();
};

const first = () => {
  $("count").max = topology.desired.max;
  $("count").value = topology.desired.slaves;
};

const take = t => {
  const before = topology;
  topology = {...t, seen: Date.now()};
  outage = null;
  rates.count(t.workers);
  failover.observe(before, t);
  if (before) compare(before, t); else first();
  drawAll();
};

const takeOutage = o => {
  if (outage?.part !== o.part) seen(`${o.part}: ${o.detail}`);
  outage = o;
  if (topology) drawAll(); else { say($("summary"), o.detail); $("summary").classList.add("bad"); }
};

setInterval(() => {
  rates.tick();
  const depth = name => (outage ? outage.queues : topology?.queues)?.find(q => q.name === name)?.waiting ?? null;
  const live = topology && !outage && streaming;
  charts.add({
    writes: live ? rates.total("writes") : null, reads: live ? rates.total("reads") : null,
    writing: streaming ? depth("writes") : null, reading: streaming ? depth("reads") : null,
    lag: live ? Math.max(0, ...topology.workers.map(w => w.lag)) : null,
  });
  if (topology) drawAll();
}, 1000);

// The stream.

const state = (text, kind) => {
  streaming = kind === "on";
  say($("live"), text);
  $("live").className = `live ${kind}`;
};

// visible resolves when the page is seen: one that is not needs no events.
const visible = () => new Promise(resolve => {
  if (!document.hidden) return resolve();
  document.addEventListener("visibilitychange", resolve, {once: true});
});

const follow = async () => {
  const control = new AbortController();
  let timer;
  const alarm = () => { clearTimeout(timer); timer = setTimeout(() => control.abort(), silence); };
  const hide = () => { if (document.hidden) control.abort(); };
  document.addEventListener("visibilitychange", hide);
  alarm();
  try {
    for await (const e of events("cluster/events", {token: operator.token, signal: control.signal})) {
      alarm();
      state("Live", "on");
      if (e.name === "topology") take(JSON.parse(e.data));
      if (e.name === "outage") takeOutage(JSON.parse(e.data));
    }
  } finally {
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", hide);
  }
};

// reread is what is left where answers cannot be streamed.
const reread = async seconds => {
  for (;;) {
    await visible();
    take(await request("GET", "cluster", {token: operator.token}));
    state(`Read every ${seconds} s: no live updates are possible here`, "on");
    await sleep(seconds * 1000);
  }
};

const watch = async () => {
  let fails = 0, seconds = 0;
  for (;;) {
    await visible();
    try {
      await (seconds ? reread(seconds) : follow());
      fails = 0; // the server ended the stream in good order
    } catch (e) {
      if (e instanceof Problem && e.status === 401) {
        state("A token is needed", "off");
        say($("summary"), "This system asks for the operator's token.");
        await operator.ask(operator.token ? e.message : "");
        continue;
      }
      if (e instanceof Problem && e.status === 501) { seconds = e.retryAfter || 2; continue; }
      fails++;
    }
    if (document.hidden) continue;
    if (fails > 0) state("Connecting again", "off");
    // Not all pages at once, when the service comes back.
    await sleep(Math.min(5000, 250 * 2 ** fails) * (0.5 + Math.random() / 2));
  }
};

// The buttons.

const outcome = (text, bad = false) => say($("outcome"), text, bad);

// command sends a command to the cluster, and asks for the token where that is needed.
const command = async (button, method, path, body, done) => {
  button.disabled = true;
  outcome("");
  try {
    const answer = await operator.use(token => request(method, path, {body, token, once: true}));
    outcome(done(answer));
  } catch (e) {
    outcome(e.message, true);
  } finally {
    button.disabled = false;
  }
};

for (const role of ["master", "slave"]) $(`crash-${role}`).addEventListener("click", e =>
  command(e.currentTarget, "POST", `crash/${role}`, undefined, pids => `The ${role}, process ${pids.join()}, was killed.`));

const onSubmit = (form, handle) => $(form).addEventListener("submit", e => { e.preventDefault(); handle(e.submitter ?? $(form).querySelector("button")); });

onSubmit("scale", button => command(button, "PUT", "cluster/slaves", {count: $("count").valueAsNumber}, t => `${t.desired.slaves} slaves are wanted.`));
$("auto").addEventListener("click", e => command(e.currentTarget, "PUT", "cluster/slaves", {auto: true}, () => "The number of slaves follows the reads now."));
onSubmit("switch", button => command(button, "POST", "cluster/switchover", $("to").value ? {to: $("to").value} : {}, t => `${t.master} is the master now.`));

const report = d => {
  const sorted = d.latencies.toSorted((a, b) => a - b), ms = q => Math.round(sorted[Math.floor(q * (sorted.length - 1))] ?? 0);
  return `${d.answered} answered, ${d.failed} failed${d.failed ? ` (${d.why})` : ""}; half within ${ms(.5)} ms, the slowest after ${ms(1)} ms.`;
};

let loading = null;
onSubmit("load", async () => {
  loading = new AbortController();
  $("load-start").disabled = true;
  $("load-stop").disabled = false;
  $("load-progress").hidden = false;
  $("load-progress").value = 0;
  let told = 0;
  try {
    const done = await load.run({
      rate: $("rate").valueAsNumber, seconds: $("seconds").valueAsNumber, signal: loading.signal,
      progress: (part, done) => {
        $("load-progress").value = part;
        if (Date.now() > told + 1000) { told = Date.now(); say($("load-outcome"), `Under way: ${report(done)}`); }
      },
    });
    say($("load-outcome"), `Done: ${report(done)}`);
  } catch (e) {
    say($("load-outcome"), loading.signal.aborted ? "Stopped before it began." : e.message, !loading.signal.aborted);
  } finally {
    $("load-start").disabled = false;
    $("load-stop").disabled = true;
    $("load-progress").hidden = true;
  }
});
$("load-stop").addEventListener("click", () => loading?.abort(new Error("stopped")));

watch();
