// Small conveniences of forms.
import htmx from "htmx.org";
import { part, post } from "./csrf.js";

const WAIT_MS = 350;
let waiting;

// Filters apply by themselves; the address bar carries them.
const submit = (form) => form.requestSubmit();
document.addEventListener("change", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  if (form && !event.target.matches("[data-search]")) submit(form);
});
document.addEventListener("input", (event) => {
  const form = event.target.closest("form[data-autosubmit]");
  if (!form || !event.target.matches("[data-search]")) return;
  clearTimeout(waiting);
  waiting = setTimeout(() => submit(form), WAIT_MS);
});

// Empty fields stay out of the address.
document.addEventListener("submit", (event) => {
  if (!event.target.matches("form[data-autosubmit]")) return;
  for (const field of event.target.elements) if (!field.value && field.name) field.disabled = true;
});

// A field that is sent alone when Enter is pressed in it.
document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.("[data-post]");
  if (!field || !field.matches("input") || event.key !== "Enter") return;
  event.preventDefault();
  post(field.dataset.post, { [field.name]: field.value });
});

// The zone of this machine is the likely answer.
const guess = document.querySelector("select[data-guess-zone]:not(:disabled)");
if (guess && guess.value === "UTC") {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ([...guess.options].some((option) => option.value === here)) guess.value = here;
}

// A menu whose content is asked for when it opens.
document.addEventListener(
  "toggle",
  async (event) => {
    const source = event.target.querySelector?.(":scope > [data-load]");
    if (!event.target.open || !source) return;
    const menu = event.target.querySelector(":scope > .menu");
    menu.innerHTML = await part(source.dataset.load);
    htmx.process(menu);
  },
  true,
);
document.addEventListener("keydown", (event) => {
  const drop = event.target.closest?.("details.drop[open]");
  if (event.key !== "Escape" || !drop) return;
  event.stopPropagation();
  drop.open = false;
  drop.querySelector("summary").focus();
});

// What is to be signed is printed.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
