/**
 * Turns a compute shader in GLSL, as SPIRV-Cross writes it from naga's SPIR-V, into CUDA's C++; `c/glsl.h` has the
 * types. Only what this project's shaders need is understood, and nvcc refuses the rest.
 */

import { ToolError } from "../tools.ts";

/** A kernel for nvcc. */
export interface CudaKernel {
  readonly text: string;
  /** Invocations in a workgroup. */
  readonly threads: number;
}

/** Arrays are values in GLSL, but not in C++. */
const arrayType = `template <typename T, int N> struct Array {
  T v[N];
  __device__ __forceinline__ T &operator[](uint i) { return v[i]; }
  __device__ __forceinline__ const T &operator[](uint i) const { return v[i]; }
};
template <typename T, typename... R> __device__ __forceinline__ Array<T, 1 + sizeof...(R)> makeArray(T a, R... r) {
  return Array<T, 1 + sizeof...(R)>{{a, r...}};
}
`;

const scalarOrVector = "(?:u|i|b)?vec\\d|float|uint|int|mat4";

/** @throws {ToolError} if the shader does not state its workgroup. */
export function toCuda(glsl: string): CudaKernel {
  const size = /layout\(local_size_x = (\d+), local_size_y = (\d+), local_size_z = (\d+)\) in;/.exec(glsl);
  if (!size) throw new ToolError("the shader has no workgroup size");
  const [x, y, z] = size.slice(1).map(Number) as [number, number, number];
  const threads = x * y * z;
  const text = [bindings, functions, arrays, swizzles].reduce(
    (text, rewrite) => rewrite(text, threads),
    glsl.replace(size[0], "").replaceAll(/#version.*|#extension.*|#ifdef[^]*?#endif/g, ""),
  );
  return {
    text: `#define LOCAL_X ${x}\n#define LOCAL_Y ${y}\n#include "glsl.h"\n${arrayType}${text}`,
    threads,
  };
}

/** Buffers become pointers with a length; uniforms and workgroup memory become what CUDA calls them. */
function bindings(text: string): string {
  return text
    .replaceAll(
      /layout\([^)]*\) (?:\w+ )*?buffer \w+\s*\{\s*(\w+) (\w+)\[\];\s*\} (\w+);/g,
      "__constant__ struct { Span<$1> $2; } $3;",
    )
    .replaceAll(/layout\([^)]*\) uniform \w+\s*\{([^}]*)\} (\w+);/g, "__constant__ struct {$1} $2;")
    .replaceAll(/^shared /gm, "__shared__ ");
}

/**
 * The shader's `main` becomes the kernel, with its workgroup known to the compiler. Functions that it calls are
 * inlined.
 */
function functions(text: string, threads: number): string {
  return text
    .replaceAll(/\binout (\w+) (\w+)/g, "$1 &$2")
    .replaceAll(/^(\w+)\[(\d+)\] (\w+\()/gm, "Array_$1_$2 $3")
    .replaceAll(
      /^(\w+) (\w+)\(([^;{}]*)\)\n\{/gm,
      (_, type: string, name: string, parameters: string) =>
        name === "main"
          ? `extern "C" __global__ void __launch_bounds__(${threads}) kernel_main()\n{`
          : `__device__ __forceinline__ ${type} ${name}(${parameters})\n{`,
    )
    .replaceAll(/^(__device__ __forceinline__ )(\w+)\[(\d+)\] /gm, "$1Array<$2, $3> ");
}

/** Two floats of a vector at once, which CUDA's have no member for. */
function swizzles(text: string): string {
  return text.replaceAll(/\b(\w+(?:\[\w+\]|\.\w+)*)\.([xyzw])([xyzw])\b/g, "vec2($1.$2, $1.$3)");
}

/** Arrays that are constructed, declared or returned. */
function arrays(text: string): string {
  return text
    .replaceAll(/\b(\w+)\[(\d+)\]\(/g, "Array<$1, $2>(")
    .replaceAll(/\b(?:(?:u|i|b)?vec\d|float|uint)\[\]\(/g, "makeArray(")
    .replaceAll(
      RegExp(`(?<!__shared__ )\\b(${scalarOrVector}) (\\w+)\\[(\\d+)\\](?=[,)]| =|;)`, "g"),
      "Array<$1, $3> $2",
    )
    .replaceAll(/\bArray_(\w+?)_(\d+)\b/g, "Array<$1, $2>");
}
