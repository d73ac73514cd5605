// The demo load: rides and searches through the public API, as a user of its own. It is bounded in
// rate, time and requests under way, and runs in this page: closing it ends it.
import {random, request, sleep} from "./api.js";

export const limits = {rate: 50, seconds: 120, underWay: 32};

const areas = 50; // of those that there are by default

const timestamp = t => {
  const [, y, mo, d, h, mi, s] = /(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)/.exec(t.toISOString());
  return `${d}-${mo}-${y}:${s}-${mi}-${h}`;
};

const pick = () => {
  const source = 1 + Math.floor(Math.random() * areas);
  return {source, destination: 1 + (source + Math.floor(Math.random() * (areas - 1))) % areas};
};

// run makes so many rides and as many searches a second. It tells progress, from 0 to 1, with what
// has been answered, and returns that in the end: {answered, failed, latencies, why}.
export async function run({rate, seconds, signal, progress}) {
  rate = Math.min(rate, limits.rate);
  seconds = Math.min(seconds, limits.seconds);
  const me = {username: `demo-${random(6)}`, password: random(20)};
  const done = {answered: 0, failed: 0, latencies: [], why: ""};
  await request("PUT", "users", {body: me, signal});
  const {token} = await request("POST", "sessions", {body: me, signal});
  const underWay = new Set();
  const send = (...call) => {
    const begun = performance.now();
    const p = request(...call).then(() => {
      done.answered++;
      done.latencies.push(performance.now() - begun);
    }, e => { done.failed++; done.why = e.message; }).finally(() => underWay.delete(p));
    underWay.add(p);
  };
  const begun = performance.now(), total = Math.round(rate * seconds);
  try {
    for (let i = 0; i < total && !signal.aborted; i++) {
      await sleep(Math.max(0, begun + i * 1000 / rate - performance.now()), signal);
      while (underWay.size >= limits.underWay) await Promise.race(underWay);
      const way = pick();
      send("POST", "rides", {token, body: {created_by: me.username, timestamp: timestamp(new Date(Date.now() + 36e5)), ...way}});
      send("GET", `rides?source=${way.source}&destination=${way.destination}`);
      progress((i + 1) / total, done);
    }
  } catch (e) {
    if (!signal.aborted) throw e;
  } finally {
    await Promise.all(underWay);
    // Its rides go with it.
    await request("DELETE", `users/${me.username}`, {token}).catch(() => {});
  }
  return done;
}
