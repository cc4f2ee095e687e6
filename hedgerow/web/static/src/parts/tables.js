// Tables sort by a click on a heading: figures by their value, words by the language of the page.

const words = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

function value(cell) {
  const exact = cell?.dataset.value;
  return exact === undefined ? cell?.textContent.trim() ?? "" : Number(exact);
}

function compare(a, b) {
  if (typeof a === "number" && typeof b === "number") return a - b;
  if (typeof a === "number") return 1;
  if (typeof b === "number") return -1;
  return words.compare(a, b);
}

function sort(heading) {
  const table = heading.closest("table");
  const column = [...heading.parentElement.children].indexOf(heading);
  const down = heading.getAttribute("aria-sort") !== "descending";
  for (const other of heading.parentElement.children) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", down ? "descending" : "ascending");
  const rows = [...table.tBodies[0].rows];
  rows.sort((a, b) => compare(value(a.cells[column]), value(b.cells[column])) * (down ? -1 : 1));
  table.tBodies[0].append(...rows);
}

function prepare(root) {
  for (const heading of root.querySelectorAll("table[data-sortable] thead th")) {
    if (heading.querySelector("button") || !heading.textContent.trim()) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.append(...heading.childNodes);
    button.addEventListener("click", () => sort(heading));
    heading.append(button);
  }
}

/** A field that hides what does not hold its words, in the box it names. */
function find(field) {
  const wanted = field.value.trim().toLowerCase();
  for (const row of document.querySelectorAll(`${field.dataset.findIn} :is(details, tbody tr)`)) {
    row.hidden = !row.textContent.toLowerCase().includes(wanted);
  }
}

export function tables() {
  prepare(document);
  document.addEventListener("input", (event) => {
    if (event.target.matches("[data-find-in]")) find(event.target);
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit-change]")) event.target.form.requestSubmit();
  });
  document.addEventListener("htmx:load", (event) => prepare(event.target));
}
