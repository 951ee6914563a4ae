#!/usr/bin/python3
"""Mamba-2 as the paper defines it, one token after another, in float64 with PyTorch's autograd: the truth that
tests/unit/ssm_model compares with. Independent of tracebench; Debian's python3-torch is all it needs.

    /usr/bin/python3 tests/golden/ssm/make.py

writes padded.safetensors and grouped.safetensors beside itself: weights under mamba_ssm's names, and under
`golden.` the tokens, targets, logits, loss and gradients.

Dao and Gu, "Transformers are SSMs", ICML 2024: equation (1) with scalar A, section 7 (the block);
https://github.com/state-spaces/mamba for what the paper leaves open (names, order of in_proj, norm by group).
"""
import json
import math
import os
import struct

import torch
import torch.nn.functional as F

torch.manual_seed(20240531)
torch.set_default_dtype(torch.float64)
EPSILON = 1e-5


def make_weights(c):
    d, inner = c["d_model"], c["expand"] * c["d_model"]
    heads, shared = inner // c["headdim"], c["ngroups"] * c["d_state"]
    rows = -(-c["vocab_size"] // c["pad_vocab_size_multiple"]) * c["pad_vocab_size_multiple"]
    weights = {"backbone.embedding.weight": torch.randn(rows, d) * 0.5}
    for layer in range(c["n_layer"]):
        block = "backbone.layers.%d." % layer
        mixer = block + "mixer."
        dt = torch.exp(torch.empty(heads).uniform_(math.log(1e-3), math.log(0.5)))
        weights[block + "norm.weight"] = 1 + 0.3 * torch.randn(d)
        weights[mixer + "dt_bias"] = dt + torch.log(-torch.expm1(-dt))
        weights[mixer + "A_log"] = torch.log(torch.empty(heads).uniform_(1, 16))
        weights[mixer + "D"] = torch.randn(heads)
        weights[mixer + "in_proj.weight"] = torch.randn(2 * inner + 2 * shared + heads, d) / math.sqrt(d)
        weights[mixer + "conv1d.weight"] = torch.randn(inner + 2 * shared, 1, c["d_conv"]) * 0.6
        weights[mixer + "conv1d.bias"] = torch.randn(inner + 2 * shared) * 0.3
        weights[mixer + "norm.weight"] = 1 + 0.3 * torch.randn(inner)
        weights[mixer + "out_proj.weight"] = torch.randn(d, inner) / math.sqrt(inner)
    weights["backbone.norm_f.weight"] = 1 + 0.3 * torch.randn(d)
    # What is written is float32: compute with exactly those values.
    return {name: value.float().double().requires_grad_() for name, value in weights.items()}


def rms_norm(x, weight, groups=1):
    parts = [part / torch.sqrt((part * part).mean() + EPSILON) for part in x.chunk(groups)]
    return torch.cat(parts) * weight


def logits_of(c, w, tokens):
    """Of one sequence: [length, vocab_size]."""
    d, inner = c["d_model"], c["expand"] * c["d_model"]
    heads, groups, n, width = inner // c["headdim"], c["ngroups"], c["d_state"], c["d_conv"]
    stream = [w["backbone.embedding.weight"][t] for t in tokens]
    for layer in range(c["n_layer"]):
        block = "backbone.layers.%d." % layer
        mixer = block + "mixer."
        history = [torch.zeros(inner + 2 * groups * n) for _ in range(width)]
        state = [torch.zeros(c["headdim"], n) for _ in range(heads)]
        for t, x_in in enumerate(stream):
            projected = w[mixer + "in_proj.weight"] @ rms_norm(x_in, w[block + "norm.weight"])
            z, xbc, dt = torch.split(projected, [inner, inner + 2 * groups * n, heads])
            history = history[1:] + [xbc]
            kernel = w[mixer + "conv1d.weight"][:, 0]
            xbc = F.silu(sum(kernel[:, k] * history[k] for k in range(width)) + w[mixer + "conv1d.bias"])
            x, b, c_out = torch.split(xbc, [inner, groups * n, groups * n])
            dt = F.softplus(dt + w[mixer + "dt_bias"])
            y = []
            for h in range(heads):
                group = h // (heads // groups)
                xh = x[h * c["headdim"]:(h + 1) * c["headdim"]]
                bh, ch = b[group * n:(group + 1) * n], c_out[group * n:(group + 1) * n]
                decay = torch.exp(-torch.exp(w[mixer + "A_log"][h]) * dt[h])
                state[h] = decay * state[h] + dt[h] * torch.outer(xh, bh)
                y.append(state[h] @ ch + w[mixer + "D"][h] * xh)
            gated = rms_norm(torch.cat(y) * F.silu(z), w[mixer + "norm.weight"], groups)
            stream[t] = x_in + w[mixer + "out_proj.weight"] @ gated
    out = [w["backbone.embedding.weight"] @ rms_norm(x, w["backbone.norm_f.weight"]) for x in stream]
    return torch.stack(out)[:, :c["vocab_size"]]


def write_safetensors(path, tensors, metadata):
    header, offset = {"__metadata__": metadata}, 0
    for name, value in tensors.items():
        size = 4 * value.numel()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + size]}
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            file.write(value.detach().float().contiguous().numpy().astype("<f4").tobytes())


def golden(name, c, rows, length):
    weights = make_weights(c)
    tokens = torch.randint(c["vocab_size"], (rows, length))
    targets = torch.randint(c["vocab_size"], (rows, length))
    targets[1, length - 7:] = -1  # the second row is shorter, and one target in the first is masked
    targets[0, 5] = -1
    logits = torch.stack([logits_of(c, weights, row.tolist()) for row in tokens])
    counted = targets >= 0
    losses = F.cross_entropy(logits[counted], targets[counted], reduction="sum")
    normaliser = 13.0
    (losses / normaliser).backward()
    tensors = dict(weights)
    tensors.update({"golden.tokens": tokens, "golden.targets": targets, "golden.logits": logits,
                    "golden.loss": losses.reshape(1), "golden.normaliser": torch.tensor([normaliser])})
    tensors.update({"golden.gradient." + key: value.grad for key, value in weights.items()})
    config = dict(c, d_intermediate=0, rms_norm=True, residual_in_fp32=True, fused_add_norm=True,
                  tie_embeddings=True, attn_layer_idx=[], attn_cfg={})
    layer = {key: config.pop(key) for key in ("d_state", "d_conv", "expand", "headdim", "ngroups", "chunk_size")}
    config["ssm_cfg"] = dict(layer, layer="Mamba2")
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name)
    write_safetensors(path + ".safetensors", tensors, {"tokens": "%d x %d" % (rows, length)})
    with open(path + ".json", "w") as file:
        json.dump(config, file, indent=1)
        file.write("\n")
    print(name, "loss", losses.item(), os.path.getsize(path + ".safetensors"), "bytes")


# The vocabulary is padded from 37 to 48 rows; one group; chunks do not divide the length.
golden("padded", {"d_model": 64, "n_layer": 2, "vocab_size": 37, "pad_vocab_size_multiple": 16, "d_state": 16,
                  "d_conv": 4, "expand": 2, "headdim": 32, "ngroups": 1, "chunk_size": 16}, rows=2, length=45)
# Nothing to pad; two groups, other widths; one chunk exactly filled.
golden("grouped", {"d_model": 32, "n_layer": 3, "vocab_size": 32, "pad_vocab_size_multiple": 16, "d_state": 8,
                   "d_conv": 3, "expand": 2, "headdim": 16, "ngroups": 2, "chunk_size": 32}, rows=2, length=32)
