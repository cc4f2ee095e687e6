// Completion of descriptions from one's own recent works; a choice fills project and tags too.
import { part } from "./csrf.js";
import { choose } from "./picker.js";

const WAIT_MS = 150;
let waiting;
let box = null;

function close() {
  box?.remove();
  box = null;
}

function open(field, html) {
  close();
  if (!html.trim() || document.activeElement !== field) return;
  box = document.createElement("div");
  box.className = "menu suggestions";
  box.setAttribute("role", "listbox");
  box.innerHTML = html;
  const place = field.getBoundingClientRect();
  document.body.append(box);
  const above = place.bottom + box.offsetHeight > innerHeight;
  box.style.insetInlineStart = `${place.left + scrollX}px`;
  box.style.insetBlockStart = `${(above ? place.top - box.offsetHeight - 8 : place.bottom + 8) + scrollY}px`;
  box.style.minInlineSize = `${Math.max(place.width, 240)}px`;
  box.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    const option = event.target.closest("[role=option]");
    if (option) take(field, option);
  });
}

function take(field, option) {
  field.value = option.dataset.text;
  const picker = field.closest("form")?.querySelector("[data-picker]");
  if (picker) choose(picker, option.dataset);
  close();
  field.dispatchEvent(new Event("change", { bubbles: true }));
}

document.addEventListener("input", (event) => {
  const field = event.target.closest("[data-suggest]");
  if (!field) return;
  clearTimeout(waiting);
  waiting = setTimeout(async () => {
    const text = field.value.trim();
    open(field, text ? await part(`${field.dataset.suggest}?description=${encodeURIComponent(text)}`) : "");
  }, WAIT_MS);
});

document.addEventListener(
  "keydown",
  (event) => {
    if (!box || !event.target.matches("[data-suggest]")) return;
    const options = [...box.querySelectorAll("[role=option]")];
    const at = options.findIndex((node) => node.getAttribute("aria-selected"));
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      options[at]?.removeAttribute("aria-selected");
      const next = options[(at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length];
      next.setAttribute("aria-selected", "true");
    } else if (event.key === "Enter" && at >= 0) {
      event.preventDefault();
      event.stopPropagation();
      take(event.target, options[at]);
    } else if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
  },
  true,
);
document.addEventListener("focusout", (event) => event.target.matches?.("[data-suggest]") && close());
