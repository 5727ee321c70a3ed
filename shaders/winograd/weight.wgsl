// transformed[p, r, s] = (G · g · Gᵀ)[p], the transform of 3×3 weights for Winograd's convolution F(m×m, 3×3) of stride 1
// g[ky, kx] = weight[ky, kx, s, r], or with `rotated` weight[2 − ky, 2 − kx, r, s], for the gradient with respect to
// the input
//
// weight      [3, 3, inChannels, outChannels]       float32, channels multiples of 4
// transformed [(m + 2)², results, sources] results are the output channels, or the input channels with `rotated`
//
// A row of G evaluates a polynomial with the coefficients g at a point p, (1, p, p²), divided by the product of p's
// differences from the other points. The last row, (0, 0, 1), belongs to the point ∞.
//
// Entry point `two` for m = 2, at the points 0, 1, −1 and ∞; `four` for m = 4, at 0, 5/8, −5/8, 3/2, −3/2 and ∞. The
// usual points for m = 4, 0, ±1, ±2 and ∞, double the rounding error and make the largest errors four times as large.

override inChannels: u32 = 4u;
override outChannels: u32 = 4u;
override rotated: bool = false;

@group(0) @binding(0) var<storage, read> weight: array<f32>;
@group(0) @binding(1) var<storage, read_write> transformed: array<vec4f>;

alias Three = array<vec4f, 3>;
alias Four = array<vec4f, 4>;

override size = inChannels * outChannels;

// Four source channels of a result channel: the first tap among the weights, the distance between channels there, and
// the place in the result. Neighbouring invocations read neighbouring weights.
struct Place {
  first: u32,
  channelStep: u32,
  at: u32,
}

fn placeOf(i: u32) -> Place {
  if (rotated) {
    return Place(4u * i, 1u, i);
  }
  let result = i % outChannels;
  let source = i / outChannels;
  return Place(4u * source * outChannels + result, outChannels, result * (inChannels / 4u) + source);
}

fn tap(place: Place, ky: u32, kx: u32) -> vec4f {
  let number = 3u * ky + kx;
  let i = place.first + select(number, 8u - number, rotated) * size;
  let step = place.channelStep;
  return vec4f(weight[i], weight[i + step], weight[i + 2u * step], weight[i + 3u * step]);
}

fn taps(place: Place, kx: u32) -> Three {
  return Three(tap(place, 0u, kx), tap(place, 1u, kx), tap(place, 2u, kx));
}

// G times a line of taps.
fn lineOfFour(g: Three) -> Four {
  let even = 0.5 * (g[0] + g[2]);
  let odd = 0.5 * g[1];
  return Four(-g[0], even + odd, even - odd, g[2]);
}

// Apart from 0 and ∞ the points of m = 4 are ±a and ±b.
const a = 5.0 / 8.0;
const b = 3.0 / 2.0;
const divisorA = 2.0 * a * a * (a * a - b * b);
const divisorB = 2.0 * b * b * (b * b - a * a);

// A line of taps at the points ±p is the sum and the difference of an even and an odd part.
struct Parts {
  even: vec4f,
  odd: vec4f,
}

fn atZero(g: Three) -> vec4f {
  return (1.0 / (a * a * b * b)) * g[0];
}

fn atA(g: Three) -> Parts {
  return Parts((1.0 / divisorA) * g[0] + (a * a / divisorA) * g[2], (a / divisorA) * g[1]);
}

fn atB(g: Three) -> Parts {
  return Parts((1.0 / divisorB) * g[0] + (b * b / divisorB) * g[2], (b / divisorB) * g[1]);
}

fn storeFour(place: Place, row: u32, values: Four) {
  let step = size / 4u;
  let i = place.at + 4u * row * step;
  transformed[i] = values[0];
  transformed[i + step] = values[1];
  transformed[i + 2u * step] = values[2];
  transformed[i + 3u * step] = values[3];
}

// G times a line of columns, a row of the result.
fn storeSix(place: Place, row: u32, g: Three) {
  let step = size / 4u;
  let i = place.at + 6u * row * step;
  transformed[i] = atZero(g);
  let onA = atA(g);
  transformed[i + step] = onA.even + onA.odd;
  transformed[i + 2u * step] = onA.even - onA.odd;
  let onB = atB(g);
  transformed[i + 3u * step] = onB.even + onB.odd;
  transformed[i + 4u * step] = onB.even - onB.odd;
  transformed[i + 5u * step] = g[2];
}

// The rows of the points ±p, given these parts of their columns.
fn storeRows(place: Place, row: u32, c0: Parts, c1: Parts, c2: Parts) {
  storeSix(place, row, Three(c0.even + c0.odd, c1.even + c1.odd, c2.even + c2.odd));
  storeSix(place, row + 1u, Three(c0.even - c0.odd, c1.even - c1.odd, c2.even - c2.odd));
}

@compute @workgroup_size(64)
fn two(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= size / 4u) {
    return;
  }
  let place = placeOf(i);
  let c0 = lineOfFour(taps(place, 0u));
  let c1 = lineOfFour(taps(place, 1u));
  let c2 = lineOfFour(taps(place, 2u));
  storeFour(place, 0u, lineOfFour(Three(c0[0], c1[0], c2[0])));
  storeFour(place, 1u, lineOfFour(Three(c0[1], c1[1], c2[1])));
  storeFour(place, 2u, lineOfFour(Three(c0[2], c1[2], c2[2])));
  storeFour(place, 3u, lineOfFour(Three(c0[3], c1[3], c2[3])));
}

@compute @workgroup_size(64)
fn four(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= size / 4u) {
    return;
  }
  let place = placeOf(i);
  let g0 = taps(place, 0u);
  let g1 = taps(place, 1u);
  let g2 = taps(place, 2u);
  // Row by row, so that at most two values of each column are in registers at once.
  storeSix(place, 0u, Three(atZero(g0), atZero(g1), atZero(g2)));
  storeRows(place, 1u, atA(g0), atA(g1), atA(g2));
  storeRows(place, 3u, atB(g0), atB(g1), atB(g2));
  storeSix(place, 5u, Three(g0[2], g1[2], g2[2]));
}
