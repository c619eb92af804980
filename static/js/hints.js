// What is known to help this model, as small rules on what is written. One at a time, and none stops anybody.
const KEY = "prompt-hints";

export const hintsShown = () => localStorage.getItem(KEY) !== "off";

export function setHints(shown) {
  if (shown) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, "off");
}

const UNNAMED = [
  /^(it|they)\b/i,
  /^(this|that|these|those)\s+(is|are|should|must|needs?|to|in|into|more|less|bigger|smaller|darker|brighter)\b/i,
  /^(remove|delete|erase|replace|move|rotate|swap|enlarge|shrink|paint|(re)?colou?r)\s+(it|them)\b/i,
  /^(remove|delete|erase|replace|move|rotate|swap|enlarge|shrink|paint|(re)?colou?r)\s+(this|that|these|those)\s*([.,!]|$|\b(to|with|from|by|into|left|right|up|down|and)\b)/i,
];
const KEPT = /\b(keep|keeps|keeping|leave|leaving|without|stays?|same|only|unchanged|preserv\w+|don[’']t|do not)\b/i;
const WHAT_STAYS = /\b(keep|keeping|leave|leaving|without)\b[^.;!?\n]*/gi;
const REPLACED = /\b(backgrounds?|backdrop|replace|swap|change)\b/i;

const isUnnamed = (text) => UNNAMED.some((rule) => rule.test(text));
const isOpen = (text) => REPLACED.test(text) && !KEPT.test(text) && text.split(/\s+/).length > 2;

function isMuch(text) {
  const changes = text.replace(WHAT_STAYS, "").replace(/\bblack and white\b/gi, "");
  const sentences = changes.split(/[.;!?\n]+/).filter((each) => /\S\s+\S/.test(each));
  return sentences.length > 2 || (changes.match(/\b(and|then|also|plus)\b/gi) ?? []).length > 1;
}

const RULES = [
  [isUnnamed, "Name the thing: “the red chair” works better than “it”."],
  [isMuch, "One change at a time works best; ask for the next when this one is done."],
  [isOpen, "Say what must stay, like “keep the face and the background”."],
];

/** A sentence for whoever wrote this; empty if there is nothing to say. */
export function hintFor(words) {
  const text = words.trim().replace(/^please,?\s+/i, "");
  return RULES.find(([fits]) => fits(text))?.[1] ?? "";
}
