// Single keys, never active in fields; `?` lists them. Ctrl/Cmd-Enter saves, Ctrl/Cmd-Z undoes the last toast.
import { undoLast } from "./toasts.js";

const GO = { d: "dashboard", y: "day", w: "week", e: "entries", r: "reports", p: "projects" };
let went = 0;

const typing = (node) => node.closest?.("input, textarea, select, [contenteditable], [role=grid]");
const click = (selector) => {
  const node = [...document.querySelectorAll(selector)].find((n) => n.offsetParent !== null || n.closest("#timer"));
  node?.click();
  return Boolean(node);
};

const KEYS = {
  s: () => click("#timer [data-key=s]"),
  p: () => click("#timer [data-key=p]"),
  n: () => click("[data-key=n]"),
  e: () => {
    const field = document.querySelector("#timer .running .what") ?? document.querySelector("#timer .what");
    field?.focus();
    field?.select();
    return Boolean(field);
  },
  c: () => click("#timer [data-key=c]"),
  t: () => click("[data-key=t]"),
  "[": () => click("[data-key='[']"),
  "]": () => click("[data-key=']']"),
  "/": () => {
    const field = document.querySelector("main input[type=search]");
    if (field) field.focus();
    else click("[data-palette]");
    return true;
  },
  "?": () => {
    document.querySelector("[data-shortcut-list]")?.click();
    return true;
  },
};

document.addEventListener("keydown", (event) => {
  const save = event.key === "Enter" && (event.ctrlKey || event.metaKey);
  if (save) {
    const form = event.target.closest?.("form");
    if (form) {
      event.preventDefault();
      form.requestSubmit();
    }
    return;
  }
  if (event.key === "z" && (event.ctrlKey || event.metaKey) && !typing(event.target)) {
    if (undoLast()) event.preventDefault();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (typing(event.target) || document.body.dataset.shortcuts === "off") return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "g") {
    went = Date.now();
    return;
  }
  if (Date.now() - went < 1200 && GO[event.key]) {
    went = 0;
    const link = document.querySelector(`[data-go="${GO[event.key]}"]`);
    if (link) location.href = link.href;
    return;
  }
  if (/^[0-9]$/.test(event.key) && click(`[data-pin] [data-key="${event.key}"]`)) event.preventDefault();
  if (KEYS[event.key]?.()) event.preventDefault();
});
