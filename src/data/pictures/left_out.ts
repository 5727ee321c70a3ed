import { printable } from "../../formats/text.ts";
import { foldersOf, picturesOf, type PictureTree } from "./tree.ts";

/** Folders that a summary names. */
const mostNamed = 5;

/** Counts what is in a folder of pictures and not used. */
export class LeftOut {
  #beside = 0;
  #others = 0;
  readonly #formats = new Map<string, number>();
  readonly #empty: string[] = [];
  readonly #unused: string[] = [];

  /** Files directly in a folder whose pictures are used, or that holds the sets' folders. */
  files({ unread, others }: PictureTree): void {
    for (const format of unread) this.#formats.set(format, (this.#formats.get(format) ?? 0) + 1);
    this.#others += others;
  }

  /** Everything beside class folders. */
  besideClasses(tree: PictureTree): void {
    this.#beside += tree.pictures.length;
    this.files(tree);
  }

  /** Everything in a class folder, or below it, that is not a picture. */
  below(tree: PictureTree): void {
    for (const folder of foldersOf(tree)) this.files(folder);
    if (picturesOf(tree).length === 0) this.#empty.push(printable(tree.name));
  }

  /** A whole folder. */
  unused(tree: PictureTree): void {
    const pictures = picturesOf(tree).length;
    if (pictures > 0) this.#unused.push(`${printable(tree.name)}/ (${counted(pictures, "picture")})`);
    else this.below(tree);
  }

  /** All of it, to follow what is used; empty if there is nothing. */
  describe(): string {
    const unread = [...this.#formats.values()].reduce((sum, number) => sum + number, 0);
    const formats = [...this.#formats].map(([name, number]) => `${number} ${name}`).join(", ");
    const parts = [
      this.#beside > 0 ? `${counted(this.#beside, "picture")} beside the class folders` : "",
      unread > 0 ? `${counted(unread, "picture")} of formats that are not read (${formats})` : "",
      this.#others > 0 ? counted(this.#others, "other file") : "",
      this.#empty.length > 0
        ? `${counted(this.#empty.length, "folder")} without pictures (${listed(this.#empty)})`
        : "",
      this.#unused.length > 0 ? `all of ${listed(this.#unused)}` : "",
    ].filter((part) => part !== "");
    return parts.length === 0 ? "" : `; left out: ${parts.join(", ")}`;
  }
}

function counted(number: number, noun: string): string {
  return `${number.toLocaleString("en")} ${noun}${number === 1 ? "" : "s"}`;
}

function listed(names: readonly string[]): string {
  return names.slice(0, mostNamed).join(", ") + (names.length > mostNamed ? ", …" : "");
}
