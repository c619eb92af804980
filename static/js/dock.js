// The chips and slots say what is chosen.
const one = (selector) => document.querySelector(`#edit-form ${selector}`);
const write = (selector, words) => {
  const place = one(selector);
  if (place) place.textContent = words;
};

function saySamples(number) {
  write("[data-samples-label]", number === "1" ? "1 picture" : `${number} pictures`);
  write("[data-cost]", number);
}

// A picture that can't be used can't be edited, nor be the second one.
function sayUsable() {
  const words = one("[name=second]:checked")?.parentElement.querySelector("[data-expired]");
  one("[data-second-expired]").hidden = !words;
  if (words) one("[data-second-words]").replaceChildren(...words.cloneNode(true).childNodes);
  const none = one("[data-left]").textContent === "0";
  one(".run").disabled = Boolean(words) || none || "unusable" in one("#slots").dataset;
}

function saySecond() {
  const slot = one("[data-drop=second]");
  const chosen = one("[name=second]:checked");
  const picture = chosen?.value ? chosen.parentElement.querySelector("img, .thumb-empty") : null;
  const summary = slot.querySelector("summary");
  summary.querySelector("img, .thumb-empty")?.remove();
  if (picture) summary.prepend(picture.cloneNode(true));
  slot.classList.toggle("filled", Boolean(picture));
  slot.querySelector("[data-clear-second]").hidden = !picture;
  sayUsable();
}

document.addEventListener("input", ({ target }) => {
  if (!target.closest("#edit-form")) return;
  if (target.name === "ratio") {
    write("[data-shape-label]", target.dataset.label);
    write("[data-shape-size]", target.dataset.size);
  } else if (target.name === "samples") saySamples(target.value);
  else if (target.name === "seed") write("[data-seed-label]", target.value.trim() || "random");
  else if (target.name === "strength") write("[data-strength-label]", String(Number(target.value)));
  else if (target.name === "negative_prompt") one("[data-more-dot]").hidden = !target.value.trim();
  else if (target.name === "second") saySecond();
});

document.addEventListener("click", ({ target }) => {
  const button = target.closest("button");
  if (!button?.closest("#edit-form")) return;
  const seed = one("#seed");
  if ("seedDraw" in button.dataset) seed.value = crypto.getRandomValues(new Uint32Array(1))[0];
  else if ("seedClear" in button.dataset) seed.value = "";
  else if ("clearSecond" in button.dataset) {
    one("[name=second][value='']").checked = true;
    saySecond();
    return;
  } else return;
  seed.dispatchEvent(new Event("input", { bubbles: true }));
});

// What is left stands at the top; the button repeats it. A picture may turn out to be unusable only by now.
document.addEventListener("htmx:load", ({ target }) => {
  if (target.id === "slots") sayUsable();
  if (target.id === "edits-left" && one("[data-left]")) {
    write("[data-left]", target.querySelector("strong").textContent);
    sayUsable();
  }
});

// An upload that was meant for the second slot: offered among the pictures, and chosen.
document.addEventListener("retake:second", ({ detail }) => {
  const label = document.createElement("label");
  label.className = "pick";
  label.title = detail.name;
  const radio = document.createElement("input");
  radio.type = "radio";
  radio.name = "second";
  radio.value = detail.id;
  radio.setAttribute("aria-label", detail.name);
  const picture = document.createElement("img");
  picture.src = detail.preview;
  picture.alt = "";
  label.append(radio, picture);
  one("[data-picks]").append(label);
  radio.checked = true;
  saySecond();
});
