// Opens what a link leads to, and everything while the page is printed.
"use strict";
// What lies closed was read as one text; it becomes elements where it is opened.
function fill(details) {
  const kept = details.querySelector(":scope > noscript");
  if (!kept) return;
  details.querySelector(":scope > [hidden=until-found]")?.remove();
  kept.outerHTML = kept.textContent;
  makeSortable(details);
  makeCopyable(details);
}
function open(element) {
  for (; element; element = element.parentElement) if (element.tagName === "DETAILS") { fill(element); element.open = true; }
}
document.addEventListener("toggle", (event) => { if (event.target.open) fill(event.target); }, true);
function reveal() {
  const target = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  open(target);
  target.scrollIntoView();
}
addEventListener("hashchange", reveal);
addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("details[open]").forEach(fill); // by whoever was faster than this script
  reveal();
});
// Until then its words lie beside it, where the browser's own search finds them and opens it.
addEventListener("load", () => {
  const parser = document.createElement("template"), all = document.querySelectorAll("details > noscript");
  let next = 0;
  const lay = () => {
    for (const end = performance.now() + 8; next < all.length && performance.now() < end; next += 1) {
      const words = document.createElement("div");
      words.setAttribute("hidden", "until-found");
      parser.innerHTML = all[next].textContent;
      words.textContent = parser.content.textContent;
      all[next].after(words);
    }
    if (next < all.length) setTimeout(lay);
  };
  setTimeout(lay);
});
document.addEventListener("beforematch", (event) => open(event.target.parentElement));
let closed = [];
addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll("details:not([open], .fold:not(.reasons), .fold:not(.reasons) *, .explorer *, .checklist *)")];
  closed.forEach((element) => { fill(element); element.open = true; });
});
addEventListener("afterprint", () => closed.forEach((element) => { element.open = false; }));
const contents = document.querySelector(".contents > details");
const narrow = matchMedia("(max-width: 72rem)");
const fit = () => { contents.open = !narrow.matches || matchMedia("print").matches; };
narrow.addEventListener("change", fit);
fit();
// What to do first is seen without scrolling: its titles at least.
const first = document.querySelector(".opening .first");
const fitSteps = () => {
  const steps = [...first.querySelectorAll(".step")];
  steps.forEach((step) => { step.open = true; });
  const tight = first.getBoundingClientRect().bottom + scrollY > innerHeight;
  first.classList.toggle("tight", tight);
  steps.forEach((step) => { step.open = !tight; });
};
if (first) {
  narrow.addEventListener("change", fitSteps);
  requestAnimationFrame(fitSteps);
}
const links = [...document.querySelectorAll(".contents a")];
const parts = links.map((link) => document.getElementById(decodeURIComponent(link.hash.slice(1))));
const mark = () => {
  const at = parts.filter((part) => part && part.getBoundingClientRect().top < innerHeight / 3).length - 1;
  links.forEach((link, index) => { if (index === at) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current"); });
};
let waiting = false;
const markSoon = () => {
  if (!waiting) requestAnimationFrame(() => { waiting = false; mark(); });
  waiting = true;
};
addEventListener("scroll", markSoon, { passive: true });
// A chapter gets its real height when it comes near the screen, mostly after the scrolling that brought it there. The
// first call comes by itself, once the other scripts have changed the page.
const heights = new ResizeObserver(markSoon);
parts.forEach((part) => part && heights.observe(part));
