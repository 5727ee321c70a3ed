/** Loaded before a command. Loses the first GPU at the submission whose number is in `LOSE_AT`. */

const request = GPUAdapter.prototype.requestDevice;
let first = true;
GPUAdapter.prototype.requestDevice = async function (descriptor) {
  const device = await request.call(this, descriptor);
  if (!first) return device;
  first = false;
  let left = Number(Deno.env.get("LOSE_AT"));
  const submit = device.queue.submit.bind(device.queue);
  device.queue.submit = (buffers) => {
    submit(buffers);
    if (--left === 0) device.destroy();
  };
  return device;
};
