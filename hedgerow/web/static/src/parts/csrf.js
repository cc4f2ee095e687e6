// Every request of htmx carries the token of this page, as our forms do.

export function csrf() {
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRF-Token"] = document.querySelector('meta[name="csrf"]').content;
  });
}

/** Headers for a request made without htmx. */
export function headers() {
  return { "X-CSRF-Token": document.querySelector('meta[name="csrf"]').content, "HX-Request": "true" };
}
