// Light or dark: as the system says until somebody chooses. The choice is a cookie, so that the
// next page arrives in the right colours; charts are told to draw themselves again.

export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

export function theme() {
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-theme-form]")) return;
    event.preventDefault();
    toggle();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed);
}

export function toggle() {
  const next = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  document.cookie = `theme=${next}; path=/; max-age=31536000; samesite=lax`;
  changed();
}

function changed() {
  document.dispatchEvent(new CustomEvent("theme-changed"));
}
