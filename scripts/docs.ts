/** `deno task docs`: writes the documents that are made from the sources. */

import { documentPath, kernelDocument } from "./kernel_document.ts";

await Deno.writeTextFile(documentPath, await kernelDocument());
