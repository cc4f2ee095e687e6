// Copy buttons: a text given in data-copy, that of another element, or the code beside the button.

import { toast } from "./toasts.js";

export function copying() {
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-code], [data-copy-from]");
    if (!button) return;
    const from = button.dataset.copyFrom && document.querySelector(button.dataset.copyFrom);
    const text = button.dataset.copy ?? (from || button.closest(".code").querySelector("pre")).textContent;
    await navigator.clipboard.writeText(text);
    toast("Copied");
  });
  for (const select of document.querySelectorAll("[data-own-zone]")) {
    const own = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if ([...select.options].some((option) => option.value === own)) select.value = own;
  }
}
