// turned[ky, kx, o, c] = weight[kernel − 1 − ky, kernel − 1 − kx, c, o]
//
// weight  [kernel, kernel, inChannels, outChannels]      float32, channels multiples of 4
// turned  [kernel, kernel, outChannels, inChannels]
//
// Weights of the convolution that computes a convolution's gradient with respect to its input, for stride 1. `weight`
// is read through a texture, see conv2d_patch_texture. An invocation takes four input × four output channels of a tap.

override kernel: u32 = 3u;

struct Shape {
  inChannels: u32,
  outChannels: u32,
}

@group(0) @binding(0) var weight: texture_2d<f32>;
@group(0) @binding(1) var<storage, read_write> turned: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

// The i-th vector of a texture that is 1,024 texels wide.
fn texel(values: texture_2d<f32>, i: u32) -> vec4f {
  return textureLoad(values, vec2u(i % 1024u, i / 1024u), 0);
}

@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 8u;
  let inRow = shape.inChannels / 4u;
  let outRow = shape.outChannels / 4u;
  let tap = i / outRow / inRow;
  if (tap >= kernel * kernel) {
    return;
  }
  let out = i % outRow;
  let channel = i / outRow % inRow;
  let first = (tap * shape.inChannels + 4u * channel) * outRow + out;
  let block = transpose(mat4x4f(
    texel(weight, first),
    texel(weight, first + outRow),
    texel(weight, first + 2u * outRow),
    texel(weight, first + 3u * outRow),
  ));
  let place = ((kernel * kernel - 1u - tap) * shape.outChannels + 4u * out) * inRow + channel;
  turned[place] = block[0];
  turned[place + inRow] = block[1];
  turned[place + 2u * inRow] = block[2];
  turned[place + 3u * inRow] = block[3];
}
