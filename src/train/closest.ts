/**
 * The most similar word: the one that can be reached with the fewest insertions, deletions and replacements of a
 * character; the first one if there are several.
 * @param words at least one
 */
export function closest(word: string, words: readonly string[]): string {
  const distances = words.map((other) => editDistance(word, other));
  return words[distances.indexOf(Math.min(...distances))]!;
}

/** Levenshtein's distance by Wagner and Fischer's table, one row at a time. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row.at(-1)!;
}
