// A button with data-copy puts its text on the clipboard; where that is not allowed, the
// field beside it is selected, to be copied by hand.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const label = button.querySelector("span");
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    label.textContent = button.dataset.done;
  } catch {
    button.parentElement.querySelector("input")?.select();
  }
});
