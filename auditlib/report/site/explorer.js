// The list of all findings: searched and filtered; the view is in the address, so that it can be shared.
// It is made from the findings in the sections below, which stay the only copy of the evidence.
{
  const panel = document.querySelector(".explorer");
  const form = panel && panel.querySelector("form");
  const list = panel && panel.querySelector(".entries");
  const more = panel && panel.querySelector(".more");
  const FEW = 10, MANY = 100, ANCHOR = "#explorer";
  const SEVERITIES = ["critical", "high", "medium", "low", "info"];
  const KEYS = ["area", "file", "service", "rule", "source", "status", "since"];
  let entries = [], matches = [], limit = FEW, opened = "";

  const entryOf = (element) => {
    const entry = { element, id: element.id.replace("finding-", "") };
    for (const key of ["severity", ...KEYS]) entry[key] = element.getAttribute(`data-${key}`); // faster than dataset
    [, entry.file, entry.line] = element.firstElementChild.lastElementChild.textContent.match(/^(.*?)(?::(\d+))?$/s);
    entry.sources = entry.source.split(", ");
    entry.text = `${element.firstElementChild.textContent} ${entry.rule} ${entry.service} ${element.id}`.toLowerCase();
    return entry;
  };

  const collect = () => {
    entries = [...document.querySelectorAll("main .finding")].map(entryOf);
    entries.sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity));
  };

  const values = (entry, key) => (key === "source" ? entry.sources : entry[key] ? [entry[key]] : []);

  const offer = () => {
    for (const key of KEYS) {
      const select = form.elements[key], counts = new Map(), names = JSON.parse(select.dataset.names || "{}");
      for (const entry of entries) for (const value of values(entry, key)) counts.set(value, (counts.get(value) || 0) + 1);
      select.parentElement.hidden = counts.size < 2;
      for (const value of [...counts.keys()].sort()) select.append(new Option(`${names[value] || value} (${counts.get(value)})`, value));
    }
  };

  const chosen = () => {
    const view = new URLSearchParams();
    if (form.elements.q.value.trim()) view.set("q", form.elements.q.value.trim());
    const severities = [...form.elements.severity].filter((box) => box.checked).map((box) => box.value);
    if (severities.length) view.set("severity", severities.join(","));
    for (const key of KEYS) if (form.elements[key].value) view.set(key, form.elements[key].value);
    return view;
  };

  const remember = () => {
    const view = chosen();
    if (opened) view.set("finding", opened);
    history.replaceState(null, "", view.size ? `${ANCHOR}?${view}` : ANCHOR);
  };

  const evidence = (row, entry) => {
    fill(entry.element);
    row.append(entry.element.querySelector(".body").cloneNode(true));
    const why = entry.element.closest(".fault").querySelector(":scope > .fold.reasons");
    if (why) row.lastElementChild.append(why.cloneNode(true));
    const link = document.createElement("a");
    link.href = `#finding-${entry.id}`;
    link.className = "place";
    link.textContent = "In its section";
    row.lastElementChild.append(link);
  };

  const row = (entry) => {
    const element = document.createElement("details");
    element.className = "entry";
    element.append(entry.element.firstElementChild.cloneNode(true));
    element.addEventListener("toggle", () => {
      if (element.open && element.childElementCount === 1) evidence(element, entry);
      if (element.open) opened = entry.id; else if (opened === entry.id) opened = "";
      remember();
    });
    return element;
  };

  const show = () => {
    list.replaceChildren(...matches.slice(0, limit).map(row));
    form.querySelector("[type=reset]").hidden = !chosen().size;
    panel.querySelector(".none").hidden = matches.length > 0;
    more.hidden = matches.length <= limit;
    more.textContent = `Show ${Math.min(MANY, matches.length - limit)} more`;
    panel.querySelector("output").textContent = `${matches.length} of ${entries.length} findings`;
  };

  const filter = () => {
    const view = chosen(), words = (view.get("q") || "").toLowerCase().split(/\s+/), severities = view.get("severity");
    const found = entries.filter((entry) =>
      words.every((word) => entry.text.includes(word)) &&
      KEYS.every((key) => !view.has(key) || values(entry, key).includes(view.get(key))));
    for (const box of form.elements.severity) {
      box.nextElementSibling.nextElementSibling.textContent = found.filter((entry) => entry.severity === box.value).length;
    }
    matches = severities ? found.filter((entry) => severities.split(",").includes(entry.severity)) : found;
    limit = FEW;
    show();
  };

  const restore = () => {
    if (!location.hash.startsWith(`${ANCHOR}?`)) return;
    const view = new URLSearchParams(location.hash.slice(ANCHOR.length + 1));
    form.elements.q.value = view.get("q") || "";
    for (const box of form.elements.severity) box.checked = (view.get("severity") || "").split(",").includes(box.value);
    for (const key of KEYS) form.elements[key].value = view.get(key) || "";
    filter();
    const position = matches.findIndex((entry) => entry.id === view.get("finding"));
    if (position >= limit) { limit = position + 1; show(); }
    panel.scrollIntoView();
    if (position >= 0) { list.children[position].open = true; list.children[position].scrollIntoView({ block: "nearest" }); }
  };

  const walk = (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const rows = [...list.querySelectorAll(".entry > summary")], at = rows.indexOf(document.activeElement);
    if (!step || at < 0 || !rows[at + step]) return;
    event.preventDefault();
    rows[at + step].focus();
  };

  // A cell that a spreadsheet would take for a formula is marked as text.
  const cell = (text) => `"${text.replace(/^[=+\-@\t\r]/, "'$&").replaceAll('"', '""')}"`;

  const record = ({ element, ...entry }) => {
    const body = document.createElement("template"), kept = element.querySelector(":scope > noscript");
    if (kept) body.innerHTML = kept.textContent; else body.content.append(element.querySelector(".body").cloneNode(true));
    const words = (found, without) => {
      const whole = found?.cloneNode(true);
      whole?.querySelectorAll(without).forEach((part) => part.remove());
      return (whole?.textContent ?? "").trim();
    };
    const title = words(element.closest(".fault").querySelector("h4"), ".count");
    const message = words(element.querySelector(".message"), ".status");
    const advice = words(body.content.querySelector(".remedy"), "b");
    return [entry.severity, entry.area, entry.rule, title, entry.file, entry.line ?? "", entry.service, message, advice, entry.source, entry.id, entry.status];
  };

  const download = () => {
    const columns = ["severity", "area", "rule", "title", "file", "line", "service", "message", "recommendation", "source", "fingerprint", "status"];
    const text = [columns, ...matches.map(record)].map((row) => row.map(cell).join(",")).join("\n");
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${text}\n`], { type: "text/csv" }));
    link.download = "findings.csv";
    link.click();
    URL.revokeObjectURL(link.href);
  };

  const change = () => { opened = ""; filter(); remember(); };

  if (panel) {
    collect();
    offer();
    filter();
    panel.hidden = entries.length === 0;
    form.addEventListener("input", change);
    form.addEventListener("reset", () => setTimeout(change));
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector(".download").addEventListener("click", download);
    more.addEventListener("click", () => { const first = limit; limit += MANY; show(); list.children[first].firstElementChild.focus(); });
    list.addEventListener("keydown", walk);
    addEventListener("hashchange", restore);
    restore();
  }
}
