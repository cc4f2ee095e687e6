// Short messages at the bottom. They stay eight seconds, and for as long as they are hovered or focused.

const STAY_MS = 8000;

function icon(name) {
  const one = document.querySelector("svg.icon use");
  const file = one.getAttribute("href").split("#")[0];
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `${file}#i-${name}`);
  svg.append(use);
  return svg;
}

/** Show a message; `undo` is a function behind a button. */
export function toast(text, { bad = false, undo = null } = {}) {
  const place = document.getElementById("toasts");
  if (!place) return;
  const made = document.createElement("div");
  made.className = bad ? "toast bad" : "toast";
  const words = document.createElement("span");
  words.textContent = text;
  made.append(icon(bad ? "warning" : "check"), words);
  if (undo) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn small ghost";
    button.textContent = "Undo";
    button.addEventListener("click", () => {
      made.remove();
      undo();
    });
    made.append(button);
  }
  place.append(made);
  const leave = () => {
    if (made.matches(":hover, :focus-within")) setTimeout(leave, 2000);
    else made.remove();
  };
  setTimeout(leave, STAY_MS);
}

/** A message left for the next page by the one before: "text" or "text|address of undo". */
function kept() {
  const found = document.cookie.match(/(?:^|; )notice=([^;]*)/);
  if (!found) return;
  document.cookie = "notice=; path=/; max-age=0";
  const [text, address] = decodeURIComponent(found[1]).replace(/^"|"$/g, "").split("|");
  toast(text, { undo: address ? () => send(address) : null });
}

function send(address) {
  const form = document.createElement("form");
  form.method = "post";
  form.action = address;
  const csrf = document.createElement("input");
  csrf.type = "hidden";
  csrf.name = "csrf";
  csrf.value = document.querySelector('meta[name="csrf"]').content;
  form.append(csrf);
  document.body.append(form);
  form.submit();
}

export function notices() {
  kept();
  document.addEventListener("tell", (event) => toast(event.detail.text, event.detail));
  document.addEventListener("htmx:sendError", () => toast("No connection. What you see is kept.", { bad: true }));
}
