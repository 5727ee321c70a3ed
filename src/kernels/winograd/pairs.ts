/** Where the part of a transform's shader begins that reads through textures. */
const texturesBegin = "\n// Through textures";

/**
 * A transform's shader in which an invocation takes two channels instead of four, without what reads through textures: a tile of
 * four channels takes so many registers that few invocations run at once on a GPU.
 */
export function inPairs(wgsl: string): string {
  const end = wgsl.indexOf(texturesBegin);
  if (end < 0) throw new Error("the shader has no part for textures");
  return wgsl.slice(0, end + 1)
    .replaceAll(/^alias (\w+) = vec4f;$/gm, "alias $1 = vec2f;")
    .replace("const channelsTogether = 4u;", "const channelsTogether = 2u;");
}
