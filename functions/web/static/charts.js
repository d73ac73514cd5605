// The charts of the last 10 minutes. They hold what this page has seen: the service keeps no
// history, and reads nothing while no page is open. A reload keeps them.
import {draw, make} from "./dom.js";

const span = 600_000; // ms
const stored = "rideshare.charts";
const round = v => Math.round(v * 10) / 10;

export class Charts {
  // series: [{key, title, unit}]
  constructor(root, series) {
    this.samples = [];
    try {
      this.samples = JSON.parse(sessionStorage.getItem(stored) || "[]").filter(s => s.t > Date.now() - span);
    } catch { /* it is only a cache */ }
    addEventListener("pagehide", () => sessionStorage.setItem(stored, JSON.stringify(this.samples)));
    this.charts = series.map(s => {
      const now = make("p", {class: "now"}, "–"), most = make("span"), area = draw("path", {class: "area"}), line = draw("path", {class: "line"});
      const svg = draw("svg", {viewBox: "0 0 600 100", preserveAspectRatio: "none", role: "img", "aria-label": s.title}, area, line);
      root.append(make("div", {class: "chart", id: `chart-${s.key}`}, make("h3", {}, s.title), now, svg,
        make("div", {class: "scale"}, make("span", {}, "10 min ago"), most)));
      return {...s, now, most, area, line, svg};
    });
  }

  // add takes a sample: the value of each series, null for what is not known.
  add(values) {
    const t = Date.now();
    this.samples.push({t, ...values});
    this.samples = this.samples.filter(s => s.t > t - span);
    for (const c of this.charts) this.#draw(c, t);
  }

  #draw(c, t) {
    const highest = Math.max(0, ...this.samples.map(s => s[c.key] ?? 0)), most = highest || 1;
    let path = "", area = "", from = null, x = 0;
    const close = () => { if (from !== null) area += `V100H${from}Z`; from = null; };
    for (const s of this.samples) {
      const v = s[c.key];
      if (v === null || v === undefined) { close(); continue; }
      x = (600 * (1 - (t - s.t) / span)).toFixed(1);
      const y = (100 - 96 * v / most).toFixed(1);
      area += from === null ? `M${x} 100V${y}` : `L${x} ${y}`;
      path += `${from === null ? "M" : "L"}${x} ${y}`;
      if (from === null) from = x;
    }
    close();
    c.line.setAttribute("d", path);
    c.area.setAttribute("d", area);
    const v = this.samples.at(-1)[c.key];
    const text = v === null || v === undefined ? "–" : String(round(v));
    c.now.textContent = text;
    c.most.textContent = `highest ${round(highest)}`;
    c.svg.setAttribute("aria-label", `${c.title}: now ${text}, highest of the last 10 minutes ${round(highest)}`);
  }
}
