/** Where the project is published: by its git remote, or as a person says. */

import { fileURLToPath } from "node:url";

/**
 * The address of a repository's page, without `.git`, from what git or a person calls the repository.
 * @returns undefined for a folder or anything else that is not on the web
 */
export function repositoryPage(remote: string): string | undefined {
  const scp = /^(?:[\w.-]+@)?([\w.-]+\.[\w-]+):(?!\/)(.+)$/.exec(remote);
  const address = scp ? `https://${scp[1]}/${scp[2]}` : remote.replace(/^git\+/, "");
  // Neither a user's name nor a token belongs in a package.
  const parts = /^(?:https?|ssh|git):\/\/(?:[^@/]*@)?([\w.-]+)(?::\d+)?((?:\/[^/?#]+?){2,})(?:\.git)?\/*$/
    .exec(address);
  return parts ? `https://${parts[1]}${parts[2]}` : undefined;
}

/** The page of the repository that a clone of the project came from, if git knows one on the web. */
export async function originPage(project: URL): Promise<string | undefined> {
  const remote = await git(project, "remote", "get-url", "origin");
  return remote === undefined ? undefined : repositoryPage(remote);
}

/** The version's tag if the clone has it, and `HEAD` if not. */
export async function publishedRevision(project: URL, version: string): Promise<string> {
  const tag = `v${version}`;
  return await git(project, "rev-parse", "--quiet", "--verify", `refs/tags/${tag}`) ? tag : "HEAD";
}

/** What a git command prints; undefined if it fails, or there is no git. */
async function git(project: URL, ...args: string[]): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["-C", fileURLToPath(project), ...args],
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
