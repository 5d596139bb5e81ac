// What is to be written elsewhere is copied by a button: lines of advice, and the backlog as Markdown.
function makeCopyable(root) {
  if (!navigator.clipboard) return;
  for (const code of root.querySelectorAll(".change:not(:has(del):not(:has(ins))), .pair pre")) {
    const frame = document.createElement("div"), button = document.createElement("button");
    frame.className = "code";
    button.type = "button";
    button.className = "copy-code";
    button.textContent = "Copy";
    code.replaceWith(frame);
    frame.append(code, button);
  }
}

// Of an edit, the lines to write; neither its place nor what stands there already.
function linesOf(code) {
  const written = [...code.querySelectorAll("ins")];
  return written.length ? written.map((line) => line.textContent).join("\n") : code.textContent;
}

document.addEventListener("click", (event) => {
  const button = event.target.closest(".copy-code");
  if (button) navigator.clipboard.writeText(linesOf(button.previousElementSibling)).then(
    () => { button.textContent = "Copied"; }, () => { button.textContent = "Not allowed here"; });
});
for (const button of document.querySelectorAll(".takeaway .copy")) {
  const text = button.closest(".takeaway").querySelector("textarea"), said = button.parentElement.querySelector("output");
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", () => navigator.clipboard.writeText(text.value).then(
    () => { said.textContent = "Copied."; },
    () => { text.closest("details").open = true; text.select(); said.textContent = "Select and copy the text below."; },
  ));
}
makeCopyable(document);
