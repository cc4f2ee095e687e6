// Choosing a project and task: a button that opens a list with a search field.
import { part, post } from "./csrf.js";

const WAIT_MS = 120;

async function fill(picker, text) {
  const list = picker.querySelector("[data-list]");
  picker.dataset.asked = text;
  const html = await part(`${picker.dataset.picker}?q=${encodeURIComponent(text)}`);
  if (picker.dataset.asked === text) list.innerHTML = html;
  select(picker, list.querySelector("[role=option]"));
}

function select(picker, option) {
  picker.querySelectorAll("[aria-selected]").forEach((node) => node.removeAttribute("aria-selected"));
  option?.setAttribute("aria-selected", "true");
  option?.scrollIntoView({ block: "nearest" });
}

function move(picker, step) {
  const options = [...picker.querySelectorAll("[role=option]")];
  const at = options.findIndex((node) => node.getAttribute("aria-selected"));
  select(picker, options[Math.min(Math.max(at + step, 0), options.length - 1)]);
}

/** Put a choice into a picker, without telling the server. */
export function choose(picker, { project, task, hue, label }) {
  picker.querySelector("[name=project_id]").value = project;
  picker.querySelector("[name=task_id]").value = task;
  picker.querySelector("[data-picked]").textContent = label;
  const dot = picker.querySelector("[data-picked-dot]");
  dot.className = `dot sq s${hue}`;
}

function take(picker, option) {
  choose(picker, option.dataset);
  picker.open = false;
  picker.querySelector("summary").focus();
  picker.dispatchEvent(new Event("change", { bubbles: true }));
  if (picker.dataset.post) {
    const form = picker.closest("form");
    post(picker.dataset.post, Object.fromEntries(new FormData(form)));
  }
}

document.addEventListener(
  "toggle",
  (event) => {
    const picker = event.target;
    if (!picker.matches?.("[data-picker]")) return;
    picker.querySelector("[data-options]").hidden = !picker.open;
    if (!picker.open) return;
    const find = picker.querySelector("[data-find]");
    find.value = "";
    find.focus();
    fill(picker, "");
  },
  true,
);

let waiting;
document.addEventListener("input", (event) => {
  const find = event.target.closest("[data-find]");
  if (!find) return;
  event.stopPropagation();
  clearTimeout(waiting);
  waiting = setTimeout(() => fill(find.closest("[data-picker]"), find.value), WAIT_MS);
});

document.addEventListener("change", (event) => event.target.matches("[data-find]") && event.stopPropagation(), true);

document.addEventListener("keydown", (event) => {
  const picker = event.target.closest?.("[data-picker]");
  if (!picker?.open) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    move(picker, event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && event.target.matches("[data-find]")) {
    event.preventDefault();
    const chosen = picker.querySelector("[aria-selected=true]");
    if (chosen) take(picker, chosen);
  } else if (event.key === "Escape") {
    event.stopPropagation();
    picker.open = false;
    picker.querySelector("summary").focus();
  }
});

document.addEventListener("click", (event) => {
  const option = event.target.closest("[data-picker] [role=option]");
  if (option) take(option.closest("[data-picker]"), option);
  for (const open of document.querySelectorAll("details.picker[open], details.drop[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});
