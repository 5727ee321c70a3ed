import assert from "node:assert/strict";
import { launchers } from "../../scripts/launchers.ts";
import * as kernels from "../../src/kernels/mod.ts";

const exported = Object.entries(kernels).flatMap(([name, value]) =>
  typeof value === "object" && "wgsl" in value ? [{ name, kernel: value }] : []
);

Deno.test("names of kernels and of their variants are unique", () => {
  const names = exported.flatMap(({ kernel: { name, variants = {} } }) => [
    name,
    ...Object.values(variants).map((variant) => variant.name),
  ]);
  assert(names.length > exported.length && exported.length > 50);
  assert.deepEqual(names.filter((name, i) => names.indexOf(name) !== i), []);
});

Deno.test("a kernel is called as its export, in snake case", () => {
  for (const { name, kernel } of exported) {
    assert.equal(kernel.name, name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
  }
});

Deno.test("every kernel is used by a test in its family's folder", async () => {
  const all = await launchers();
  assert.deepEqual(all.map(({ name }) => name).sort(), exported.map(({ name }) => name).sort());
  for (const [family, members] of Map.groupBy(all, ({ file }) => file.split("/")[0]!)) {
    const code = await testsOf(family);
    for (const { name } of members) {
      assert.match(code, new RegExp(`\\b${name}\\b`), `no test in tests/kernels/${family}/ uses ${name}`);
    }
  }
});

/** The tests of a family, without imports, comments and titles. */
async function testsOf(family: string): Promise<string> {
  const folder = new URL(`${family}/`, import.meta.url);
  const files = await Array.fromAsync(
    Deno.readDir(folder),
    ({ name }) => Deno.readTextFile(new URL(name, folder)),
  );
  return files.join("\n").replaceAll(/^import [^;]*;|\/\/.*|\/\*[^]*?\*\/|"[^"\n]*"|`[^`]*`/gm, "");
}
