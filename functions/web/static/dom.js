// The few things that both pages do to their documents. Text goes in as text nodes: nothing that
// anybody has stored is ever taken for markup.

export const $ = id => document.getElementById(id);

// make returns an element with attributes and children; null children are left out.
export const make = (name, attributes = {}, ...children) => {
  const e = document.createElement(name);
  for (const [k, v] of Object.entries(attributes)) if (v !== null && v !== undefined) e.setAttribute(k, v);
  e.append(...children.filter(c => c !== null && c !== undefined));
  return e;
};

// draw is make for SVG.
export const draw = (name, attributes = {}, ...children) => {
  const e = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
  e.append(...children);
  return e;
};

// person is a user's name. It may be written from right to left, and does not turn what stands around it.
export const person = username => make("bdi", {}, username);

// say sets a text, or a list of texts and elements, where it has changed: a screen reader reads out what is set.
export const say = (e, what, bad = false) => {
  const parts = [what].flat(), text = parts.map(part => part.textContent ?? part).join("");
  if (e.textContent !== text) e.replaceChildren(...parts);
  e.classList.toggle("problem", bad);
};

export const clock = t => new Date(t).toLocaleTimeString([], {hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false});
