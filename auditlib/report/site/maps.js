// Maps answer the pointer and the keyboard: a box that is looked at stays, with what it touches; the rest steps back.
// In a map the arrow keys go from box to box. Pictures stay pictures where no script runs.
for (const svg of document.querySelectorAll(".picture svg:has([data-part^=box])")) {
  const boxes = new Map(), links = [], before = new Map(), after = new Map();
  const add = (groups, key, value) => { if (groups.has(key)) groups.get(key).push(value); else groups.set(key, [value]); };
  for (const element of svg.querySelectorAll("[data-part]")) {
    const [kind, from, to] = element.getAttribute("data-part").split("-");
    if (kind !== "link") { add(boxes, from, element); continue; }
    links.push({ element, from, to });
    add(before, to, from);
    add(after, from, to);
  }
  const name = (box) => (boxes.get(box).map((element) => element.querySelector("title, text")).find(Boolean) || svg).textContent.trim();
  const names = (found) => [...new Set(found)].map(name).join(", ");
  const look = (box) => {
    const near = new Set([box]);
    for (const link of links) {
      const touches = link.from === box || link.to === box;
      if (touches) near.add(link.from).add(link.to);
      link.element.classList.toggle("aside", box !== undefined && !touches);
    }
    for (const [other, elements] of boxes) for (const element of elements) element.classList.toggle("aside", box !== undefined && !near.has(other));
  };
  const order = [...boxes.keys()];
  svg.setAttribute("role", "group");
  for (const [box, elements] of boxes) {
    const first = elements[0];
    first.setAttribute("role", "img");
    first.setAttribute("tabindex", box === order[0] ? "0" : "-1");
    first.setAttribute("aria-label", [name(box), before.has(box) && `from ${names(before.get(box))}`, after.has(box) && `to ${names(after.get(box))}`].filter(Boolean).join("; "));
    for (const element of elements) { element.addEventListener("mouseenter", () => look(box)); element.addEventListener("mouseleave", () => look()); }
    first.addEventListener("focus", () => look(box));
    first.addEventListener("blur", () => look());
    first.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
      const next = step && boxes.get(order[order.indexOf(box) + step]);
      if (!next) return;
      event.preventDefault();
      first.setAttribute("tabindex", "-1");
      next[0].setAttribute("tabindex", "0");
      next[0].focus();
    });
  }
}

// A cell of the risk matrix leads to its findings in the list of all.
for (const cell of document.querySelectorAll(".picture [data-part^=view-]")) {
  const [, area, severity] = cell.getAttribute("data-part").split("-");
  const words = cell.closest("svg").querySelector(`[data-part=words-${area}-${severity}]`);
  const go = () => { location.hash = `#explorer?area=${area}&severity=${severity}`; };
  cell.closest("svg").setAttribute("role", "group");
  cell.setAttribute("role", "link");
  cell.setAttribute("tabindex", "0");
  cell.setAttribute("aria-label", `${words.textContent.trim()} ${severity} of ${area}`);
  for (const element of [cell, words]) { element.style.cursor = "pointer"; element.addEventListener("click", go); }
  cell.addEventListener("keydown", (event) => { if (event.key === "Enter") go(); });
}
