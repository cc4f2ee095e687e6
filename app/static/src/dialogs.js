// Forms that open over the page. Without scripts their links lead to a page of their own.
import htmx from "htmx.org";
import { part } from "./csrf.js";

/** Open the form at `address` in a dialog. */
export async function open(address) {
  document.querySelector("dialog.form")?.remove();
  const dialog = document.createElement("dialog");
  dialog.className = "dialog form";
  dialog.innerHTML = await part(address);
  document.body.append(dialog);
  htmx.process(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.showModal();
  dialog.querySelector("[autofocus]")?.focus();
  return dialog;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-dialog], button[data-dialog]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    const drop = link.closest("details.drop[open]");
    if (drop) {
      drop.open = false; // the menu does not wait behind, and the focus comes back to its button
      drop.querySelector("summary").focus();
    }
    open(link.dataset.address ?? link.href);
  }
  if (event.target.closest("[data-close]")) event.target.closest("dialog")?.close();
});

// The server says when a form is done.
document.addEventListener("done", () => document.querySelector("dialog.form")?.close());
