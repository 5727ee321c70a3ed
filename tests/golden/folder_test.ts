import assert from "node:assert/strict";
import { goldenFiles, goldenFolder } from "./golden_file.ts";

Deno.test("golden folder holds reference files", () => {
  const kinds =
    /^((wrn_|sgld_chain|sam_(sgd|adam)|informative_init|metrics|sada_jem_(?!inputs)|pgd_|fid_inception).*\.safetensors|checkpoint_.*\.pt)$/;
  assert(goldenFiles(kinds).length > 0, `no reference file in ${goldenFolder}`);
});
