// Elapsed time, counted from what the server said: a wrong clock of this machine changes nothing.
const born = new WeakMap();

const exact = (s) => {
  const two = (n) => String(n).padStart(2, "0");
  return `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
};
const prose = (s) => {
  const [h, m] = [Math.floor(s / 3600), Math.floor(s / 60) % 60];
  return h ? `${h}h ${String(m).padStart(2, "0")}m` : `${m}m`;
};
const decimal = (s) => {
  const digits = { minimumFractionDigits: 2, maximumFractionDigits: 2 };
  return `${(s / 3600).toLocaleString(document.documentElement.lang || undefined, digits)} h`;
};
const styles = { prose, decimal };

function tick() {
  const now = performance.now();
  for (const node of document.querySelectorAll("[data-elapsed]")) {
    if (!born.has(node)) born.set(node, now);
    if (!node.dataset.runs) continue;
    const seconds = Number(node.dataset.elapsed) + Math.floor((now - born.get(node)) / 1000);
    const text = (styles[node.dataset.style] ?? exact)(seconds);
    if (node.textContent !== text) node.textContent = text;
    const long = Number(node.dataset.long ?? 0);
    if (long) node.closest(".timer")?.classList.toggle("long", seconds >= long);
  }
}

setInterval(tick, 250);
tick();
document.addEventListener("htmx:afterSwap", tick);
