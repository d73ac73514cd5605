// The wires between the boxes of the topology: curves from edge to edge, drawn behind the boxes and
// drawn anew whenever the boxes move, so that they fit a desk and a phone.
import {draw} from "./dom.js";

// curve returns the path from box a to box b: sideways where b lies to the right, else downwards.
const curve = (a, b, o) => {
  const x = r => r.left - o.left, y = r => r.top - o.top;
  if (b.left >= a.right - 2) {
    const x1 = x(a) + a.width, y1 = y(a) + a.height / 2, x2 = x(b), y2 = y(b) + b.height / 2, mid = (x1 + x2) / 2;
    return `M${x1} ${y1}C${mid} ${y1} ${mid} ${y2} ${x2} ${y2}`;
  }
  const down = b.top >= a.top;
  const x1 = x(a) + a.width / 2, y1 = y(a) + (down ? a.height : 0);
  const x2 = x(b) + b.width / 2, y2 = y(b) + (down ? 0 : b.height), mid = (y1 + y2) / 2;
  return `M${x1} ${y1}C${x1} ${mid} ${x2} ${mid} ${x2} ${y2}`;
};

// wires returns a function that draws links, each {from, to, kind}: elements, and classes.
export const wires = board => {
  const svg = draw("svg", {class: "wires", "aria-hidden": "true"});
  board.prepend(svg);
  let links = [];
  const redraw = () => {
    const o = board.getBoundingClientRect();
    const origin = {left: o.left + board.clientLeft, top: o.top + board.clientTop};
    links.forEach(({from, to, kind}, i) => {
      const path = svg.children[i] || svg.appendChild(draw("path"));
      const d = curve(from.getBoundingClientRect(), to.getBoundingClientRect(), origin);
      if (path.getAttribute("d") !== d) path.setAttribute("d", d);
      if (path.getAttribute("class") !== kind) path.setAttribute("class", kind);
    });
    while (svg.children.length > links.length) svg.lastChild.remove();
  };
  new ResizeObserver(redraw).observe(board);
  return next => { links = next; redraw(); };
};
