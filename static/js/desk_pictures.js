// The pictures of a case, when somebody asks to see them: in their place, so that nothing that was typed is lost.
export function show() {
  const looks = document.querySelector("[data-desk-looks]");
  for (const frame of looks.querySelectorAll(".desk-frame[data-src]")) {
    const image = new Image();
    image.alt = frame.dataset.alt;
    image.width = frame.dataset.width;
    image.height = frame.dataset.height;
    image.src = frame.dataset.src;
    frame.replaceChildren(image);
    frame.classList.add("shown");
    delete frame.dataset.src;
  }
  looks.querySelector("[data-desk-show]")?.remove();
  document.getElementById("live").textContent = "The pictures are shown.";
}

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-desk-show]")) return;
  event.preventDefault();
  show();
});
