#!/usr/bin/python3
"""The diffusion model of generators/diffusion as its parts are published, in float64 with PyTorch: the truth that
tests/unit/generators/diffusion_model_golden_test.cpp compares with. Independent of tracebench; Debian's
python3-torch is all it needs.

    /usr/bin/python3 tests/golden/diffusion/make.py

writes small.json and small.safetensors beside itself: weights, and under `golden.` what sampling with them gives.

Noise schedule: alpha = cos(pi t / 2), t mapped into [0.001, 0.999]; v = alpha noise - sigma x (Salimans and Ho 2022).
DDIM: Song et al. 2021, equation 12 with sigma = 0. DPM-Solver++(2M): Lu et al. 2022, algorithm 2.
Guidance: Ho and Salimans 2022. FiLM, RMSNorm, attention, ControlNet, LoRA: the cited papers' equations.
"""
import json
import math
import os
import struct

import torch
import torch.nn.functional as F

torch.manual_seed(4)
torch.set_default_dtype(torch.float64)

CONFIG = {"classes": 2, "fixed": "**0*1****-*****", "control": 5, "longest": 64, "latent": 16, "encoder_width": 16,
          "latent_noise": 0.1, "channels": 16, "levels": 2, "blocks": 1, "embedding": 16}
LEARNED = CONFIG["fixed"].count("*")
ALPHA, RANK = 3.0, 2


