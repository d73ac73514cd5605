// What everybody needs of a page, as far as a program can tell: a list of what is wrong.
(() => {
  const faults = [], visible = e => e.checkVisibility({visibilityProperty: true, opacityProperty: true});
  const name = e => `<${e.localName}${e.id ? "#" + e.id : ""}${e.className && e.className.baseVal === undefined ? "." + e.className : ""}> ${(e.textContent || "").trim().slice(0, 40)}`;

  if (!document.documentElement.lang) faults.push("the document has no language");
  if (!document.title) faults.push("the document has no title");
  const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`the id ${id} is there twice`);
  for (const a of ["aria-labelledby", "aria-describedby"])
    for (const e of document.querySelectorAll(`[${a}]`))
      for (const id of e.getAttribute(a).split(" ")) if (!document.getElementById(id)) faults.push(`${name(e)}: ${a} names ${id}, which is not there`);
  for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) faults.push(`${name(e)}: no alt`);
  for (const e of document.querySelectorAll("[tabindex]")) if (e.tabIndex > 0) faults.push(`${name(e)}: tabindex ${e.tabIndex}`);
  for (const l of ["main", "header", "nav"]) if (!document.querySelector(l)) faults.push(`there is no ${l}`);

  // Headings: one of the first level, and none that leaves a level out.
  let level = 0;
  const headings = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter(e => visible(e) && !e.closest("dialog"));
  if (headings.filter(e => e.localName === "h1").length !== 1) faults.push("there is not one h1");
  for (const h of headings) {
    const n = Number(h.localName[1]);
    if (n > level + 1) faults.push(`${name(h)} follows a heading of level ${level}`);
    level = n;
  }

  // Names: of everything that can be operated, and of everything that is an image.
  for (const e of document.querySelectorAll("input, select, textarea, button, a, progress, dialog, [role=img], [role=region], [role=log]")) {
    const labels = [...(e.labels ?? [])].map(l => l.textContent).join("");
    const by = (e.getAttribute("aria-labelledby") ?? "").split(" ").map(id => document.getElementById(id)?.textContent ?? "").join("");
    const own = e.matches("button, a") ? e.textContent : "";
    if (!(labels + by + own + (e.getAttribute("aria-label") ?? "")).trim()) faults.push(`${name(e)}: no name`);
  }

  // Contrast: 4.5:1, or 3:1 for large text.
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const parse = c => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = c; canvas.fillRect(0, 0, 1, 1); const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return [r, g, b, a / 255]; };
  const over = (top, below) => [0, 1, 2].map(i => top[i] * top[3] + below[i] * (1 - top[3])).concat(1);
  const luminance = c => { const [r, g, b] = c.map(v => (v /= 255) <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const ground = e => e ? over(parse(getComputedStyle(e).backgroundColor), ground(e.parentElement)) : parse(getComputedStyle(document.documentElement).colorScheme.includes("dark") && matchMedia("(prefers-color-scheme: dark)").matches ? "#121212" : "#fff");
  let texts = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  for (let t; (t = walker.nextNode());) {
    const e = t.parentElement;
    if (!t.data.trim() || seen.has(e) || !visible(e) || e.matches("option, noscript, title")) continue;
    seen.add(e);
    texts++;
    const style = getComputedStyle(e), below = ground(e), text = over(parse(style.color), below);
    const [a, b] = [luminance(text), luminance(below)].sort((x, y) => y - x), ratio = (a + .05) / (b + .05);
    const size = parseFloat(style.fontSize), large = size >= 24 || size >= 18.66 && Number(style.fontWeight) >= 700;
    if (ratio < (large ? 3 : 4.5)) faults.push(`${name(e)}: contrast ${ratio.toFixed(2)}`);
  }
  if (texts < 10) faults.push(`only ${texts} texts were looked at`);

  // What has the focus shows it, and is large enough to be hit.
  const before = document.activeElement;
  for (const e of document.querySelectorAll("a[href], button, input, select, [tabindex='0']")) {
    if (!visible(e) || e.disabled || document.querySelector("dialog[open]") && !e.closest("dialog")) continue;
    e.focus({focusVisible: true, preventScroll: true});
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    if (document.activeElement !== e) faults.push(`${name(e)} takes no focus`);
    else if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) faults.push(`${name(e)} does not show the focus`);
    if (box.width < 24 || box.height < 24) faults.push(`${name(e)} is ${Math.round(box.width)} by ${Math.round(box.height)} pixels`);
  }
  document.activeElement?.blur();
  before?.focus?.({preventScroll: true});

  const wide = document.documentElement.scrollWidth - innerWidth;
  if (wide > 0) faults.push(`the page is ${wide} pixels wider than its window`);
  return faults;
})()
