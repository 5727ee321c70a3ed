/** Runs Python if it has the modules that a test compares against. Otherwise the test is skipped. */

import assert from "node:assert/strict";

/** The path of a Python that can import a module, or undefined. */
export async function pythonWith(module: string): Promise<string | undefined> {
  for (const path of ["python3", "/usr/bin/python3"]) {
    try {
      const { success } = await new Deno.Command(path, { args: ["-c", `import ${module}`], stderr: "null" })
        .output();
      if (success) return path;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return undefined;
}

/** Runs a script and returns what it printed. */
export async function runPython(python: string, script: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(python, { args: ["-c", script, ...args] })
    .output();
  assert(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}