def matrices():
    """Name -> shape of every matrix; the vectors beside them are biases."""
    c, e, z = CONFIG["channels"], CONFIG["embedding"], CONFIG["latent"]
    shapes, norms = {}, {}

    def block(name, i, o):
        norms[name + ".norm"] = i
        shapes[name + ".conv1"], shapes[name + ".conv2"] = (o, i, 3), (o, o, 3)
        shapes[name + ".film"] = (2 * o, e)
        if i != o:
            shapes[name + ".skip"] = (o, i)

    def encoder(prefix):
        shapes[prefix + "in"] = (c, z + 16, 3)
        block(prefix + "down.0.0", c, c)
        shapes[prefix + "down.0.pool"] = (2 * c, 4 * c)
        block(prefix + "down.1.0", 2 * c, 2 * c)
        block(prefix + "mid.0", 2 * c, 2 * c)
        norms[prefix + "mid.attention.norm"] = 2 * c
        shapes[prefix + "mid.attention.qkv"] = (6 * c, 2 * c)
        shapes[prefix + "mid.attention.out"] = (2 * c, 2 * c)
        block(prefix + "mid.1", 2 * c, 2 * c)

    shapes["time.0"], shapes["time.1"] = (e, 64), (e, e)
    encoder("")
    block("up.1.0", 4 * c, 2 * c)
    shapes["up.0.expand"] = (4 * c, 2 * c)
    block("up.0.0", 2 * c, c)
    norms["out.norm"] = c
    shapes["out"] = (z, c, 3)
    denoiser = set(shapes)
    shapes["control.hint.0"], shapes["control.hint.1"] = (c, CONFIG["control"]), (c, c, 3)
    encoder("control.")
    shapes["control.zero.0.0"], shapes["control.zero.1.0"], shapes["control.zero.mid"] = (c, c), (2 * c, 2 * c), (2 * c, 2 * c)
    w = CONFIG["encoder_width"]
    inputs = -(-2 * LEARNED // 16) * 16
    shapes.update({"encoder.in": (w, inputs), "encoder.hidden": (w, w), "encoder.out": (z - 1, w),
                   "decoder.in": (w, z - 1), "decoder.hidden": (w, w), "decoder.out": (2 * LEARNED, w)})
    return shapes, norms, denoiser


def make_weights():
    shapes, norms, denoiser = matrices()
    weights = {}
    for name, shape in shapes.items():
        weights[name + ".weight"] = torch.randn(*shape) / math.sqrt(math.prod(shape[1:]))
        weights[name + ".bias"] = torch.randn(shape[0]) * 0.1
    for name, channels in norms.items():
        weights[name + ".scale"] = torch.randn(channels) * 0.2
        weights[name + ".shift"] = torch.randn(channels) * 0.2
    weights["class.weight"] = torch.randn(CONFIG["classes"] + 1, CONFIG["embedding"])
    weights["latent.mean"] = torch.randn(CONFIG["latent"]) * 0.3
    weights["latent.scale"] = 0.5 + torch.rand(CONFIG["latent"])
    adapter = {"class.new": torch.randn(1, CONFIG["embedding"])}
    for name in sorted(denoiser):
        out, inputs = shapes[name][0], math.prod(shapes[name][1:])
        adapter[name + ".weight.a"] = torch.randn(RANK, inputs) / math.sqrt(inputs)
        adapter[name + ".weight.b"] = torch.randn(out, RANK) * 0.1
    # What is written is float32: compute with exactly those values.
    return [{name: value.float().double() for name, value in group.items()} for group in (weights, adapter)]


def convolve(w, name, x, lora=None):
    """x: [rows, channels]. With factors: (W + alpha / rank B A) x as W x + alpha / rank B (A x)."""
    weight = w[name + ".weight"]
    width = weight.shape[2] if weight.dim() == 3 else 1

    def apply(matrix):
        return F.conv1d(x.t()[None], matrix.reshape(matrix.shape[0], x.shape[1], width), padding=width // 2)[0].t()

    y = apply(weight) + w[name + ".bias"]
    if lora is not None:
        y = y + ALPHA / RANK * (apply(lora[name + ".weight.a"]) @ lora[name + ".weight.b"].t())
    return y


def norm_silu(x, scale, shift):
    y = x / torch.sqrt((x * x).mean(1, keepdim=True) + 1e-5) * (1 + scale) + shift
    return y * torch.sigmoid(y)


def positions(rows, longest):
    features = []
    for p in range(rows):
        left = rows - 1 - p
        logs = [math.log(1 + value) / math.log(1 + longest) for value in (p, left, rows)]
        features.append([1, p / longest, left / longest] + logs +
                        [math.exp(-p / s) for s in (2, 8, 32)] + [math.exp(-left / s) for s in (2, 8, 32)] +
                        [math.sin(12 * logs[0]), math.cos(12 * logs[0]), math.sin(36 * logs[0]), math.cos(36 * logs[0])])
    return torch.tensor(features)


class Denoiser:
    """One sample; rows beyond its end are zeros wherever a neighbour could see them."""

    def __init__(self, weights, lora):
        self.w, self.lora = weights, lora

    def layer(self, name, x):
        return convolve(self.w, name, x, None if name.startswith("control.") else self.lora)

    def block(self, name, x, embedding, rows):
        w = self.w
        h = norm_silu(x, w[name + ".norm.scale"], w[name + ".norm.shift"])
        h = self.layer(name + ".conv1", self.cut(h, rows))
        scale, shift = self.layer(name + ".film", embedding[None])[0].chunk(2)
        h = self.layer(name + ".conv2", self.cut(norm_silu(h, scale, shift), rows))
        return h + (self.layer(name + ".skip", x) if name + ".skip.weight" in w else x)

    @staticmethod
    def cut(x, rows):
        return torch.cat([x[:rows], torch.zeros_like(x[rows:])])

    def encode(self, prefix, x, embedding, rows):
        w, few = self.w, -(-rows // 4)
        skips = [self.block(prefix + "down.0.0", x, embedding, rows)]
        x = self.layer(prefix + "down.0.pool", self.cut(skips[0], rows).reshape(x.shape[0] // 4, -1))
        skips.append(self.block(prefix + "down.1.0", x, embedding, few))
        x = self.block(prefix + "mid.0", skips[1], embedding, few)
        h = norm_silu(x, w[prefix + "mid.attention.norm.scale"], w[prefix + "mid.attention.norm.shift"])
        q, k, v = self.layer(prefix + "mid.attention.qkv", self.cut(h, few)).chunk(3, 1)
        heads = []
        for head in range(q.shape[1] // 32):
            part = slice(32 * head, 32 * head + 32)
            heads.append(torch.softmax(q[:, part] @ k[:few, part].t() / math.sqrt(32), 1) @ v[:few, part])
        x = x + self.layer(prefix + "mid.attention.out", torch.cat(heads, 1))
        return skips, self.block(prefix + "mid.1", x, embedding, few)

    def __call__(self, z, rows, time, label, layout, strength):
        w = self.w
        rates = torch.exp(-math.log(10000) / 32 * torch.arange(32))
        angles = 1000 * time * rates
        h = self.layer("time.0", torch.cat([angles.sin(), angles.cos()])[None])
        classes = w["class.weight"]
        if self.lora is not None:
            classes = torch.cat([classes[:-1], self.lora["class.new"], classes[-1:]])
        embedding = F.silu(self.layer("time.1", F.silu(h))[0] + classes[label])
        features = F.pad(positions(rows, CONFIG["longest"]), (0, 0, 0, z.shape[0] - rows))
        inputs = torch.cat([z, features], 1)
        skips, x = self.encode("", self.layer("in", inputs), embedding, rows)
        if layout is not None:
            hint = self.cut(F.silu(self.layer("control.hint.0", layout)), rows)
            added = self.layer("control.in", inputs) + self.layer("control.hint.1", hint)
            more, middle = self.encode("control.", added, embedding, rows)
            skips = [skips[i] + strength * self.layer("control.zero.%d.0" % i, more[i]) for i in (0, 1)]
            x = x + strength * self.layer("control.zero.mid", middle)
        x = self.block("up.1.0", torch.cat([x, skips[1]], 1), embedding, -(-rows // 4))
        x = self.layer("up.0.expand", x).reshape(z.shape[0], -1)
        x = self.block("up.0.0", torch.cat([x, skips[0]], 1), embedding, rows)
        return self.layer("out", self.cut(norm_silu(x, w["out.norm.scale"], w["out.norm.shift"]), rows))


def level(t):
    angle = (0.001 + 0.998 * t) * math.pi / 2
    return math.cos(angle), math.sin(angle)


def sample(weights, lora, case):
    rows, padded = case["rows"], -(-case["rows"] // 4) * 4
    generator = torch.Generator().manual_seed(case["seed"])
    noise = torch.randn(rows, CONFIG["latent"], generator=generator, dtype=torch.float32).double()
    z = F.pad(noise, (0, 0, 0, padded - rows))
    network = Denoiser(weights, lora)
    none = len(weights["class.weight"]) - 1 + (1 if lora is not None else 0)
    label = none if case["class"] < 0 else case["class"]
    layout = F.pad(case["layout"], (0, 0, 0, padded - rows)) if "layout" in case else None
    before = None
    for i in range(case["steps"]):
        t, following = 1 - i / case["steps"], 1 - (i + 1) / case["steps"]
        (a, s), (a_next, s_next) = level(t), level(following)
        with_class = network(z, rows, t, label, layout, case["strength"])
        without = network(z, rows, t, none, layout, case["strength"])
        v = without + case["guidance"] * (with_class - without)
        x = a * z - s * v
        if i + 1 == case["steps"]:
            z = x
        elif case["sampler"] == "ddim":
            z = a_next * x + s_next * (z - a * x) / s
        else:
            h = math.log(a_next / s_next) - math.log(a / s)
            d = x
            if before is not None:
                a_last, s_last = level(1 - (i - 1) / case["steps"])
                r = (math.log(a / s) - math.log(a_last / s_last)) / h
                d = (1 + 1 / (2 * r)) * x - before / (2 * r)
            z = s_next / s * z - a_next * (math.exp(-h) - 1) * d
        before = x
        z = Denoiser.cut(z, rows)
    latents = z[:rows] * weights["latent.scale"] + weights["latent.mean"]

    def affine(name, value):
        return value @ weights[name + ".weight"].t() + weights[name + ".bias"]

    h = F.silu(affine("decoder.in", latents[:, :-1]))
    h = h + F.silu(affine("decoder.hidden", h))
    return latents[:, -1], affine("decoder.out", h)


def write_safetensors(path, tensors):
    header, offset = {}, 0
    for name, value in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [offset, offset + 4 * value.numel()]}
        offset += 4 * value.numel()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            file.write(value.detach().float().contiguous().numpy().astype("<f4").tobytes())


weights, adapter = make_weights()
layout = torch.randint(2, (23, CONFIG["control"])).double()
plain = {"class": 1, "rows": 23, "seed": 5, "steps": 3, "guidance": 1, "sampler": "dpm", "strength": 1}
cases = {"dpm": plain, "ddim": dict(plain, sampler="ddim", rows=37, seed=6), "guided": dict(plain, guidance=2.5),
         "unconditional": dict(plain, **{"class": -1, "steps": 1}), "control": dict(plain, layout=layout),
         "weak": dict(plain, layout=layout, strength=0.5, guidance=1.5), "adapter": dict(plain, **{"class": 2})}
tensors = dict(weights)
tensors.update({"adapter." + name: value for name, value in adapter.items()})
tensors["golden.layout"] = layout
for name, case in cases.items():
    gaps, logits = sample(weights, adapter if name == "adapter" else None, case)
    tensors["golden.%s.gaps" % name], tensors["golden.%s.logits" % name] = gaps, logits
    print(name, gaps[:3].tolist())
folder = os.path.dirname(os.path.abspath(__file__))
write_safetensors(os.path.join(folder, "small.safetensors"), tensors)
with open(os.path.join(folder, "small.json"), "w") as file:
    json.dump(CONFIG, file, indent=1)
    file.write("\n")
