/** What JSON.parse() lets through: of a name that stands twice in an object, it silently takes the last value. */

const token = /"(?:[^"\\]|\\.)*"|[{}[\]:,]|[^"{}[\]:,]+/gs;

/**
 * The first name that an object of a text contains twice, however it is escaped; undefined if all objects name everything
 * once.
 * @param text valid JSON
 */
export function repeatedKey(text: string): string | undefined {
  /** The names of the objects around; nothing for a list. */
  const open: (Set<string> | undefined)[] = [];
  let string: string | undefined;
  for (const [part] of text.matchAll(token)) {
    if (part === "{") open.push(new Set());
    else if (part === "[") open.push(undefined);
    else if (part === "}" || part === "]") open.pop();
    else if (part === ":") {
      const [names, name] = [open.at(-1)!, JSON.parse(string!) as string];
      if (names.has(name)) return name;
      names.add(name);
    } else if (part.startsWith('"')) string = part;
  }
  return undefined;
}
