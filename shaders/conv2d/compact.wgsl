// Convolution, and its gradient with respect to the input, as a short program: for implementations that compile slowly
// (SwiftShader takes seconds for the unrolled tiles of the other shaders), and for reading.
//
// output[n, y, x, o] = bias[o] + Σ_ky,kx,c source[n, y·stride + ky − padding, x·stride + kx − padding, c] · weight[ky, kx, c, o]
//                                                                                            (entry point `forward`)
// gradient[n, y, x, c] (=|+=) Σ_ky,kx,o source[n, (y + padding − ky) / stride, (x + padding − kx) / stride, o] · weight[ky, kx, c, o]
//                                       over the taps for which both quotients are whole (entry point `gradientInput`)
//
// source   [N, sourceHeight, sourceWidth, sourceChannels]   float32: the input, or the gradient with respect to the output
// weight   [kernel, kernel, inChannels, outChannels]        of the convolution itself, not of its gradient
// bias     [resultChannels]
// output, gradient [N, height, width, resultChannels]       N follows from the length
// Channels are multiples of 4. accumulate: add to what the result holds.
//
// An invocation computes four channels of four neighbouring pixels, numbered over (n, y, x).

override sourceHeight: u32 = 8u;
override sourceWidth: u32 = 8u;
override sourceChannels: u32 = 16u;
override height: u32 = 8u;
override width: u32 = 8u;
override resultChannels: u32 = 16u;
override kernel: u32 = 3u;
override stride: u32 = 1u;
override padding: u32 = 1u;
override accumulate: bool = false;

// vec4h in variants in half precision.
alias Source = vec4f;
alias Output = vec4f;

@group(0) @binding(0) var<storage, read> source: array<Source>;
@group(0) @binding(1) var<storage, read> weight: array<vec4f>;
@group(0) @binding(2) var<storage, read> bias: array<vec4f>;
@group(0) @binding(3) var<storage, read_write> output: array<Output>;
@group(0) @binding(2) var<storage, read_write> gradient: array<vec4f>;

// Number of the source pixel that a result pixel meets at a tap, or −1 if there is none.
fn sourceOf(pixel: u32, ky: u32, kx: u32, backward: bool) -> i32 {
  let row = pixel / width;
  var y = i32(row % height * stride + ky) - i32(padding);
  var x = i32(pixel % width * stride + kx) - i32(padding);
  var whole = true;
  if (backward) {
    // Shifted by a multiple of the stride, so that it is not negative.
    let shifted = kernel * stride + padding;
    let dy = row % height + shifted - ky;
    let dx = pixel % width + shifted - kx;
    y = i32(dy / stride) - i32(kernel);
    x = i32(dx / stride) - i32(kernel);
    whole = (dy % stride == 0u) & (dx % stride == 0u);
  }
  // Bits rather than branches: SwiftShader would take minutes to compile the branches. A negative number is a large one.
  let inside = whole & (u32(y) < sourceHeight) & (u32(x) < sourceWidth);
  let at = (i32(row / height * sourceHeight) + y) * i32(sourceWidth) + x;
  return select(-1, at, inside);
}

fn load(pixel: i32, channel: u32) -> vec4f {
  return select(vec4f(), vec4f(source[u32(max(pixel, 0)) * (sourceChannels / 4u) + channel]), pixel >= 0);
}

// Four source channels (columns) × four result channels of a tap.
fn weights(tap: u32, channel: u32, result: u32, backward: bool) -> mat4x4f {
  if (backward) {
    let row = sourceChannels / 4u;
    let i = (tap * resultChannels + 4u * result) * row + channel;
    return transpose(mat4x4f(weight[i], weight[i + row], weight[i + 2u * row], weight[i + 3u * row]));
  }
  let row = resultChannels / 4u;
  let i = (tap * sourceChannels + 4u * channel) * row + result;
  return mat4x4f(weight[i], weight[i + row], weight[i + 2u * row], weight[i + 3u * row]);
}

// What an invocation computes: pixels `pixel` + {0, 1, 2, 3}, as far as they exist, and channels from 4·`channel` on.
struct Place {
  pixel: u32,
  channel: u32,
}

fn placeOf(i: u32) -> Place {
  let row = resultChannels / 4u;
  return Place(i / row * 4u, i % row);
}

// The sums of the four pixels, as columns.
fn convolve(place: Place, backward: bool) -> mat4x4f {
  var sums = mat4x4f();
  for (var ky = 0u; ky < kernel; ky++) {
    for (var kx = 0u; kx < kernel; kx++) {
      let p0 = sourceOf(place.pixel, ky, kx, backward);
      let p1 = sourceOf(place.pixel + 1u, ky, kx, backward);
      let p2 = sourceOf(place.pixel + 2u, ky, kx, backward);
      let p3 = sourceOf(place.pixel + 3u, ky, kx, backward);
      for (var c = 0u; c < sourceChannels / 4u; c++) {
        let w = weights(ky * kernel + kx, c, place.channel, backward);
        sums += w * mat4x4f(load(p0, c), load(p1, c), load(p2, c), load(p3, c));
      }
    }
  }
  return sums;
}

@compute @workgroup_size(64)
fn forward(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u);
  let row = resultChannels / 4u;
  let pixels = arrayLength(&output) / row;
  if (place.pixel >= pixels) {
    return;
  }
  let sums = convolve(place, false);
  for (var i = 0u; i < min(4u, pixels - place.pixel); i++) {
    output[(place.pixel + i) * row + place.channel] = Output(bias[place.channel] + sums[i]);
  }
}

@compute @workgroup_size(64)
fn gradientInput(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let place = placeOf(id.x + id.y * groups.x * 64u);
  let row = resultChannels / 4u;
  let pixels = arrayLength(&gradient) / row;
  if (place.pixel >= pixels) {
    return;
  }
  let sums = convolve(place, true);
  for (var i = 0u; i < min(4u, pixels - place.pixel); i++) {
    let at = (place.pixel + i) * row + place.channel;
    gradient[at] = select(sums[i], gradient[at] + sums[i], accumulate);
  }
}
