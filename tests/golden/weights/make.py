#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the files of weights here, and expected.json: what PyTorch says is in them.

state_dict.bin, plain_dict.bin and the refused ones are what torch.save() writes; mixed.safetensors is written
here a second time from the format's description, without the code under test. Values are given as the 32 bits
of their float. Needs python3-torch. Run it in this folder; the result does not change between runs, but for
refused_legacy.bin and refused_module.bin, in which PyTorch keeps addresses.

    make.py              makes everything
    make.py --show FILE  prints the tensors of a safetensors file of F32 as JSON (needs no torch)
"""
import json
import os
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict


def show(path):
    """Every byte accounted for: the header, and the data without gaps in the order of the header."""
    content = open(path, "rb").read()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8:8 + size].decode("utf-8"), object_pairs_hook=OrderedDict)
    data = content[8 + size:]
    assert size % 8 == 0 and content[8:9] == b"{"
    metadata = header.pop("__metadata__", None)
    tensors, end = [], 0
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        count = 1
        for extent in entry["shape"]:
            count *= extent
        assert entry["dtype"] == "F32" and first == end and last - first == 4 * count
        end = last
        tensors.append({"name": name, "shape": entry["shape"],
                        "bits": list(struct.unpack(f"<{count}I", data[first:last]))})
    assert end == len(data)
    return {"metadata": metadata, "tensors": tensors}


def bits(tensor):
    values = tensor.detach().float().contiguous().reshape(-1)
    return [struct.unpack("<I", struct.pack("<f", v))[0] for v in values.tolist()]


def expected(tensors):
    return [{"name": n, "shape": list(t.shape), "bits": bits(t)} for n, t in tensors.items()]


def state_dict(torch):
    generator = torch.Generator().manual_seed(20240607)
    normal = lambda *shape: torch.randn(*shape, generator=generator)
    embedding = normal(6, 4)
    whole = normal(3, 8, 5)
    tensors = OrderedDict()
    tensors["backbone.embedding.weight"] = embedding
    tensors["half"] = torch.cat([normal(9), torch.tensor([6e-8, 3e-5, -6e-5, 65504.0, -0.0])]).half()
    tensors["bfloat16"] = normal(2, 3).bfloat16()
    tensors["double"] = normal(5).double() * 1.000000001
    tensors["special"] = torch.tensor([float("inf"), -float("inf"), 0.0, 1e-45])
    tensors["transposed"] = normal(3, 4).t()
    tensors["slice"] = whole[1:, 2:7:2, 1:4]
    tensors["permuted"] = whole.permute(2, 0, 1)[:2]
    tensors["half_transposed"] = normal(4, 3).half().t()
    tensors["scalar"] = torch.tensor(1.5)
    tensors["empty"] = torch.empty(0, 7)
    tensors["parameter"] = torch.nn.Parameter(normal(2, 2))
    tensors["backbone.layers.0.mixer.conv1d.weight"] = normal(4, 1, 3)
    tensors["lm_head.weight"] = embedding
    return tensors


def write_safetensors(path, torch):
    """Types mixed, the header in another order than the data, spaces after it."""
    data = [("b", "F16", torch.tensor([[0.5, -2.0], [6e-8, 1000.0]]).half()),
            ("a", "BF16", torch.tensor([1.0, -3.0, 1e38]).bfloat16()),
            ("empty", "F32", torch.empty(2, 0, 3)),
            ("c", "F64", torch.tensor([0.1, -1e300]).double()),
            ("scalar", "F32", torch.tensor(-7.25))]
    body, header = b"", {}
    for name, kind, tensor in data:
        raw = tensor.view(torch.int16).numpy().tobytes() if kind in ("F16", "BF16") else tensor.numpy().tobytes()
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": [len(body), len(body) + len(raw)]}
        body += raw
    header = {"__metadata__": {"format": "pt"}, **dict(sorted(header.items()))}
    text = json.dumps(header, separators=(",", ":")).encode() + b"   "
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + body)
    return OrderedDict(sorted((name, tensor) for name, _, tensor in data))


class Shell:
    def __reduce__(self):
        return os.system, ("touch executed",)


class Evaluated:
    def __reduce__(self):
        return eval, ("open('executed', 'w')",)


def write_hostile(path, value):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in (("archive/data.pkl", pickle.dumps(value, 2)), ("archive/version", b"3\n")):
            archive.writestr(zipfile.ZipInfo(name, (2024, 6, 7, 0, 0, 0)), content)


def main():
    import torch
    tensors = state_dict(torch)
    with_metadata = OrderedDict(tensors)
    with_metadata._metadata = OrderedDict({"": {"version": 1}, "backbone": {"version": 1}})
    torch.save(with_metadata, "state_dict.bin")
    torch.save(dict(tensors), "plain_dict.bin", pickle_protocol=4)
    mixed = write_safetensors("mixed.safetensors", torch)
    with open("expected.json", "w", encoding="utf-8") as out:
        json.dump({"state_dict": expected(tensors), "mixed": expected(mixed)}, out, indent=None)
        out.write("\n")

    torch.save({"weight": torch.ones(2), "steps": torch.arange(3)}, "refused_integers.bin")
    torch.save({"state_dict": {"weight": torch.ones(2)}, "epoch": 3}, "refused_checkpoint.bin")
    torch.save(torch.nn.Linear(2, 2), "refused_module.bin")
    torch.save({"weight": torch.ones(2)}, "refused_legacy.bin", _use_new_zipfile_serialization=False)
    torch.save({"weight": torch.ones(1).expand(1000, 1000)}, "refused_expanded.bin")
    write_hostile("refused_system.bin", {"weight": Shell()})
    write_hostile("refused_eval.bin", {"weight": Evaluated()})


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "--show":
        print(json.dumps(show(sys.argv[2])))
    else:
        main()
