// Requests to the API, and the stream of events.

// Problem is an answer that is an error, as in RFC 9457; status 0: there was no answer.
export class Problem extends Error {
  constructor(status, document, retryAfter) {
    super(document.detail || document.title || `status ${status}`);
    Object.assign(this, {status, field: document.field || "", retryAfter});
  }
}

const problemOf = async resp => {
  const document = await resp.json().catch(() => ({title: resp.statusText}));
  return new Problem(resp.status, document, Number(resp.headers.get("Retry-After")) || 0);
};

export const sleep = (ms, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, ms);
  signal?.addEventListener("abort", () => { clearTimeout(timer); reject(signal.reason); }, {once: true});
});

// random returns n random bytes in hexadecimal.
export const random = n => Array.from(crypto.getRandomValues(new Uint8Array(n)), b => b.toString(16).padStart(2, "0")).join("");

const patience = 12_000; // ms during which a request is tried again

// newest is the newest position that any answer has told of: sent back, a read is at least as new,
// whichever instance answers it.
let newest = "";
const remember = token => {
  if (!token) return;
  const [e, s] = token.split(".").map(Number), [me, ms] = (newest || "0.0").split(".").map(Number);
  if (e > me || e === me && s > ms) newest = token;
};

// request makes a request and returns the body of the answer, null where it has none. What nobody
// could answer is tried again under the same Idempotency-Key, so that a failover costs a wait and
// nothing is done twice; not so a command to the cluster, which has no key ({once: true}).
export async function request(method, path, {body, token, once, signal} = {}) {
  const key = random(16), end = performance.now() + patience;
  for (let wait = 100; ; wait = Math.min(2 * wait, 1000)) {
    const headers = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (token) headers.Authorization = `Bearer ${token}`;
    if (method === "GET" && newest) headers["Consistency-Token"] = newest;
    if (method !== "GET" && !once) headers["Idempotency-Key"] = key;
    let problem;
    try {
      const resp = await fetch(`api/v1/${path}`, {method, headers, signal, body: body && JSON.stringify(body)});
      remember(resp.headers.get("Consistency-Token"));
      if (resp.ok) return resp.status === 204 ? null : await resp.json();
      problem = await problemOf(resp);
    } catch (e) {
      if (signal?.aborted) throw e;
      problem = new Problem(0, {detail: "the service cannot be reached"});
    }
    const stale = problem.field === "Consistency-Token" && newest !== ""; // the log was begun anew
    if (stale) newest = "";
    if (!stale && (once || ![0, 502, 503, 504].includes(problem.status)) || performance.now() > end) throw problem;
    await sleep(wait, signal);
  }
}

// events yields the events of a stream as {name, data}, a comment as the name "". It returns when
// the server ends the stream, and throws a Problem where there is none.
export async function* events(path, {token, signal}) {
  const headers = {Accept: "text/event-stream"};
  if (token) headers.Authorization = `Bearer ${token}`;
  // Not EventSource: that cannot send a token.
  const resp = await fetch(`api/v1/${path}`, {headers, signal, cache: "no-store"});
  if (!resp.ok) throw await problemOf(resp);
  const reader = resp.body.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ""; ;) {
    const {value, done} = await reader.read();
    if (done) return;
    text += value;
    for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
      const event = {name: "", data: ""};
      for (const line of text.slice(0, end).split("\n")) {
        if (line.startsWith("event: ")) event.name = line.slice(7);
        if (line.startsWith("data: ")) event.data += line.slice(6);
      }
      yield event;
    }
  }
}
