import type { Dataset } from "../../src/data/dataset.ts";
import { loadDigits } from "../../src/data/digits.ts";

let loaded: Promise<Dataset> | undefined;

/** The digits, served next to the page and loaded on first use. */
export function digits(): Promise<Dataset> {
  return loaded ??= fetchDigits();
}

async function fetchDigits(): Promise<Dataset> {
  const response = await fetch(new URL("digits.csv.gz", import.meta.url));
  if (!response.ok) throw new Error(`the digits could not be loaded (status ${response.status})`);
  return await loadDigits(new Uint8Array(await response.arrayBuffer()));
}
