// Several tabs and devices show the same timer within two seconds.
//
// Tabs of one browser tell one another; other devices are noticed by asking whether the timer is still
// the one this page knows. A machine that slept asks at once when it wakes.
import htmx from "htmx.org";
import { part } from "./csrf.js";

const ASK_MS = 2000;
const channel = "BroadcastChannel" in window ? new BroadcastChannel("timetracker") : null;
const timer = () => document.getElementById("timer");
let asking = false;

/** Show the timer as the server has it, unless somebody is typing in it. */
async function look({ force = false } = {}) {
  const node = timer();
  if (!node || asking || document.hidden) return;
  if (!force && node.contains(document.activeElement) && document.activeElement.matches("input")) return;
  asking = true;
  try {
    const seen = force ? "" : `?seen=${encodeURIComponent(node.dataset.seen)}`;
    const html = await part(`${node.dataset.from}${seen}`);
    if (html.trim() && timer() === node) {
      htmx.swap(node, html, { swapStyle: "outerHTML" });
      document.body.dispatchEvent(new CustomEvent("changed"));
    }
  } catch {
    // Without a connection the page keeps counting; the next answer corrects it.
  } finally {
    asking = false;
  }
}

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && event.detail.requestConfig?.verb === "post") channel?.postMessage("changed");
});
channel?.addEventListener("message", () => look({ force: true }));
document.addEventListener("visibilitychange", () => look({ force: true }));
addEventListener("pageshow", (event) => event.persisted && look({ force: true }));
setInterval(look, ASK_MS);
