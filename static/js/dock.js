// The chips and slots say what is chosen.
const one = (selector) => document.querySelector(`#edit-form ${selector}`);
const write = (selector, words) => {
  const place = one(selector);
  if (place) place.textContent = words;
};

function saySamples(number) {
  write("[data-samples-label]", number === "1" ? "1 picture" : `${number} pictures`);
  write("[data-cost]", number);
  const price = one("[data-price]");
  if (price) price.textContent = (Number(price.dataset.price) * Number(number)).toFixed(2);
}

// A picture that can't be used can't be edited, nor be the second one.
function sayUsable() {
  const expired = !one("[data-second-expired]").hidden;
  const none = one("[data-left]").textContent === "0";
  one(".run").disabled = expired || none || "unusable" in one("#slots").dataset;
}

/** What lies in the second slot: an `id`, its `name`, an element that shows it, and words on why it can't be used. */
export function fillSecond({ id = "", name = "", picture = null, expired = null } = {}) {
  const slot = one("[data-drop=second]");
  const summary = slot.querySelector("summary");
  one("[name=second]").value = id;
  summary.querySelector("img, .thumb-empty")?.remove();
  if (picture) summary.prepend(picture.cloneNode(true));
  summary.setAttribute("aria-label", id ? `Second picture: ${name}. Change it` : "Second picture: none. Choose one");
  const said = slot.querySelector("[data-second-name]");
  said.textContent = id ? name : said.dataset.none;
  slot.classList.toggle("filled", Boolean(id));
  slot.open = false;
  for (const clear of document.querySelectorAll("#slots [data-clear-second]")) clear.hidden = !id;
  one("[data-second-expired]").hidden = !expired;
  if (expired) one("[data-second-words]").replaceChildren(...expired.cloneNode(true).childNodes);
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
  else if (target.name === "keep_seed") {
    one("[data-seed-locked]").hidden = !target.checked;
    // What is kept has to be a number: that of the picture on the stage can't be known here, so one is drawn.
    if (target.checked && !one("#seed").value.trim()) one("[data-seed-draw]").click();
  }
});

document.addEventListener("click", (event) => {
  const { target } = event;
  const clear = target.closest("[data-clear-second]");
  if (clear) {
    event.preventDefault();
    fillSecond();
    document.querySelector("[data-drop=second] summary").focus();
    return;
  }
  const first = target.closest("[data-clear-source]");
  if (first) first.href = one("[name=second]").value ? `/studio/${one("[name=second]").value}/` : "/";
  const button = target.closest("button");
  if (!button?.closest("#edit-form")) return;
  const seed = one("#seed");
  if ("seedDraw" in button.dataset) seed.value = crypto.getRandomValues(new Uint32Array(1))[0];
  else if ("seedClear" in button.dataset) seed.value = "";
  else return;
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

// An upload that was meant for the second slot.
document.addEventListener("retake:second", ({ detail }) => {
  const picture = document.createElement("img");
  picture.src = detail.preview;
  picture.alt = "";
  fillSecond({ id: detail.id, name: detail.name, picture });
});
