// Keys of one letter, digit or sign: whoever presses them unmeant, or speaks to a computer, can switch them off.
const KEY = "letter-keys";

export const lettersWork = () => localStorage.getItem(KEY) !== "off";

export function setLetters(work) {
  if (work) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, "off");
}
