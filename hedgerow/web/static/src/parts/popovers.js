// Menus are <details class="pop">: they open without a script. With one, a click outside or Esc
// closes them, arrows walk through them, and the focus goes back to where it came from.

const OPEN = "details.pop[open]";

function close(pop, { focus = false } = {}) {
  pop.open = false;
  if (focus) pop.querySelector("summary").focus();
}

function walk(pop, step) {
  const entries = [...pop.querySelectorAll(".menu :is(a, button):not([hidden])")];
  const next = entries.indexOf(document.activeElement) + step;
  entries.at(next % entries.length)?.focus();
}

/** Keep an open menu inside the window. */
function place(pop) {
  const menu = pop.querySelector(":scope > .menu");
  if (!menu) return;
  menu.classList.remove("end", "up");
  const box = menu.getBoundingClientRect();
  if (box.right > innerWidth - 8) menu.classList.add("end");
  if (box.bottom > innerHeight - 8 && pop.getBoundingClientRect().top > box.height) menu.classList.add("up");
}

export function popovers() {
  document.addEventListener("click", (event) => {
    for (const pop of document.querySelectorAll(OPEN)) {
      const inside = pop.contains(event.target);
      const chosen = event.target.closest(".menu button[type=button], .menu a");
      if (!inside || (chosen && pop.contains(chosen) && !chosen.closest("[data-stay]"))) close(pop);
    }
  });
  document.addEventListener("keydown", (event) => {
    const pop = document.activeElement?.closest(OPEN) ?? document.querySelector(OPEN);
    if (!pop) return;
    if (event.key === "Escape") {
      close(pop, { focus: true });
      event.stopPropagation();
    }
    const typing = document.activeElement?.matches("input, select, textarea");
    if (!typing && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
      event.preventDefault();
      walk(pop, event.key === "ArrowDown" ? 1 : -1);
    }
  });
  document.addEventListener(
    "toggle",
    (event) => {
      if (event.target.matches?.(OPEN)) place(event.target);
    },
    true,
  );
}
