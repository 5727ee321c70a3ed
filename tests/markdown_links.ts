/** The links of Markdown documents, and where they lead. */

import { dirname, join } from "node:path/posix";

/** Markdown without its code, because brackets in code are not links and # does not begin a heading. */
const withoutCode = (text: string) =>
  text.replaceAll(/^( *)```[^]*?^\1```/gm, "").replaceAll(/`[^`\n]+`/g, "code");

/** The links and images of a document, as written. */
export function linksOf(text: string): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^()\s]+(?:\([^()\s]*\))?)\)/g)].map(([, target]) => target!);
}

/** The anchors that GitHub gives the headings of a document. */
export function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  const outsideFences = text.replaceAll(/^( *)```[^]*?^\1```/gm, "");
  for (const [, heading] of outsideFences.matchAll(/^#{1,6} +(.*?) *$/gm)) {
    const plain = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1").toLowerCase();
    const base = plain.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(" ", "-");
    let anchor = base;
    for (let i = 1; anchors.has(anchor); i++) anchor = `${base}-${i}`;
    anchors.add(anchor);
  }
  return anchors;
}

/**
 * What is wrong with a link from a file, if anything.
 * @param folder that both are in, with a trailing slash
 */
export async function brokenLink(folder: string, file: string, link: string): Promise<string | undefined> {
  const [path, anchor] = link.split("#") as [string, string?];
  const target = path === "" ? file : join(dirname(file), decodeURIComponent(path));
  try {
    const { isFile } = await Deno.stat(folder + target);
    if (anchor === undefined) return undefined;
    if (!isFile || !target.endsWith(".md")) return `${file}: ${link} names a place in what has no headings`;
    const anchors = anchorsOf(await Deno.readTextFile(folder + target));
    return anchors.has(decodeURIComponent(anchor))
      ? undefined
      : `${file}: ${target} has no heading #${anchor}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return `${file}: there is no ${target}`;
    throw error;
  }
}
