// Columns sort by a button in their heading: once upwards, once more downwards; numbers by what they are worth.
const collator = new Intl.Collator("en", { numeric: true });
const RANKS = ["critical", "high", "medium", "low", "info"];

function makeSortable(root) {
  for (const heading of root.querySelectorAll("thead th")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...heading.childNodes);
    heading.append(button);
  }
}

function sortBy(heading) {
  const table = heading.closest("table"), body = table.tBodies[0], column = heading.cellIndex;
  const numeric = heading.classList.contains("look-number"), ranked = heading.classList.contains("look-severity");
  const way = heading.getAttribute("aria-sort") === "ascending" ? -1 : 1;
  const value = (row) => {
    const text = row.cells[column].textContent.trim();
    return numeric ? parseFloat(text.replace("−", "-")) : ranked ? RANKS.indexOf(text) : text;
  };
  const compare = (left, right) => numeric || ranked ? (left || 0) - (right || 0) : collator.compare(left, right);
  const rows = [...body.rows].map((row) => [value(row), row]);
  rows.sort(([left], [right]) => way * compare(left, right));
  for (const other of table.querySelectorAll("th[aria-sort]")) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", way > 0 ? "ascending" : "descending");
  body.append(...rows.map(([, row]) => row));
}

document.addEventListener("click", (event) => { if (event.target.closest("th .sort")) sortBy(event.target.closest("th")); });
makeSortable(document);
