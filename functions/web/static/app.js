// The rider's page. It uses the public API and nothing else. The token is kept for as long as the
// tab is open (sessionStorage), so that a reload does not sign out, and another tab is not signed in.
import {$, make, person, say} from "./dom.js";
import {request} from "./api.js";
import {sha1} from "./sha1.js";

const stored = "rideshare.rider";
let me = JSON.parse(sessionStorage.getItem(stored) || "null"); // {username, token}

// The API's timestamps are DD-MM-YYYY:SS-MM-HH, those of an input YYYY-MM-DDTHH:MM:SS.
const toAPI = local => {
  const [, y, mo, d, h, mi, s] = /^(\d+)-(\d+)-(\d+)T(\d+):(\d+)(?::(\d+))?/.exec(local);
  return `${d}-${mo}-${y}:${s ?? "00"}-${mi}-${h}`;
};
const human = timestamp => {
  const [, d, mo, y, s, mi, h] = /^(\d+)-(\d+)-(\d+):(\d+)-(\d+)-(\d+)$/.exec(timestamp);
  return `${y}-${mo}-${d} ${h}:${mi}${s === "00" ? "" : `:${s}`}`;
};

const become = who => {
  me = who;
  if (me) sessionStorage.setItem(stored, JSON.stringify(me)); else sessionStorage.removeItem(stored);
  say($("who"), me ? ["You are signed in as ", person(me.username), "."] : "You are not signed in.");
  $("sign-out").hidden = !me;
  $("account").hidden = Boolean(me);
  $("mine").hidden = $("offer").hidden = !me;
  $("mine-list").replaceChildren();
  if (me) list();
};

// attempt does what a button is for: it shows what went wrong, beside the field where it did.
const attempt = async (button, message, does, fields = {}) => {
  for (const id of Object.values(fields)) $(id).removeAttribute("aria-invalid");
  button.disabled = true;
  say($(message), "");
  try {
    say($(message), (await does()) ?? "");
  } catch (e) {
    if (e.status === 401 && me) {
      become(null);
      say($("account-message"), "Your sign-in is over: sign in again.", true);
      $("username").focus();
      return;
    }
    const field = $(fields[e.field.replace(/^(body|query)\./, "")] ?? "");
    field?.setAttribute("aria-invalid", "true");
    field?.focus();
    say($(message), e.message, true);
  } finally {
    button.disabled = false;
  }
};

const onSubmit = (form, handle) => $(form).addEventListener("submit", e => { e.preventDefault(); handle(e.submitter ?? $(form).querySelector("button")); });

onSubmit("account-form", button => attempt(button, "account-message", async () => {
  const username = $("username").value, credentials = {username, password: sha1($("password").value)};
  if (button.value === "up") await request("PUT", "users", {body: credentials});
  const {token} = await request("POST", "sessions", {body: credentials});
  $("password").value = "";
  become({username, token});
  $("mine-title").focus();
}, {username: "username", password: "password"}));

$("sign-out").addEventListener("click", async () => {
  const {token} = me;
  become(null);
  $("username").focus();
  try {
    await request("DELETE", "sessions", {token});
  } catch (e) {
    if (e.status === 400 || e.status === 401) return; // nobody is asked for tokens, or it has ended before
    say($("account-message"), `You are signed out in this tab only: ${e.message}`, true);
  }
});

// A ride, with its buttons.
const ride = (id, {by, from, to, departs}, ...buttons) => make("li", {class: "ride"},
  make("div", {}, make("b", {}, human(departs)), make("p", {}, `Area ${from} to ${to}, offered by `, by, `, ride ${id}`)), ...buttons);

const button = (text, about, does) => {
  const b = make("button", {type: "button", "aria-label": `${text} ${about}`}, text);
  b.addEventListener("click", () => does(b));
  return b;
};

const mine = () => `riders/${encodeURIComponent(me.username)}/rides`;

const list = () => attempt($("sign-out"), "mine-message", async () => {
  const rides = await request("GET", mine(), {token: me.token}) ?? [];
  $("mine-list").replaceChildren(...rides.map(r => {
    const own = r.created_by === me.username;
    return ride(r.rideId, {by: own ? "you" : person(r.created_by), from: r.source, to: r.destination, departs: r.timestamp},
      button("Who joined?", `ride ${r.rideId}`, b => attempt(b, "mine-message", async () => {
        const full = await request("GET", `rides/${r.rideId}`);
        if (!full) return `Ride ${r.rideId} is gone.`;
        return full.users.length ? [`In ride ${r.rideId}: `, ...full.users.flatMap((u, i) => i ? [", ", person(u)] : [person(u)]), "."] : `Nobody has joined ride ${r.rideId} yet.`;
      })),
      own ? button("Delete", `ride ${r.rideId}`, b => change(b, "DELETE", `rides/${r.rideId}`, `Ride ${r.rideId} was deleted.`))
        : button("Leave", `ride ${r.rideId}`, b => change(b, "DELETE", `${mine()}/${r.rideId}`, `You have left ride ${r.rideId}.`)));
  }));
  return rides.length ? "" : "None yet. Find one, or offer one.";
});

const change = (b, method, path, done) => attempt(b, "mine-message", async () => {
  await request(method, path, {token: me.token});
  await list();
  return done;
});

const find = () => attempt($("find"), "find-message", async () => {
  const from = $("find-source").value, to = $("find-destination").value;
  $("found").replaceChildren();
  const rides = await request("GET", `rides?${new URLSearchParams({source: from, destination: to})}`) ?? [];
  $("found").replaceChildren(...rides.map(r => ride(r.rideId, {by: person(r.username), from, to, departs: r.timestamp},
    !me || r.username === me.username ? null : button("Join", `ride ${r.rideId}`, b => attempt(b, "find-message", async () => {
      await request("POST", `rides/${r.rideId}`, {token: me.token, body: {username: me.username}});
      await list();
      return `You are in ride ${r.rideId}.`;
    })))));
  const count = rides.length === 1 ? "1 ride" : `${rides.length} rides`;
  return rides.length ? `${count} from area ${from} to ${to}.${me ? "" : " Sign in to join."}` : `No upcoming ride from area ${from} to ${to}.`;
}, {source: "find-source", destination: "find-destination"});
onSubmit("find-form", find);

onSubmit("offer-form", button => attempt(button, "offer-message", async () => {
  const body = {created_by: me.username, timestamp: toAPI($("timestamp").value), source: $("source").valueAsNumber, destination: $("destination").valueAsNumber};
  const {rideId} = await request("POST", "rides", {token: me.token, body});
  await list();
  return `Ride ${rideId} is offered.`;
}, {source: "source", destination: "destination", timestamp: "timestamp"}));

$("timestamp").value = new Date(Date.now() + 864e5).toISOString().slice(0, 16);
become(me);
