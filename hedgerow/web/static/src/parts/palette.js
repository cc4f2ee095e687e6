// The palette: go to anything by name. Ctrl/Cmd-K opens it; arrows choose, Enter opens, Esc closes.

const dialog = () => document.getElementById("palette");

function build(address) {
  const place = dialog();
  place.innerHTML = `
    <div class="input"><input type="search" name="search" role="combobox" aria-expanded="true" aria-autocomplete="list"
      aria-controls="palette-list" aria-label="Search or jump to" placeholder="Search or jump to" autocomplete="off"
      hx-get="${address}" hx-trigger="input changed delay:120ms, load" hx-target="#palette-list" hx-swap="innerHTML"
      hx-sync="this:replace"></div>
    <div class="menu" id="palette-list" role="listbox" aria-label="Found"></div>
    <footer><span><kbd>↑</kbd> <kbd>↓</kbd> move</span><span><kbd>Enter</kbd> open</span><span><kbd>Esc</kbd> close</span></footer>`;
}

export function open(htmx) {
  const project = document.body.dataset.project;
  if (!project) return;
  build(`/p/${project}/palette`);
  const place = dialog();
  htmx.process(place);
  place.showModal();
  place.querySelector("input").focus();
}

function choose(step) {
  const found = [...dialog().querySelectorAll("[role=option]")];
  if (!found.length) return;
  const at = found.findIndex((one) => one.ariaSelected === "true");
  const next = found.at((at + step + found.length) % found.length);
  for (const one of found) one.setAttribute("aria-selected", String(one === next));
  next.id ||= `palette-${found.indexOf(next)}`;
  dialog().querySelector("input").setAttribute("aria-activedescendant", next.id);
  next.scrollIntoView({ block: "nearest" });
}

export function palette(htmx) {
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette]")) open(htmx);
    if (event.target === dialog()) dialog().close();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      open(htmx);
    }
    if (!dialog()?.open) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? 1 : -1);
    }
    if (event.key === "Enter") {
      event.preventDefault();
      const chosen = dialog().querySelector('[aria-selected="true"]') ?? dialog().querySelector("[role=option]");
      chosen?.click();
    }
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "palette-list") choose(1);
  });
}
