// The bell: its number changes when the person was told something, and its panel is asked for when it opens.
const bell = document.querySelector("[data-bell]");
const number = () => bell.querySelector("#bell-number");

bell?.addEventListener("toggle", () => {
  if (bell.open) bell.querySelector(".bell-news").dispatchEvent(new CustomEvent("look-in"));
});
document.addEventListener("retake:news", ({ detail }) => {
  if (bell && (detail.all || detail.topics.includes(`told:${number().dataset.person}`))) {
    number().dispatchEvent(new CustomEvent("told"));
  }
});
