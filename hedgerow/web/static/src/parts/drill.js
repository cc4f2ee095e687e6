// Who is behind a figure: a click on a figure or on a point of a chart asks for the persons.

/** Open the list of persons behind `who`, a part of an actors query about the figure around `element`. */
export function showPersons(element, who, htmx) {
  const holder = element.closest("[data-query]");
  const project = document.body.dataset.project;
  if (!holder || !project) return;
  const dialog = document.getElementById("dialog");
  dialog.replaceChildren();
  const asked = new URLSearchParams({ query: holder.dataset.query, who: JSON.stringify(who) });
  htmx.ajax("GET", `/p/${project}/behind?${asked}`, { target: dialog, swap: "innerHTML" });
  dialog.showModal();
}

export function drill(htmx) {
  document.addEventListener("click", (event) => {
    const figure = event.target.closest("[data-who]");
    if (figure) showPersons(figure, JSON.parse(figure.dataset.who), htmx);
    const asked = event.target.closest("[data-dialog]");
    if (asked) {
      const dialog = document.getElementById("dialog");
      dialog.replaceChildren();
      htmx.ajax("GET", asked.dataset.dialog, { target: dialog, swap: "innerHTML" });
      dialog.showModal();
    }
    const opened = event.target.closest("[data-open]");
    if (opened) document.querySelector(opened.dataset.open).showModal();
    if (event.target.closest("[data-print]")) print();
    if (event.target.closest("[data-close-dialog]")) event.target.closest("dialog").close();
  });
  document.addEventListener("who", (event) => showPersons(event.target, event.detail, htmx));
}
