/** How the part of a transform's shader begins that reads through textures. It is no comment: packages leave these out. */
const texturesBegin = /^fn \w*texel/im;

/**
 * A transform's shader in which an invocation takes two channels instead of four, without what reads through textures. The
 * registers that a tile of four channels takes leave room for few invocations at once on a GPU.
 */
export function inPairs(wgsl: string): string {
  const end = wgsl.search(texturesBegin);
  if (end < 0) throw new Error("the shader has no part for textures");
  return wgsl.slice(0, end)
    .replaceAll(/^alias (\w+) = vec4f;$/gm, "alias $1 = vec2f;")
    .replace("const channelsTogether = 4u;", "const channelsTogether = 2u;");
}
