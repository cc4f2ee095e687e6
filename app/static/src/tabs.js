// Several tabs and devices show the same timer within two seconds.
//
// Tabs of one browser tell one another. Of other devices the server tells, over one stream for each visible
// tab; where it has no stream to give, or none comes through, the page asks every two seconds whether the
// timer is still the one it knows, and tries a stream again later. A machine that slept asks when it wakes.
import htmx from "htmx.org";
import { part } from "./csrf.js";

const ASK_MS = 2000;
const AGAIN_MS = { first: 30_000, most: 300_000 };
const channel = "BroadcastChannel" in window ? new BroadcastChannel("timetracker") : null;
const timer = () => document.getElementById("timer");
const tab = (sessionStorage.tab ??= Math.random().toString(36).slice(2));
let asking = false;
let stream = null;
let told = false;
let latest = "";
let again = AGAIN_MS.first;
let waiting = 0;

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

function close() {
  stream?.close();
  stream = null;
  told = false;
}

/** Give the stream up for a while; meanwhile the page asks. */
function later() {
  close();
  clearTimeout(waiting);
  waiting = setTimeout(open, again);
  again = Math.min(again * 2, AGAIN_MS.most);
}

function open() {
  clearTimeout(waiting);
  const address = timer()?.dataset.live;
  if (!address || document.hidden || stream) return;
  stream = new EventSource(`${address}?tab=${tab}`);
  stream.addEventListener("timer", (event) => {
    told = true;
    again = AGAIN_MS.first;
    latest = event.data;
    if (timer() && timer().dataset.seen !== latest) look();
  });
  stream.addEventListener("full", later);
  stream.addEventListener("end", () => {
    close();
    look({ force: true }); // the answer leads to where one signs in
  });
  stream.addEventListener("error", () => {
    told = false;
    if (stream?.readyState === EventSource.CLOSED) later();
  });
}

document.addEventListener("htmx:afterRequest", (event) => {
  if (event.detail.successful && event.detail.requestConfig?.verb === "post") channel?.postMessage("changed");
});
channel?.addEventListener("message", () => look({ force: true }));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return close();
  look({ force: true });
  open();
});
addEventListener("pagehide", close);
addEventListener("pageshow", (event) => {
  if (event.persisted) look({ force: true });
  open();
});
setInterval(() => {
  if (!told || (timer() && timer().dataset.seen !== latest)) look(); // also what came while somebody typed
}, ASK_MS);
