// Live events: new ones come on top. Pause keeps them back; the words of the filter decide what is seen.

const KEPT = 200;

export function listen(root) {
  const box = root.querySelector("[data-live]");
  if (!box || box.dataset.listening) return;
  box.dataset.listening = "yes";
  const filter = document.querySelector("[data-live-filter]");
  const pause = document.querySelector("[data-live-pause]");
  const state = document.querySelector("[data-live-state]");
  const seen = new Set();
  let waiting = [];
  let paused = false;

  const fits = (row) => row.textContent.toLowerCase().includes(filter.value.trim().toLowerCase());
  const uuid = (row) => row.querySelector("tr:last-child td").textContent;

  function show(rows) {
    for (const row of rows.reverse()) {
      row.hidden = !fits(row);
      box.prepend(row);
    }
    document.querySelector("[data-live-empty]").hidden = Boolean(box.querySelector("details"));
    for (const old of [...box.querySelectorAll("details")].slice(KEPT)) old.remove();
  }

  function arrived(text) {
    const made = document.createElement("template");
    made.innerHTML = text;
    const rows = [...made.content.querySelectorAll("details")].filter((row) => !seen.has(uuid(row)));
    for (const row of rows) seen.add(uuid(row));
    if (!paused) return show(rows);
    waiting = [...rows, ...waiting].slice(0, KEPT);
    state.textContent = `Paused: ${waiting.length} waiting.`;
  }

  for (const row of box.querySelectorAll("details")) seen.add(uuid(row));
  const source = new EventSource(box.dataset.live);
  source.onmessage = (event) => arrived(event.data);
  source.onopen = () => (state.textContent = "Listening: events appear as they arrive.");
  source.onerror = () => (state.textContent = "The connection is lost; trying again.");
  source.addEventListener("failed", (event) => (state.textContent = event.data));
  addEventListener("pagehide", () => source.close());
  filter.addEventListener("input", () => {
    for (const row of box.querySelectorAll("details")) row.hidden = !fits(row);
  });
  pause.addEventListener("click", () => {
    paused = !paused;
    pause.setAttribute("aria-pressed", String(paused));
    state.textContent = paused ? "Paused." : "Listening: events appear as they arrive.";
    if (!paused) show(waiting.splice(0));
  });
}
