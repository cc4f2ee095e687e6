// The list: choosing many, keys j k x. The form: what is typed is read back at once.
import { post } from "./csrf.js";
import { open } from "./dialogs.js";

const chosen = () => [...document.querySelectorAll("[form=bulk]:checked")];

function showBar() {
  const bar = document.getElementById("bulk");
  if (!bar) return;
  const count = chosen().length;
  bar.hidden = count === 0;
  bar.querySelector("[data-bulk-count]").textContent = String(count);
}

document.addEventListener("change", (event) => event.target.matches("[form=bulk]") && showBar());
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-bulk-none]")) {
    for (const box of chosen()) box.checked = false;
    showBar();
  }
  if (event.target.closest("[data-bulk-edit]")) {
    const query = new URLSearchParams(chosen().map((box) => ["entry", box.value]));
    open(`${document.getElementById("bulk").dataset.bulk}?${query}`);
  }
});

// j and k walk along a list, x chooses, Enter opens; a makes the same again, v divides, l types the length, b changes the chosen.
let at = -1;
const ACTS = {
  x: (row) => row?.querySelector("[form=bulk]")?.click(),
  a: (row) => row && post(`${row.querySelector("a.plain").href}/duplicate`),
  v: (row) => row && open(`${row.querySelector("a.plain").href}/split`),
  l: (row) => typeLength(row?.querySelector("button[data-length]")),
  b: () => chosen().length && document.querySelector("[data-bulk-edit]")?.click(),
};
document.addEventListener("keydown", (event) => {
  if (!["j", "k", "x", "a", "v", "l", "b", "Enter"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, textarea, select, button, a, [role=grid], dialog")) {
    if (!(event.target.closest("main .entries") && event.key !== "Enter")) return;
    if (event.target.matches("input:not([type=checkbox])")) return;
  }
  if (document.body.dataset.shortcuts === "off") return;
  const rows = [...document.querySelectorAll("main .entries > li[data-entry]")];
  if (!rows.length) return;
  if (ACTS[event.key]) {
    event.preventDefault(); // or the letter would land in the field that opens
    ACTS[event.key](rows[at]);
    return;
  }
  if (event.key === "Enter") return;
  event.preventDefault();
  at = Math.min(Math.max(at + (event.key === "j" ? 1 : -1), 0), rows.length - 1);
  (rows[at].querySelector("a.plain") ?? rows[at]).focus();
});

// A length in a list becomes a field where it stands: Enter keeps it, Escape and leaving do not.
function typeLength(button) {
  if (!button) return;
  const field = document.createElement("input");
  Object.assign(field, { className: "input num dur", value: button.dataset.length, inputMode: "decimal", autocomplete: "off" });
  field.setAttribute("aria-label", button.title);
  let shown = true;
  const back = () => {
    if (!shown) return; // taking the field away is a blur, too
    shown = false;
    field.replaceWith(button);
  };
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") {
      back();
      button.focus();
    }
    if (event.key !== "Enter") return;
    const typed = field.value.trim();
    back();
    button.focus();
    if (typed && typed !== button.dataset.length) post(button.dataset.to, { duration: typed });
  });
  field.addEventListener("blur", back);
  button.replaceWith(field);
  field.select();
}
document.addEventListener("click", (event) => typeLength(event.target.closest("button[data-length]")));

// What a length or a time is read as, the same rules as the server's.
const two = (n) => String(n).padStart(2, "0");

export function seconds(text) {
  const said = text.trim().toLowerCase().replace(",", ".");
  let found = said.match(/^(\d{1,3}):([0-5]?\d)(?::([0-5]?\d))?$/);
  if (found) return found[1] * 3600 + found[2] * 60 + Number(found[3] ?? 0);
  if (/^(\d*\.\d+|\d+\.?)$/.test(said)) {
    const value = Number(said);
    return Math.round(value * (!said.includes(".") && value >= 13 ? 60 : 3600));
  }
  found = said.match(/^(?:(\d+(?:\.\d+)?)\s*h(?:ours?|rs?|r)?)?\s*(?:(\d+(?:\.\d+)?)\s*(?:m(?:in(?:utes?)?)?)?)?$/);
  if (found && (found[1] || found[2])) return Math.round((found[1] ?? 0) * 3600 + (found[2] ?? 0) * 60);
  return null;
}

export function minutesOfDay(text) {
  const said = text.trim().toLowerCase();
  if (said === "now" || /^[-\u2212]\d+$/.test(said)) {
    const here = new Date(Date.now() - (said === "now" ? 0 : Number(said.slice(1)) * 60000));
    return here.getHours() * 60 + here.getMinutes();
  }
  const found = said.match(/^(\d{1,2})(?:[:.h]?(\d{2}))?\s*(am|pm|a|p)?$/);
  if (!found) return null;
  let [hours, minutes] = [Number(found[1]), Number(found[2] ?? 0)];
  if (found[3]) hours = (hours % 12) + (found[3][0] === "p" ? 12 : 0);
  return hours > 23 || minutes > 59 ? null : hours * 60 + minutes;
}

export const prose = (s) => (s >= 3600 ? `${Math.floor(s / 3600)}h ${two(Math.floor(s / 60) % 60)}m` : `${Math.floor(s / 60)}m`);

function read(form) {
  const node = form.querySelector("[data-reading]");
  if (!node) return;
  const kind = form.querySelector("[name=kind]:checked, [name=kind][type=hidden]")?.value;
  const value = (name) => form.querySelector(`[name=${name}]`)?.value ?? "";
  if (kind === "duration") {
    const length = value("duration") ? seconds(value("duration")) : null;
    node.textContent = length === null ? "" : `= ${prose(length)}`;
    return;
  }
  const [from, to] = [minutesOfDay(value("started")), minutesOfDay(value("ended"))];
  const clock = (m) => `${two(Math.floor(m / 60))}:${two(m % 60)}`;
  if (from === null && to === null) node.textContent = "";
  else if (to === null) node.textContent = from === null ? "" : clock(from);
  else if (from === null) node.textContent = "";
  else node.textContent = `${clock(from)} – ${clock(to)} = ${prose(((to - from + 1440) % 1440) * 60)}`;
}

document.addEventListener("input", (event) => {
  const form = event.target.closest("[data-entry-form]");
  if (form) read(form);
});
document.addEventListener("change", (event) => {
  const form = event.target.closest("[data-entry-form]");
  if (form) read(form);
});
