// A blurred idea of pictures that nobody has asked to see: drawn from a few bytes of the page, nothing is fetched.
import { thumbHashToDataURL } from "../vendor/thumbhash/thumbhash.js";

function draw(root) {
  for (const image of root.querySelectorAll("img[data-blur]")) {
    const hash = image.dataset.blur;
    delete image.dataset.blur;
    try {
      image.src = thumbHashToDataURL(Uint8Array.from(atob(hash), (character) => character.charCodeAt(0)));
    } catch {
      // A malformed hash is no reason for anything but a plain background.
    }
  }
}
draw(document);
document.addEventListener("htmx:load", (event) => draw(event.target.parentElement ?? document));
