/** npm and Node, as users of the package have them. */

import assert from "node:assert/strict";

/** Why npm cannot be used here, or undefined if it can. */
export async function npmProblem(): Promise<string | undefined> {
  try {
    const { success } = await new Deno.Command("npm", {
      args: ["view", "@webgpu/types@0.1.74", "version"],
      stdout: "null",
      stderr: "null",
    }).output();
    return success ? undefined : "the npm registry cannot be reached";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "npm is not installed";
    throw error;
  }
}

/** Why Node cannot run programs that need version `least` or later, or undefined if it can. */
export async function nodeProblem(least: number): Promise<string | undefined> {
  try {
    const version = await command("node", ["--version"], ".");
    return Number.parseInt(version.slice(1)) >= least ? undefined : `Node is ${version.trim()}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "Node is not installed";
    throw error;
  }
}

/** Runs a program to its end and returns what it printed. */
export async function command(program: string, args: readonly string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd }).output();
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert(success, `${program} ${args.join(" ")}\n${output}\n${errors}`);
  return output!;
}
