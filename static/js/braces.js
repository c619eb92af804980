// Words in braces, which are filled in; in doubled braces they are meant as they stand. As `jobs.steps` reads them.
const NAME = "\\p{L}[\\p{L}\\p{N}_ -]{0,39}";

/** What split() parts a text by, so that each placeholder and each word in doubled braces is a piece of its own. */
export const BRACES = new RegExp(`(\\{\\{${NAME}\\}\\}|\\{${NAME}\\})`, "u");

/** The names in a text, each once, in small letters. */
export function namesIn(text) {
  const pieces = text.split(BRACES).filter((piece, place) => place % 2 && !piece.startsWith("{{"));
  return [...new Set(pieces.map((piece) => piece.slice(1, -1).toLowerCase()))];
}
