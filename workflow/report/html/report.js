// Sorting of tables, the chain behind a cell, and the browser of subjects.
const data = JSON.parse(document.getElementById("provenance").textContent);
const dialog = document.getElementById("chain");

function add(parent, tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  parent.append(element);
  return element;
}

function list(title, lines) {
  if (!lines.length) return;
  add(dialog, "h3", title);
  const items = add(dialog, "ul");
  for (const line of lines) add(items, "li", line);
}

function entries(values) {
  return Object.entries(values).map(([name, value]) => `${name}: ${JSON.stringify(value)}`);
}

function fileLine({ path, md5, size, commit }) {
  return `${path} · md5 ${md5} · ${size} bytes · commit ${commit || "unknown"}`;
}

function showChain(button) {
  const [number, sources] = data.cells[button.dataset.cell];
  const chain = data.chains[number];
  const links = chain.links.map((link) => data.links[link]);
  dialog.replaceChildren();
  const form = add(dialog, "form", "", { method: "dialog" });
  add(form, "button", "Close", { class: "close" });
  add(dialog, "h2", "Where this number comes from", { id: "chain-title" });
  add(dialog, "p", `${button.dataset.name} = ${button.textContent}`, { class: "cell-name" });
  if (!links.length) add(dialog, "p", "dvc.lock has no record of this table.");
  list(
    "Values",
    sources.map(([path, key, count, mean]) =>
      count === null ? `${path} (absent)` : `${path}: ${key}, ${count} values, mean ${mean.toPrecision(6)}`,
    ),
  );
  const kinds = [...new Set(links.map((link) => link.kind))];
  for (const kind of kinds) {
    const files = links.filter((link) => link.kind === kind);
    const part = add(dialog, "details");
    add(part, "summary", `${kind}: ${files.length} file${files.length > 1 ? "s" : ""}`);
    const items = add(part, "ul");
    for (const file of files) {
      const item = add(items, "li", fileLine(file));
      if (kind === "config" && data.params[file.path])
        add(item, "pre", JSON.stringify(data.params[file.path], null, 1), { tabindex: "0" });
    }
  }
  list("Seeds", entries(chain.seeds));
  list("Machine", entries(data.machine));
  list("Jobs", [chain.stages.join(", ")].filter(Boolean));
  add(dialog, "h3", "Rebuild");
  add(dialog, "pre", chain.rebuild, { tabindex: "0" });
  add(dialog, "p", `Page made at commit ${data.commit || "unknown"}.`);
  dialog.showModal();
}

for (const button of document.querySelectorAll("button[data-cell]"))
  button.addEventListener("click", () => showChain(button));

function sortBy(header) {
  const table = header.closest("table");
  const column = [...header.parentElement.children].indexOf(header);
  const down = header.getAttribute("aria-sort") === "ascending";
  for (const other of header.parentElement.children) other.removeAttribute("aria-sort");
  header.setAttribute("aria-sort", down ? "descending" : "ascending");
  const key = (row) => row.children[column].dataset.sort ?? row.children[column].textContent.trim();
  const compare = (a, b) => {
    const [x, y] = [key(a), key(b)];
    if (!x || !y) return !x - !y;
    const order = isNaN(x) || isNaN(y) ? x.localeCompare(y) : x - y;
    return down ? -order : order;
  };
  const body = table.tBodies[0];
  body.append(...[...body.rows].sort(compare));
}

for (const button of document.querySelectorAll("th button"))
  button.addEventListener("click", () => sortBy(button.closest("th")));

const subjects = [...document.querySelectorAll(".subject")];
if (subjects.length) {
  const choice = document.getElementById("subject");
  const show = (index) => {
    choice.selectedIndex = (index + subjects.length) % subjects.length;
    subjects.forEach((subject, number) => (subject.hidden = number !== choice.selectedIndex));
  };
  choice.addEventListener("change", () => show(choice.selectedIndex));
  document.getElementById("previous").addEventListener("click", () => show(choice.selectedIndex - 1));
  document.getElementById("next").addEventListener("click", () => show(choice.selectedIndex + 1));
  document.getElementById("browse").hidden = false;
  show(0);
}
