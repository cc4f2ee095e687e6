// Every request htmx makes carries the token of this page.
import htmx from "htmx.org";

const token = () => document.querySelector("meta[name=csrf-token]")?.content ?? "";

document.addEventListener("htmx:configRequest", (event) => {
  event.detail.headers["X-CSRF-Token"] = token();
});

/** Send a form to the server and let htmx deal with the answer, as if a form had been submitted. */
export function post(address, values = {}, target = "#timer") {
  return htmx.ajax("POST", address, { values, target, swap: "outerHTML", source: document.body });
}

/** Ask for a part of a page. */
export async function part(address) {
  const answer = await fetch(address, { headers: { "HX-Request": "true" }, credentials: "same-origin" });
  if (answer.headers.get("HX-Redirect")) location.href = answer.headers.get("HX-Redirect");
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.text();
}
