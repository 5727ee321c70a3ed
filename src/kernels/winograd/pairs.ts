/**
 * The beginning of the part of a transform's shader that reads through textures. It is code, because packages leave out
 * comments.
 */
const texturesBegin = /^fn \w*texel/im;

/**
 * A transform's shader in which an invocation takes two channels instead of four, without the part that reads through
 * textures. A tile of four channels takes registers that leave room for few invocations at once on a GPU.
 */
export function inPairs(wgsl: string): string {
  const end = wgsl.search(texturesBegin);
  if (end < 0) throw new Error("the shader has no part for textures");
  return wgsl.slice(0, end)
    .replaceAll(/^alias (\w+) = vec4f;$/gm, "alias $1 = vec2f;")
    .replace("const channelsTogether = 4u;", "const channelsTogether = 2u;");
}
