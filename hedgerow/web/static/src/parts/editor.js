// The insight editor: what the form alone cannot do.
//
// Fields inside [data-quiet] (a filter that is being written) do not ask yet; Enter presses their button.
// A range chosen from the list fills the two fields behind it. Ctrl-Enter runs a typed question.

const QUIET = "[data-quiet], [data-quiet-change]";
const unfolded = new Map();
const asked = new Map();
let typed = null;
let quiet = [];

/** Keep what is being typed while the form comes anew: the answer to an earlier change must not take it away. */
function typing() {
  const field = document.activeElement;
  if (!field?.id || !field.closest("#editor") || !field.matches("input:not([type]), textarea")) return null;
  return field.value === asked.get(field.id) ? null : { id: field.id, value: field.value, caret: field.selectionStart };
}

/** Whether the form was changed after this was asked: then it is about to ask again, for all of it. */
function outdated({ target, requestConfig }) {
  const form = document.getElementById("ask");
  if (target?.id !== "editor" || !form || requestConfig.parameters.do) return false;
  return changed(form).some((field) => !field.closest(QUIET));
}

function changed(form) {
  return [...form.elements].filter((field) => field.id && state(field) !== (asked.get(field.id) ?? state(field)));
}

function state(field) {
  return field.matches("[type=checkbox], [type=radio]") ? field.checked : field.value;
}

function typeOn({ id, value, caret }) {
  const field = document.getElementById(id);
  if (!field) return;
  field.focus();
  field.value = value;
  field.setSelectionRange(caret, caret);
  // A browser tells of no change that a script made.
  field.addEventListener("blur", () => field.value !== field.defaultValue && field.dispatchEvent(new Event("change", { bubbles: true })), { once: true });
}

/** The folds of the editor, each under what tells it from the others. */
function folds() {
  return [...document.querySelectorAll("#editor details.query, #editor details.pop")].map((fold, index, all) => {
    const title = fold.matches(".query") ? "" : fold.querySelector("summary").textContent.trim();
    return [`${title} ${all.length - index}`, fold];
  });
}

function choose(button) {
  const fields = { from: button.dataset.rangeFrom, to: button.dataset.rangeTo };
  for (const [id, value] of Object.entries(fields)) document.getElementById(id).value = value;
  document.getElementById("from").dispatchEvent(new Event("change", { bubbles: true }));
}

export function editor(htmx) {
  document.addEventListener(
    "change",
    (event) => {
      if (event.target.closest?.(QUIET)) event.stopPropagation();
      else if (event.target.form?.id === "ask" && !event.target.closest("form")) htmx.trigger("#ask", "change");
    },
    true,
  );
  // What is unfolded, the question on narrow screens or a menu just opened, stays so when the form comes anew.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (outdated(event.detail)) return (event.detail.shouldSwap = false);
    for (const [key, fold] of folds()) unfolded.set(key, fold.open);
    typed = typing();
    const form = event.detail.target?.id === "editor" && document.getElementById("ask");
    quiet = form ? changed(form).map((field) => [field.id, field.value]) : [];
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [key, fold] of folds()) fold.open = unfolded.get(key) ?? fold.open;
    for (const [id, value] of quiet) if (document.getElementById(id)) document.getElementById(id).value = value;
    if (typed) typeOn(typed);
    typed = null;
  });
  // htmx does not see buttons that stand outside of their form.
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.id === "ask") for (const field of event.target.elements)
      asked.set(field.id, state(field));
    const button = event.detail.triggeringEvent?.submitter;
    if (event.target.id === "ask" && button?.name) event.detail.parameters[button.name] = button.value;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    const quiet = event.target.closest("[data-quiet]");
    if (quiet && event.target.matches("input") && !event.defaultPrevented) {
      event.preventDefault();
      quiet.querySelector("button.primary").click();
    }
    if (event.target.id === "sql" && (event.ctrlKey || event.metaKey)) document.querySelector("[data-run]").click();
    if (event.target.id === "name") {
      event.preventDefault();
      event.target.blur();
    }
  });
  document.addEventListener("click", (event) => {
    const range = event.target.closest("[data-range-from]");
    if (range) choose(range);
    if (event.target.closest("[data-ask-again]")) {
      htmx.ajax("POST", document.getElementById("answer").getAttribute("hx-post"), {
        source: "#answer",
        target: "#answer",
        swap: "innerHTML",
        values: { refresh: "force_blocking" },
      });
    }
    // A download is a page of its own: the form goes as the browser would send it.
    const download = event.target.closest("[data-download]");
    if (download) {
      event.preventDefault();
      event.stopPropagation();
      const form = document.getElementById("ask");
      const old = form.action;
      form.action = download.formAction;
      form.submit();
      form.action = old;
    }
  });
}
