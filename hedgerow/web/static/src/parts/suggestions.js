// Fields that complete themselves from the project's data: event names, property names, values.

let list = null;
let field = null;
let asked = 0;

function source(input) {
  const project = document.body.dataset.project;
  const beside = (name) => input.form?.elements[name]?.value ?? "";
  const { suggest, suggestScope, suggestKey } = input.dataset;
  const query = new URLSearchParams({ search: input.value });
  if (suggestScope) query.set("scope", beside(suggestScope) || suggestScope);
  if (suggestKey) query.set("key", beside(suggestKey));
  return `/p/${project}/suggest/${suggest}?${query}`;
}

function close() {
  list?.remove();
  list = null;
  field?.setAttribute("aria-expanded", "false");
  field?.removeAttribute("aria-activedescendant");
}

async function open(input) {
  if (!input.isConnected) return;
  const turn = ++asked;
  const reply = await fetch(source(input), { headers: { "HX-Request": "true" } });
  if (!reply.ok || turn !== asked || document.activeElement !== input) return;
  const text = await reply.text();
  close();
  field = input;
  list = document.createElement("div");
  list.className = "menu float suggestions";
  list.innerHTML = text;
  if (!list.querySelector("[role=option]")) return (list = null);
  list.id = "suggestions";
  (input.closest(".field, .rel") ?? input.parentElement).append(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-expanded", "true");
  input.setAttribute("aria-controls", "suggestions");
}

function choose(step) {
  const found = [...list.querySelectorAll("[role=option]")];
  const at = found.findIndex((one) => one.ariaSelected === "true");
  const next = found.at((at + step + found.length) % found.length);
  for (const one of found) one.setAttribute("aria-selected", String(one === next));
  next.id ||= `suggestion-${found.indexOf(next)}`;
  field.setAttribute("aria-activedescendant", next.id);
  next.scrollIntoView({ block: "nearest" });
}

function take(option) {
  const input = field;
  input.value = option.dataset.value;
  close();
  asked += 1;
  input.dispatchEvent(new Event("change", { bubbles: true }));
  if (input.matches("[data-submit]")) input.form.requestSubmit();
}

export function suggestions() {
  let wait = 0;
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-suggest]")) return;
    clearTimeout(wait);
    wait = setTimeout(() => open(event.target), 120);
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("[data-suggest]")) open(event.target);
    else if (list && !list.contains(event.target)) close();
  });
  document.addEventListener("focusout", () => setTimeout(() => document.activeElement === field || close(), 150));
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest(".suggestions [role=option]");
    if (option) {
      event.preventDefault();
      take(option);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (!list || event.target !== field) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(event.key === "ArrowDown" ? 1 : -1);
    }
    const chosen = list.querySelector('[aria-selected="true"]');
    if (event.key === "Enter" && chosen) {
      event.preventDefault();
      take(chosen);
    }
    if (event.key === "Escape") {
      event.stopPropagation();
      close();
    }
  });
}
