// Ticking all that a page of the desk shows.
const form = document.querySelector("[data-desk-bulk]");
const boxes = () => [...form.querySelectorAll("input[name=case]:not(:disabled)")];

function say() {
  const ticked = boxes().filter((box) => box.checked).length;
  form.querySelector("[data-desk-ticked]").textContent = ticked ? `${ticked} ticked` : "";
}

if (form) {
  form.addEventListener("click", ({ target }) => {
    const all = target.closest("[data-desk-all]");
    if (!all && !target.closest("[data-desk-none]")) return;
    for (const box of boxes()) box.checked = Boolean(all);
    say();
  });
  form.addEventListener("change", say);
  addEventListener("pageshow", say);
}
