// The week grid by keyboard: arrows move, Enter or a digit edits, Tab goes on, Delete clears, Ctrl-C/V copies.
import htmx from "htmx.org";
import { prose, seconds } from "./entries.js";
import { say } from "./toasts.js";

const grid = () => document.querySelector("table.week[role=grid]");
const rows = () => [...grid().querySelectorAll("tbody tr[data-project]")];
const cellAt = (row, column) => rows()[row]?.querySelectorAll("button[data-day]")[column];
let spot = { row: 0, column: 0 };
let anchor = null;

const spotOf = (button) => {
  const row = button.closest("tr");
  return { row: rows().indexOf(row), column: [...row.querySelectorAll("button[data-day]")].indexOf(button) };
};

function focus(row, column) {
  const button = cellAt(Math.min(Math.max(row, 0), rows().length - 1), Math.min(Math.max(column, 0), 6));
  if (!button) return;
  for (const other of grid().querySelectorAll("button[data-day]")) other.tabIndex = -1;
  button.tabIndex = 0;
  spot = spotOf(button);
  button.focus();
}

/** Send one cell; the server answers with the grid as it is then. */
async function send(button, text) {
  const row = button.closest("tr");
  const values = { day: button.dataset.day, project_id: row.dataset.project, task_id: row.dataset.task, duration: text };
  await htmx.ajax("POST", grid().dataset.cell, { values, target: "#week", swap: "outerHTML", source: document.body });
}

function edit(button, first = null) {
  if (button.dataset.open) {
    location.href = button.dataset.open;
    return;
  }
  const cell = button.parentElement;
  const field = document.createElement("input");
  field.value = first ?? button.dataset.value;
  field.inputMode = "decimal";
  field.setAttribute("aria-label", button.getAttribute("aria-label"));
  const tip = document.createElement("span");
  tip.className = "tip reads";
  tip.setAttribute("role", "status");
  button.hidden = true;
  cell.classList.add("editing");
  cell.append(field, tip);
  const read = () => {
    const length = field.value.trim() ? seconds(field.value) : 0;
    tip.textContent = length === null ? "?" : `= ${prose(length)}`;
  };
  let closed = false;
  const close = async (keep, next = spot) => {
    if (closed) return;
    closed = true;
    const changed = keep && field.value.trim() !== button.dataset.value;
    const unclear = changed && field.value.trim() && seconds(field.value) === null;
    const text = field.value;
    field.remove();
    tip.remove();
    cell.classList.remove("editing");
    button.hidden = false;
    if (unclear) say({ text: `${text}: 1:30 · 1.5 · 1h 30m · 90m`, kind: "bad" });
    else if (changed) await send(button, text);
    focus(next.row, next.column);
  };
  field.addEventListener("input", read);
  field.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") close(true, { row: spot.row + 1, column: spot.column });
    else if (event.key === "Tab") {
      event.preventDefault();
      close(true, { row: spot.row, column: spot.column + (event.shiftKey ? -1 : 1) });
    } else if (event.key === "Escape") close(false);
  });
  field.addEventListener("blur", () => close(true));
  read();
  field.focus();
  if (first === null) field.select();
}

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

document.addEventListener("keydown", async (event) => {
  const button = event.target.closest?.("table.week button[data-day]");
  if (!button) return;
  spot = spotOf(button);
  const [down, right] = MOVES[event.key] ?? [];
  if (down !== undefined) {
    event.preventDefault();
    if (event.shiftKey) anchor ??= { ...spot };
    else anchor = null;
    focus(spot.row + down, spot.column + right);
  } else if (event.key === "Enter" || event.key === "F2") {
    event.preventDefault();
    edit(button);
  } else if (event.key === "Tab" && spot.column + (event.shiftKey ? -1 : 1) >= 0 && spot.column + (event.shiftKey ? -1 : 1) < 7) {
    event.preventDefault();
    focus(spot.row, spot.column + (event.shiftKey ? -1 : 1));
  } else if (event.key === "Delete" || event.key === "Backspace") {
    event.preventDefault();
    if (button.dataset.value && !button.dataset.open) {
      const { row, column } = spot;
      await send(button, "");
      focus(row, column);
    }
  } else if (/^[\d.,:]$/.test(event.key) && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    edit(button, event.key);
  } else if (event.key === "+") document.querySelector(".addrow .picker summary")?.click();
});

const block = () => {
  const other = anchor ?? spot;
  const [top, bottom] = [Math.min(other.row, spot.row), Math.max(other.row, spot.row)];
  const [left, right] = [Math.min(other.column, spot.column), Math.max(other.column, spot.column)];
  return { top, bottom, left, right };
};

document.addEventListener("copy", (event) => {
  if (!document.activeElement.matches("table.week button[data-day]")) return;
  const { top, bottom, left, right } = block();
  const lines = [];
  for (let row = top; row <= bottom; row += 1) {
    const line = [];
    for (let column = left; column <= right; column += 1) line.push(cellAt(row, column).dataset.value);
    lines.push(line.join("\t"));
  }
  event.clipboardData.setData("text/plain", lines.join("\n"));
  event.preventDefault();
});

document.addEventListener("paste", async (event) => {
  if (!document.activeElement.matches("table.week button[data-day]")) return;
  event.preventDefault();
  const start = { ...spot };
  const lines = event.clipboardData.getData("text/plain").replace(/\r/g, "").replace(/\n$/, "").split("\n");
  for (const [down, line] of lines.entries()) {
    for (const [right, text] of line.split("\t").entries()) {
      const button = cellAt(start.row + down, start.column + right);
      if (!button || button.dataset.open || button.dataset.value === text.trim()) continue;
      if (text.trim() && seconds(text) === null) continue;
      await send(button, text.trim());
    }
  }
  focus(start.row, start.column);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest("table.week button[data-day]");
  if (!button) return;
  focus(spotOf(button).row, spotOf(button).column);
  edit(button);
});

const first = grid() && cellAt(0, 0);
if (first) first.tabIndex = 0;
document.addEventListener("htmx:afterSwap", () => {
  if (grid() && !grid().querySelector("button[tabindex='0']")) {
    const button = cellAt(spot.row, spot.column) ?? cellAt(0, 0);
    if (button) button.tabIndex = 0;
  }
});
