// Random numbers by Philox4x32-10 (Salmon, Moraes, Dror, Shaw, SC 2011); src/random/philox.ts computes the same ones.
//
// values[i] uniform in [low, high)     (entry point `uniformValues`)
// values[i] standard normal            (entry point `normalValues`)
//
// stream uint32 [4] = (seed low, seed high, step, call). purpose keeps users with the same seed and step apart.
// Block b of four values, counted from `first` on, has counter (b, step, purpose, call) and key (seed low, seed high).

override low: f32 = 0.0;
override high: f32 = 1.0;

struct Shape {
  purpose: u32,
  first: u32,
}

@group(0) @binding(0) var<storage, read> stream: array<u32>;
@group(0) @binding(1) var<storage, read_write> values: array<vec4f>;
@group(0) @binding(8) var<uniform> shape: Shape;

// (high, low) words of the product of two words.
fn multiply(a: u32, b: u32) -> vec2u {
  let middle = (a >> 16u) * (b & 0xffffu) + (((a & 0xffffu) * (b & 0xffffu)) >> 16u);
  let cross = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return vec2u((a >> 16u) * (b >> 16u) + (middle >> 16u) + (cross >> 16u), a * b);
}

fn philox(block: u32) -> vec4u {
  var counter = vec4u(shape.first + block, stream[2], shape.purpose, stream[3]);
  var key = vec2u(stream[0], stream[1]);
  for (var round = 0u; round < 10u; round++) {
    let first = multiply(0xd2511f53u, counter.x);
    let second = multiply(0xcd9e8d57u, counter.z);
    counter = vec4u(second.x ^ counter.y ^ key.x, second.y, first.x ^ counter.w ^ key.y, first.y);
    key += vec2u(0x9e3779b9u, 0xbb67ae85u);
  }
  return counter;
}

// Multiples of 2^-24 in [0, 1).
fn unit(block: u32) -> vec4f {
  return vec4f(philox(block) >> vec4u(8u)) * 0x1p-24f;
}

@compute @workgroup_size(64)
fn uniformValues(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i < arrayLength(&values)) {
    values[i] = low + (high - low) * unit(i);
  }
}

@compute @workgroup_size(64)
fn normalValues(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= arrayLength(&values)) {
    return;
  }
  // Box and Muller (1958); 1 − u is never 0.
  let u = unit(i);
  let radius = sqrt(-2.0 * log(1.0 - u.xz));
  let angle = 6.283185307179586 * u.yw;
  values[i] = vec4f(
    radius.x * cos(angle.x),
    radius.x * sin(angle.x),
    radius.y * cos(angle.y),
    radius.y * sin(angle.y),
  );
}
