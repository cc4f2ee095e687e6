// Ctrl/Cmd-K: go anywhere by name, start a timer on a project. And `?`: the list of keys.
import { part, post } from "./csrf.js";

const WAIT_MS = 120;

function dialog(id, className, label) {
  document.getElementById(id)?.remove();
  const node = document.createElement("dialog");
  node.id = id;
  node.className = className;
  node.setAttribute("aria-label", label);
  document.body.append(node);
  node.addEventListener("close", () => node.remove());
  node.addEventListener("click", (event) => event.target === node && node.close());
  return node;
}

async function openPalette() {
  const node = dialog("palette", "dialog palette", document.body.dataset.sayPalette);
  const address = document.body.dataset.palette;
  if (!address) return;
  node.innerHTML = await part(address);
  node.showModal();
  const field = node.querySelector("input");
  const list = node.querySelector("[data-results]");
  let waiting;
  const mark = (option) => {
    list.querySelectorAll("[aria-selected]").forEach((n) => n.removeAttribute("aria-selected"));
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
  };
  const ask = async () => {
    const text = field.value;
    const html = await part(`${address}?q=${encodeURIComponent(text)}&list=1`);
    if (field.value === text) list.innerHTML = html;
    mark(list.querySelector("[role=option]"));
  };
  const take = (option) => {
    node.close();
    if (option.dataset.href) location.href = option.dataset.href;
    else if (option.dataset.act === "theme") document.querySelector("[data-theme-switch]")?.click();
    else if (option.dataset.start) {
      const values = { project_id: option.dataset.project ?? "", description: option.dataset.text ?? "", origin: "palette" };
      post(option.dataset.start, values);
    }
  };
  field.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(ask, WAIT_MS);
  });
  node.addEventListener("keydown", (event) => {
    const options = [...list.querySelectorAll("[role=option]")];
    const at = options.findIndex((n) => n.getAttribute("aria-selected"));
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      mark(options[(at + (event.key === "ArrowDown" ? 1 : -1) + options.length) % options.length]);
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (options[at]) take(options[at]);
    }
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) take(option);
  });
  mark(list.querySelector("[role=option]"));
}

async function openKeys() {
  const node = dialog("keys", "dialog", document.body.dataset.sayKeys);
  node.innerHTML = document.getElementById("keys-template")?.innerHTML ?? "";
  node.showModal();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("button[data-palette]")) openPalette();
  if (event.target.closest("[data-shortcut-list]")) openKeys();
});
document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    openPalette();
  }
});
