// The time line: drag to add, move or resize an entry. Snaps to five minutes, with Alt to one.
import htmx from "htmx.org";
import { open } from "./dialogs.js";

const STEP = 5;
let drag = null;

const line = (node) => node.closest("[data-line]");
const hourHeight = (day) => day.querySelector(".track").clientHeight / Number(day.dataset.span);
const clock = (day, minutes) => {
  const at = new Date((Number(day.dataset.start) + minutes * 60) * 1000);
  const parts = new Intl.DateTimeFormat("en-GB", {
    hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: document.body.dataset.zone,
  }).format(at);
  return parts;
};

/** Minutes since the day began at a height of the pointer. */
function minutesAt(day, clientY, alt) {
  const top = day.querySelector(".track").getBoundingClientRect().top;
  const raw = ((clientY - top) / hourHeight(day)) * 60 + Number(day.dataset.from) * 60;
  const step = alt ? 1 : STEP;
  return Math.max(0, Math.round(raw / step) * step);
}

function place(node, day, from, to) {
  const hour = hourHeight(day);
  node.style.insetBlockStart = `${((from / 60) - Number(day.dataset.from)) * hour}px`;
  node.style.blockSize = `${Math.max((to - from) / 60 * hour - 2, 10)}px`;
}

document.addEventListener("pointerdown", (event) => {
  const day = line(event.target);
  if (!day || event.button !== 0 || event.pointerType === "touch" || !event.target.closest(".track")) return;
  if (event.target.closest(".gap")) return;
  const block = event.target.closest("[data-block]");
  if (event.target.closest(".block") && !block) return;
  const at = minutesAt(day, event.clientY, event.altKey);
  if (block) {
    const start = Number(day.dataset.start);
    const [from, to] = [(block.dataset.started - start) / 60, (block.dataset.ended - start) / 60];
    const resize = block.getBoundingClientRect().bottom - event.clientY < 8;
    drag = { day, block, from, to, at, resize, y: event.clientY, moved: false };
  } else {
    const ghost = document.createElement("div");
    ghost.className = "ghost";
    drag = { day, ghost, from: at, to: at, at, y: event.clientY, moved: false };
  }
});

document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  if (!drag.moved && Math.abs(event.clientY - drag.y) < 4) return;
  drag.moved = true;
  event.preventDefault();
  const now = minutesAt(drag.day, event.clientY, event.altKey);
  if (drag.ghost) {
    if (!drag.ghost.isConnected) drag.day.querySelector(".track").append(drag.ghost);
    [drag.newFrom, drag.newTo] = now < drag.at ? [now, drag.at] : [drag.at, now];
    place(drag.ghost, drag.day, drag.newFrom, drag.newTo);
    drag.ghost.textContent = `${clock(drag.day, drag.newFrom)} – ${clock(drag.day, drag.newTo)}`;
    return;
  }
  const by = now - drag.at;
  drag.newFrom = drag.resize ? drag.from : drag.from + by;
  drag.newTo = Math.max(drag.to + by, drag.newFrom + 1);
  drag.block.classList.add("dragged");
  place(drag.block, drag.day, drag.newFrom, drag.newTo);
  const label = drag.block.querySelector("span");
  label.textContent = `${clock(drag.day, drag.newFrom)} – ${clock(drag.day, drag.newTo)}`;
});

async function drop() {
  const { day, ghost, block, moved, newFrom, newTo } = drag;
  drag = null;
  if (!moved) return;
  document.addEventListener("click", (event) => { event.preventDefault(); event.stopPropagation(); }, { capture: true, once: true });
  if (ghost) {
    if (newTo - newFrom >= 1) {
      const query = new URLSearchParams({ started: clock(day, newFrom), ended: clock(day, newTo) });
      const dialog = await open(`${day.dataset.create}&${query}`);
      dialog.addEventListener("close", () => ghost.remove());
    } else ghost.remove();
    return;
  }
  const start = Number(day.dataset.start);
  const values = { started_at: Math.round(start + newFrom * 60), ended_at: Math.round(start + newTo * 60) };
  await htmx.ajax("POST", block.dataset.block, { values, swap: "none", source: block });
}

document.addEventListener("pointerup", () => drag && drop());
document.addEventListener("pointercancel", () => {
  drag?.ghost?.remove();
  drag = null;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !drag) return;
  drag.ghost?.remove();
  if (drag.block) document.body.dispatchEvent(new CustomEvent("changed"));
  drag = null;
});

// On a phone: the list, or the time line.
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-show]");
  if (!button) return;
  document.querySelector(".dayc").classList.toggle("showline", button.dataset.show === "line");
  for (const other of button.parentElement.children) {
    other.setAttribute("aria-pressed", String(other === button));
  }
});
