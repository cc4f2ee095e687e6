// Dashboards: one tile or all compute again, a tile shows its table, full screen computes again by itself.

const WALL_MS = 60_000;
let wall = 0;

function refreshAll(htmx) {
  for (const tile of document.querySelectorAll("[data-tile][hx-get]:not([aria-busy])")) htmx.trigger(tile, "refresh-tile");
}

async function fullscreen(htmx) {
  await document.getElementById("main").requestFullscreen();
  wall = setInterval(() => refreshAll(htmx), WALL_MS);
}

async function savePng(button) {
  const place = button.dataset.of ? document.querySelector(button.dataset.of) : button.closest(".tile");
  const figure = place?.querySelector("[data-plot], [data-flow]");
  if (!figure) return;
  const { png } = await import("../charts/draw.js");
  const link = document.createElement("a");
  link.href = png(figure);
  link.download = `${button.dataset.savePng || "chart"}.png`;
  link.click();
}

export function tiles(htmx) {
  document.addEventListener("click", (event) => {
    const one = event.target.closest("button");
    if (!one) return;
    if (one.matches("[data-refresh-tile]")) htmx.trigger(one.closest("[data-tile]"), "refresh-tile");
    if (one.matches("[data-refresh-all]")) refreshAll(htmx);
    if (one.matches("[data-fullscreen]")) fullscreen(htmx);
    if (one.matches("[data-save-png]")) savePng(one);
    if (one.matches("[data-show-table], [data-show-sql]")) {
      const fold = one.closest(".tile").querySelector(one.matches("[data-show-sql]") ? "[data-sql]" : "[data-table]");
      if (fold) fold.open = !fold.open;
    }
  });
  document.addEventListener("fullscreenchange", () => {
    if (!document.fullscreenElement) clearInterval(wall);
  });
  // A form that narrows the screen keeps the rest of the address.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-keep-params]")) return;
    const given = new FormData(event.target);
    for (const [name, text] of new URLSearchParams(location.search)) {
      if (given.has(name)) continue;
      const hidden = document.createElement("input");
      Object.assign(hidden, { type: "hidden", name, value: text });
      event.target.append(hidden);
    }
  });
}
