// images[n, y, x, c] = 2 · bytes[indices[n], y', x', c] / maximum − 1
//
// (y', x') is (y, x), mirrored in x if flipped, moved by the crop and reflected at the borders: crops[n] =
// dy | dx << 8 | flip << 16 cuts the image out of itself with `padding` pixels of reflection around (the border pixel is not
// repeated), dy and dx from 0 to 2·padding.
//
// bytes: images [count, height, width, channels] of a data set as bytes, four to a word, little endian, the first of which has
// the index `first`; indices, crops uint32 [batch]; images float32 [batch, height, width, channels]. Images that lie elsewhere
// are left as they are, so that a data set in several buffers takes one dispatch each.

override batch: u32 = 1u;
override first: u32 = 0u;
override count: u32 = 1u;
override height: u32 = 8u;
override width: u32 = 8u;
override channels: u32 = 1u;
override maximum: f32 = 255.0;
override padding: u32 = 0u;

@group(0) @binding(0) var<storage, read> bytes: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> crops: array<u32>;
@group(0) @binding(3) var<storage, read_write> images: array<f32>;

// Reflects a coordinate that lies up to size − 1 beyond a border.
fn mirror(coordinate: i32, size: i32) -> u32 {
  return u32(select(abs(coordinate), 2 * (size - 1) - coordinate, coordinate >= size));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= batch * height * width * channels) {
    return;
  }
  let c = i % channels;
  let column = i / channels % width;
  let row = i / channels / width % height;
  let n = i / channels / width / height;
  let image = indices[n] - first;
  if (indices[n] < first || image >= count) {
    return;
  }
  let crop = crops[n];
  let dy = i32(crop & 0xffu);
  let dx = i32((crop >> 8u) & 0xffu);
  let mirrored = select(column, width - 1u - column, ((crop >> 16u) & 1u) == 1u);
  let y = mirror(i32(row) + dy - i32(padding), i32(height));
  let x = mirror(i32(mirrored) + dx - i32(padding), i32(width));
  let at = ((image * height + y) * width + x) * channels + c;
  let value = (bytes[at / 4u] >> (8u * (at % 4u))) & 0xffu;
  images[i] = f32(value) / maximum * 2.0 - 1.0;
}
