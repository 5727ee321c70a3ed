"""Float32 tensors over pipes, in the safetensors format."""

import json
import struct

import torch


def read(stream):
    """The tensors by name, and the metadata."""
    (length,) = struct.unpack("<Q", stream.read(8))
    header = json.loads(stream.read(length))
    metadata = header.pop("__metadata__")
    body = bytearray(stream.read())
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = torch.frombuffer(body, dtype=torch.float32, count=(end - begin) // 4, offset=begin)
        tensors[name] = values.reshape(entry["shape"])
    return tensors, metadata


def write(stream, tensors, metadata):
    """Writes tensors and metadata (texts)."""
    header, bodies, end = {"__metadata__": metadata}, [], 0
    for name, tensor in tensors.items():
        bodies.append(tensor.detach().float().cpu().contiguous().numpy().tobytes())
        begin, end = end, end + len(bodies[-1])
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    stream.write(struct.pack("<Q", len(text)) + text + b"".join(bodies))
