// images[n, y, x, c] = 2 · bytes[indices[n], y', x', c] / maximum − 1
//
// (y', x') is (y, x), mirrored in x if flipped, moved by the crop and reflected at the borders. crops[n] = dy | dx << 8
// | flip << 16 cuts the image out of itself with `padding` pixels of reflection around it (the border pixel is not
// repeated); dy and dx run from 0 to 2·padding.
//
// bytes: images [count, height, width, channels] of a data set as bytes, four to a word, little endian, starting with
// the image of index `first`; indices, crops uint32 [batch]; images float32 [batch, height, width, channels]. Images in
// other buffers are left as they are, so a data set in several buffers takes one dispatch for each.

override maximum: f32 = 255.0;

struct Shape {
  batch: u32,
  first: u32,
  count: u32,
  height: u32,
  width: u32,
  channels: u32,
  padding: u32,
}

@group(0) @binding(0) var<storage, read> bytes: array<u32>;
@group(0) @binding(1) var<storage, read> indices: array<u32>;
@group(0) @binding(2) var<storage, read> crops: array<u32>;
@group(0) @binding(3) var<storage, read_write> images: array<f32>;
@group(0) @binding(8) var<uniform> shape: Shape;

// Reflects a coordinate that lies at most size − 1 beyond a border.
fn mirror(coordinate: i32, size: i32) -> u32 {
  return u32(select(abs(coordinate), 2 * (size - 1) - coordinate, coordinate >= size));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let i = id.x + id.y * groups.x * 64u;
  if (i >= shape.batch * shape.height * shape.width * shape.channels) {
    return;
  }
  let c = i % shape.channels;
  let column = i / shape.channels % shape.width;
  let row = i / shape.channels / shape.width % shape.height;
  let n = i / shape.channels / shape.width / shape.height;
  let image = indices[n] - shape.first;
  if (indices[n] < shape.first || image >= shape.count) {
    return;
  }
  let crop = crops[n];
  let dy = i32(crop & 0xffu);
  let dx = i32((crop >> 8u) & 0xffu);
  let mirrored = select(column, shape.width - 1u - column, ((crop >> 16u) & 1u) == 1u);
  let y = mirror(i32(row) + dy - i32(shape.padding), i32(shape.height));
  let x = mirror(i32(mirrored) + dx - i32(shape.padding), i32(shape.width));
  let at = ((image * shape.height + y) * shape.width + x) * shape.channels + c;
  let value = (bytes[at / 4u] >> (8u * (at % 4u))) & 0xffu;
  images[i] = f32(value) / maximum * 2.0 - 1.0;
}
