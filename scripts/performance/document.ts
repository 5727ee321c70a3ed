/** Writes the tables of `docs/performance.md` from the results of the benches. */

import { formatted } from "../formatted.ts";
import { iterationsSection } from "./iterations.ts";
import { machineCodeSection } from "./machine_code.ts";
import { memorySection } from "./memory.ts";
import { peersSection } from "./peers.ts";

/** Where the document lies. */
export const performancePath = new URL("../../docs/performance.md", import.meta.url);

/** What makes each part of the document that is not written by hand. */
const sections: Readonly<Record<string, () => Promise<string>>> = {
  peers: peersSection,
  "machine code": machineCodeSection,
  iterations: iterationsSection,
  memory: memorySection,
};

/**
 * The document with the tables of today's results between its marks, formatted as all files are.
 * @param written the document as it is
 * @throws {Error} if it lacks the marks of a section.
 */
export async function performanceDocument(written: string): Promise<string> {
  let document = written;
  for (const [name, section] of Object.entries(sections)) {
    const [begin, end] = [`<!-- ${name}: ./run docs -->`, `<!-- end of ${name} -->`];
    const [before, rest] = document.split(begin);
    const after = rest?.split(end)[1];
    if (after === undefined) throw new Error(`docs/performance.md has no "${begin}" before "${end}"`);
    document = `${before}${begin}\n${await section()}\n${end}${after}`;
  }
  return await formatted(document);
}
