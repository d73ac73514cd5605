// The last failover, step by step. What this page sees comes at once; the times are the watcher's,
// who measures them from when it noticed, and come with its record of the recovery.
import {$, clock, say} from "./dom.js";

const steps = ["died", "elected", "promoted", "replaced"];

export class Failover {
  constructor() { this.now = null; this.known = ""; }

  observe(before, t) {
    const recorded = t.recoveries.find(r => r.role === "master");
    const lost = before?.master && t.master !== before.master && !t.workers.some(w => w.id === before.master);
    if (lost) this.now = {worker: before.master, at: Date.now(), epoch: before.epoch};
    if (recorded && recorded.at !== this.known) { // the last but one is no news of this one
      this.known = recorded.at;
      this.now = {...(this.now?.worker === recorded.worker ? this.now : {epoch: 0}), worker: recorded.worker, at: Date.parse(recorded.at), recorded};
    }
    const f = this.now;
    if (!f) return;
    f.elected ||= t.elected || f.recorded || t.master && t.epoch > f.epoch;
    f.master = f.recorded ? f.recorded.what : t.master && t.epoch > f.epoch ? `${t.master} is master of epoch ${t.epoch}` : "";
    f.replaced = t.recoveries.find(r => r.role === "slave" && r.worker === f.worker && Math.abs(Date.parse(r.at) - f.at) < 5000);
  }

  show() {
    const f = this.now;
    $("failover").hidden = !f;
    if (!f) return;
    const after = ms => ms > 0 ? `after ${ms} ms` : "at once";
    const texts = {
      died: `${f.worker} at ${clock(f.at)}`,
      elected: f.elected ? f.recorded ? after(f.recorded.elected_ms ?? 0) : "a successor" : "",
      promoted: f.master ? f.recorded ? `${after(f.recorded.duration_ms)}: ${f.master}` : f.master : "",
      replaced: f.replaced ? `${after(f.replaced.duration_ms)}: ${f.replaced.what}` : "",
    };
    for (const step of steps) {
      $(step).classList.toggle("done", texts[step] !== "");
      say($(step).querySelector("span"), texts[step] || "waiting");
    }
  }
}
