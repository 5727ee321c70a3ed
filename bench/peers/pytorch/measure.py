"""Times an operation, a gradient or iterations on PyTorch, for bench/peers/pytorch.ts.

Tensors come in on stdin, with the metadata `request` (JSON); results go out on stdout, with the metadata `result`. What
is measured is a function `call`; what came out of its first call goes back to be checked.
"""

import json
import os
import sys
import time
from statistics import median

# Threads that spin while they wait slow each other down many times as soon as another program wants a core. It is read
# when PyTorch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import torch
from torch.nn import grad
from torch.nn.functional import conv2d, cross_entropy

import tensors
from iteration import Iteration
from wide_resnet import WideResNet

CHANNELS_FIRST = (0, 3, 1, 2)  # images [N, H, W, C] to [N, C, H, W]
CHANNELS_LAST = (0, 2, 3, 1)


def main():
    given, metadata = tensors.read(sys.stdin.buffer)
    request = json.loads(metadata["request"])
    torch.backends.cuda.matmul.allow_tf32 = request["tf32"]
    torch.backends.cudnn.allow_tf32 = request["tf32"]
    torch.backends.cudnn.benchmark = True
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(os.cpu_count())
    given = {name: tensor.to(request["device"]) for name, tensor in given.items()}
    prepare = {"operation": operation, "gradient": gradient, "iteration": iteration}[request["kind"]]
    wait = torch.cuda.synchronize if request["device"] == "cuda" else lambda: None
    times, first = time_calls(prepare(given, request), wait, request["timing"])
    result = {**times, "threads": torch.get_num_threads()}
    tensors.write(sys.stdout.buffer, first, {"result": json.dumps(result)})


def time_calls(call, wait, timing):
    """As `timeCalls` of bench/timing.ts does, milliseconds; and what the first call returned."""

    def measure(calls):
        start = time.perf_counter()
        for _ in range(calls):
            result = call()
        wait()
        return (time.perf_counter() - start) * 1000 / calls, result

    first, result = measure(1)
    calls = 1
    while 2 * calls <= timing["mostCalls"] and calls * measure(calls)[0] < timing["longEnough"]:
        calls *= 2
    times, began = [], time.perf_counter()
    while not times or (
        len(times) < timing["rounds"] and (time.perf_counter() - began) * 1000 < timing["enoughTime"]
    ):
        times.append(measure(calls)[0])
    return {"first": first, "median": median(times)}, result


def operation(given, request):
    """Results are in this project's layout: a view, since what is measured are PyTorch's own layouts."""
    what = request["operation"]
    if what == "matmul":
        return lambda: {"result": given["input"] @ given["weight"]}
    x = given["input"].permute(CHANNELS_FIRST).contiguous()
    dy = given["outputGradient"].permute(CHANNELS_FIRST).contiguous()
    w = given["weight"].permute(3, 2, 0, 1).contiguous()
    if what == "forward":
        return lambda: {"result": conv2d(x, w, padding=1).permute(CHANNELS_LAST)}
    if what == "input":
        return lambda: {"result": grad.conv2d_input(x.shape, w, dy, padding=1).permute(CHANNELS_LAST)}
    return lambda: {"result": grad.conv2d_weight(x, w.shape, dy, padding=1).permute(2, 3, 1, 0)}


def gradient(given, request):
    """Loss and gradients by name."""
    model = load_model(given, request)
    images = given["images"].permute(CHANNELS_FIRST).contiguous().requires_grad_()
    labels = given["labels"].long()
    parameters = dict(model.named_parameters())

    def by_images():
        loss = model.score(images).sum()
        return {"loss": loss, "images": torch.autograd.grad(loss, [images])[0]}

    def by_parameters():
        loss = cross_entropy(model(images.detach()), labels)
        gradients = torch.autograd.grad(loss, list(parameters.values()))
        return {"loss": loss, **dict(zip(parameters, gradients))}

    return by_images if request["subject"] == "images" else by_parameters


def iteration(given, request):
    """Losses by name."""
    images = {
        name: given[name].permute(CHANNELS_FIRST).contiguous() for name in ("real", "labelled", "start")
    }
    batches = {**images, "labels": given["labels"].long()}
    return Iteration(load_model(given, request), batches, request["options"])


def load_model(given, request):
    """The Wide ResNet with the parameters that are given, in training mode."""
    model = WideResNet(request["depth"], request["width"], request["classes"]).to(request["device"])
    for name, parameter in model.named_parameters():
        parameter.data.copy_(given[name])
    return model.train()


main()
