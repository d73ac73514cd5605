// Rates from counters: each worker tells how much it has served since it started, anew once a
// second. So a rate is taken over the last 3 s.
const window = 3;

export class Rates {
  constructor() {
    this.counters = new Map(); // worker -> {reads: [oldest, ..., newest], writes: [...]}
    this.sums = {reads: [0], writes: [0]};
    this.begun = false;
  }

  // count takes the workers' counters. A worker that comes later has begun at 0.
  count(workers) {
    for (const w of workers) {
      let c = this.counters.get(w.id);
      if (!c) this.counters.set(w.id, c = this.begun ? {reads: [0], writes: [0]} : {reads: [w.reads], writes: [w.writes]});
      for (const what of ["reads", "writes"]) {
        this.sums[what][this.sums[what].length - 1] += Math.max(0, w[what] - c[what].at(-1));
        c[what][c[what].length - 1] = w[what];
      }
    }
    this.begun = true;
    const ids = new Set(workers.map(w => w.id));
    for (const id of this.counters.keys()) if (!ids.has(id)) this.counters.delete(id);
  }

  // tick says that a second has passed.
  tick() {
    const move = list => { list.push(list.at(-1)); if (list.length > window + 1) list.shift(); };
    for (const c of [this.sums, ...this.counters.values()]) { move(c.reads); move(c.writes); }
  }

  total(what) { return rate(this.sums[what]); }

  of(worker, what) {
    const c = this.counters.get(worker);
    return c ? String(Math.round(rate(c[what]))) : "0";
  }
}

const rate = list => list.length < 2 ? 0 : (list.at(-1) - list[0]) / (list.length - 1);
