// Short messages at the bottom: 8 seconds, longer while looked at, with a way to undo.
import { post } from "./csrf.js";

const STAY_MS = 8000;
const box = () => document.getElementById("toasts");

function leaveAfterAWhile(toast) {
  let timer = setTimeout(() => toast.remove(), STAY_MS);
  const hold = () => clearTimeout(timer);
  const release = () => {
    hold();
    timer = setTimeout(() => toast.remove(), STAY_MS);
  };
  toast.addEventListener("pointerenter", hold);
  toast.addEventListener("pointerleave", release);
  toast.addEventListener("focusin", hold);
  toast.addEventListener("focusout", release);
}

/** Say something; `undo` is the address that takes it back. */
export function say({ text, kind = "good", undo = null }) {
  if (!text || !box()) return;
  const toast = document.getElementById(kind === "bad" ? "toast-bad" : "toast-template").content.firstElementChild.cloneNode(true);
  toast.querySelector("span").textContent = text;
  if (undo) {
    const button = document.getElementById("toast-undo").content.firstElementChild.cloneNode(true);
    button.dataset.undo = undo;
    button.addEventListener("click", () => {
      toast.remove();
      post(undo);
    });
    toast.append(button);
  }
  box().append(toast);
  leaveAfterAWhile(toast);
}

/** Take back what the newest toast is about. */
export function undoLast() {
  const buttons = document.querySelectorAll("#toasts [data-undo] button, #toasts button[data-undo]");
  const last = buttons[buttons.length - 1];
  last?.click();
  return Boolean(last);
}

document.addEventListener("toast", (event) => say(event.detail));
document.addEventListener("htmx:sendError", () =>
  say({ text: document.body.dataset.offline, kind: "bad" }),
);
document.querySelectorAll("[data-toast]").forEach(leaveAfterAWhile);
