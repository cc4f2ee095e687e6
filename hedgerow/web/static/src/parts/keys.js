// Shortcuts: "?" lists them, "g" and a letter goes somewhere, "/" finds, "n" asks, "r" computes again.

const PLACES = { h: "", d: "dashboards", i: "insights", e: "events", l: "live", p: "persons", c: "cohorts", s: "settings" };
let going = false;

function typing(target) {
  return target.closest("input, select, textarea, [contenteditable]") || document.querySelector("dialog[open]");
}

function pressed(event) {
  const project = document.body.dataset.project;
  if (!project || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (going) {
    going = false;
    if (event.key in PLACES) location.href = `/p/${project}/${PLACES[event.key]}`;
    return;
  }
  const acts = {
    g: () => (going = true),
    "?": () => document.getElementById("shortcuts").showModal(),
    n: () => (location.href = `/p/${project}/insights/new`),
    r: () => document.querySelector("[data-refresh-all]")?.click(),
    "/": () => document.querySelector("[data-find]")?.focus(),
  };
  if (event.key in acts) {
    event.preventDefault();
    acts[event.key]();
  }
}

export function keys() {
  document.addEventListener("keydown", pressed);
  document.addEventListener("click", (event) => {
    if (event.target.matches("dialog#shortcuts, dialog#dialog")) event.target.close();
  });
}
