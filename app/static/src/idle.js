// Was anybody there while the timer ran? Asked of Chromium's Idle Detection, never guessed.
//
// Only where the installation offers it, the browser has it (over TLS) and the person
// allowed it on the profile. When somebody comes back, the page asks; nothing changes
// until answered. The server gets the number of idle seconds, its own clock does the rest.
import { open } from "./dialogs.js";

const LEAST_MS = 60_000; // the browser takes no less
const minutes = Number(document.body.dataset.idle ?? 0);
const known = minutes > 0 && "IdleDetector" in window;
const runs = () => Boolean(document.querySelector("#timer .elapsed[data-runs='1']"));
const address = document.body.dataset.idleAsk;
let since = null;

function threshold() {
  return Math.max(LEAST_MS, minutes * 60_000);
}

function changed(detector) {
  const away = detector.userState === "idle" || detector.screenState === "locked";
  document.body.toggleAttribute("data-away", away);
  if (away) {
    since ??= Date.now() - (detector.userState === "idle" ? threshold() : 0);
    return;
  }
  const left = since;
  since = null;
  if (left === null || !runs() || document.querySelector("dialog[open]")) return;
  const seconds = Math.round((Date.now() - left) / 1000);
  if (seconds >= threshold() / 1000) open(`${address}?seconds=${seconds}`);
}

async function watch() {
  const detector = new IdleDetector();
  detector.addEventListener("change", () => changed(detector));
  await detector.start({ threshold: threshold() });
}

async function state() {
  if (!known) return "missing";
  const found = await navigator.permissions.query({ name: "idle-detection" });
  return found.state;
}

async function show() {
  const now = await state();
  for (const node of document.querySelectorAll("[data-idle-state]")) {
    node.hidden = node.dataset.idleState !== now;
  }
  if (now === "granted") await watch();
}

document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-idle-allow]")) return;
  await IdleDetector.requestPermission();
  await show();
});

if (minutes > 0) show().catch(() => {}); // a browser that changes its mind asks nothing
