import { type Compiler, merged } from "../compiler.ts";
import { amdGpus, compileForAmd } from "./radv.ts";
import { amdTable } from "./table.ts";

/** RADV for each of {@link amdGpus}. */
export const amdCompilers: readonly Compiler[] = Object.entries(amdGpus).map(([gpu, properties]) => ({
  gpu,
  kind: properties.kind,
  title: `${gpu} (AMD ${properties.architecture})`,
  async compile({ tools, captured, folder, out }) {
    const result = await compileForAmd(tools, captured, folder, out, properties);
    if (!result) return "this version of Mesa does not know it";
    const kernels = merged(result.kernels);
    return { compiler: result.driver, kernels, table: amdTable(kernels) };
  },
}));
