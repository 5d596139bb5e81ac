// Starts the deck, shrinks what is too tall for a slide, and shows the speaker's notes in a window of their own.
"use strict";
const deck = new Reveal({
  width: 1280, height: 720, margin: 0, center: false, hash: true, slideNumber: "c/t", transition: "none",
  backgroundTransition: "none", scrollActivationWidth: null, plugins: [], keyboard: { 83: openNotes },
});
let speaker = null;

// A slide has the same size on every screen, so this is done once; those that are not shown are laid out for it.
function fit(slide) {
  const display = slide.style.display;
  slide.style.setProperty("display", "flex", "important");
  shrink(slide.querySelector(".content"));
  slide.style.display = display;
}

function shrink(content) {
  if (!content) return;
  const findings = content.querySelector(":scope > .kinds");
  if (findings) {
    findings.hidden = true;
    const free = content.clientHeight - [...content.children].reduce((sum, child) => sum + child.offsetHeight + 24, 0);
    findings.hidden = free < 150;
  }
  const tooLarge = () => content.scrollHeight > content.clientHeight + 1 || content.scrollWidth > content.clientWidth + 1;
  for (let zoom = 0.96; zoom > 0.4 && tooLarge(); zoom -= 0.04) content.style.zoom = String(zoom);
}

function openNotes() {
  speaker = open("", "auditlib-speaker", "width=980,height=760");
  if (!speaker) return;
  speaker.document.title = "Speaker notes";
  if (!speaker.document.querySelector("style")) {
    const style = speaker.document.createElement("style");
    style.textContent = "body{font:22px/1.5 system-ui,sans-serif;margin:2rem 2.4rem;color:#1c2530;background:#fff}" +
      "h1{font-size:1.3em;margin:0 0 .6em}h3{font-size:1em;margin:1.2em 0 .3em}ul{margin:0;padding-left:1.2em}" +
      "code{font-size:.88em;overflow-wrap:anywhere}.bar,.next{color:#586473;font-size:.8em}.bar{margin:0 0 1.6rem}";
    speaker.document.head.append(style);
    speaker.document.addEventListener("keydown", (event) => {
      if (["ArrowRight", "PageDown", " ", "Enter", "n"].includes(event.key)) deck.next();
      else if (["ArrowLeft", "PageUp", "Backspace", "p"].includes(event.key)) deck.prev();
    });
  }
  showNotes();
}

function heading(slide) { return slide?.querySelector("h1, h2")?.textContent ?? ""; }

function showNotes() {
  if (!speaker || speaker.closed) return;
  const slides = deck.getSlides(), now = deck.getCurrentSlide(), number = slides.indexOf(now);
  const make = (tag, text, kind) => Object.assign(speaker.document.createElement(tag), { textContent: text, className: kind ?? "" });
  const following = heading(slides[number + 1]);
  const notes = [...now.querySelectorAll("aside.notes")].reverse().flatMap((notes) => [...notes.children]);
  speaker.document.body.replaceChildren(
    make("p", `Slide ${number + 1} of ${slides.length}`, "bar"), make("h1", heading(now)),
    ...notes.map((note) => speaker.document.importNode(note, true)), make("p", following ? `Next: ${following}` : "The end", "next"),
  );
}

deck.on("slidechanged", showNotes);
deck.initialize().then(() => deck.getSlides().forEach(fit));
