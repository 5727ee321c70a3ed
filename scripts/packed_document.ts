/** The Markdown files of the npm package, whose readers do not have the repository around them. */

import { dirname, join } from "node:path/posix";

/** Where the files of the repository can be read on the web. */
export interface PublishedFiles {
  /** The repository's page, without a slash at the end. */
  readonly page: string;
  /** A tag, or `HEAD`. */
  readonly revision: string;
}

/** Code in fences, code in a line, or a link or image with its text and target; a text may hold an image. */
const codeOrLink =
  /^( *)```[^]*?^\1```|`[^`\n]+`|(!?)\[((?:!\[[^\]]*\]\([^)]*\)|[^[\]])*)\]\(([^()\s]+(?:\([^()\s]*\))?)\)/gm;

/**
 * A document whose links work in the package: they lead to the web where the repository is known. Where it is not, links
 * to files of the package stay, and of all others the text remains.
 * @param path the document's path in the repository and in the package
 * @param packed paths of all files in the package
 */
export function packedDocument(
  path: string,
  text: string,
  packed: ReadonlySet<string>,
  published: PublishedFiles | undefined,
): string {
  return text.replaceAll(codeOrLink, (whole, _indent, mark, inside, target) => {
    if (target === undefined) return whole;
    const shown = packedDocument(path, inside, packed, published);
    const goal = targetInPackage(path, target, mark === "!", packed, published);
    return goal === undefined ? shown : `${mark}[${shown}](${goal})`;
  });
}

function targetInPackage(
  path: string,
  target: string,
  isImage: boolean,
  packed: ReadonlySet<string>,
  published: PublishedFiles | undefined,
): string | undefined {
  if (/^([a-z]+:|#)/.test(target)) return target;
  const [relative, anchor] = target.split("#") as [string, string?];
  const file = join(dirname(path), decodeURIComponent(relative));
  if (!published) return packed.has(file) ? target : undefined;
  const { page, revision } = published;
  const way = isImage ? "raw" : "blob";
  return `${page}/${way}/${revision}/${encodeURI(file)}${anchor === undefined ? "" : `#${anchor}`}`;
}
