#!/usr/bin/env python3
"""The PyTorch that the state-space model is timed against: Mamba-2 in plain operations, as listing 1 of Dao and Gu
(ICML 2024) and mamba_ssm's own fallback have it. Needs python3-torch.

    tests/speed/ssm_reference.py train D_MODEL LAYERS SECONDS TOKENS
    tests/speed/ssm_reference.py generate D_MODEL LAYERS SECONDS ROWS
"""
import math
import os
import sys
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

VOCABULARY, CHUNK = 512, 64
D_STATE, D_CONV, HEADDIM = 128, 4, 64


def segment_sum(x):
    size = x.size(-1)
    x = x[..., None].expand(*x.shape, size)
    x = x.masked_fill(~torch.ones(size, size, dtype=torch.bool).tril(-1), 0).cumsum(-2)
    return x.masked_fill(~torch.ones(size, size, dtype=torch.bool).tril(0), -math.inf)


def scan(x, a, b, c):
    """x [batch, length, heads, p], a [batch, length, heads], b and c [batch, length, n]."""
    batch, length, heads, p = x.shape
    chunks = length // CHUNK
    x = x.view(batch, chunks, CHUNK, heads, p)
    b, c = (t.reshape(batch, chunks, CHUNK, -1) for t in (b, c))
    a = a.view(batch, chunks, CHUNK, heads).permute(0, 3, 1, 2)
    total = a.cumsum(-1)
    within = torch.exp(segment_sum(a))
    scores = (c @ b.transpose(-1, -2)).unsqueeze(1) * within
    y = scores @ x.permute(0, 3, 1, 2, 4)
    decay = torch.exp(total[..., -1:] - total)
    states = (x.permute(0, 3, 1, 4, 2) * decay.unsqueeze(-2)) @ b.unsqueeze(1)
    states = torch.cat([torch.zeros_like(states[:, :, :1]), states], dim=2)
    between = torch.exp(segment_sum(F.pad(total[..., -1], (1, 0))))
    states = (between @ states.flatten(3)).view_as(states)[:, :, :-1]
    y = y + (c.unsqueeze(1) @ states.transpose(-1, -2)) * torch.exp(total).unsqueeze(-1)
    return y.permute(0, 2, 3, 1, 4).reshape(batch, length, heads, p)


class RMSNorm(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(size))

    def forward(self, x):
        return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + 1e-5) * self.weight


class Block(nn.Module):
    def __init__(self, d_model):
        super().__init__()
        self.inner = 2 * d_model
        self.heads = self.inner // HEADDIM
        self.channels = self.inner + 2 * D_STATE
        self.norm, self.gate_norm = RMSNorm(d_model), RMSNorm(self.inner)
        self.in_proj = nn.Linear(d_model, self.inner + self.channels + self.heads, bias=False)
        self.conv = nn.Conv1d(self.channels, self.channels, D_CONV, groups=self.channels, padding=D_CONV - 1)
        self.out_proj = nn.Linear(self.inner, d_model, bias=False)
        self.dt_bias = nn.Parameter(torch.full((self.heads,), -4.0))
        self.a_log = nn.Parameter(torch.log(torch.linspace(1, 16, self.heads)))
        self.d = nn.Parameter(torch.ones(self.heads))

    def forward(self, hidden):
        batch, length, _ = hidden.shape
        z, xbc, dt = self.in_proj(self.norm(hidden)).split([self.inner, self.channels, self.heads], -1)
        xbc = F.silu(self.conv(xbc.transpose(1, 2))[..., :length].transpose(1, 2))
        x, b, c = xbc.split([self.inner, D_STATE, D_STATE], -1)
        dt = F.softplus(dt + self.dt_bias)
        x = x.reshape(batch, length, self.heads, HEADDIM)
        y = scan(x * dt.unsqueeze(-1), -torch.exp(self.a_log) * dt, b, c) + self.d.unsqueeze(-1) * x
        return hidden + self.out_proj(self.gate_norm(y.flatten(2) * F.silu(z)))

    def step(self, hidden, state):
        z, xbc, dt = self.in_proj(self.norm(hidden)).split([self.inner, self.channels, self.heads], -1)
        conv, ssm = state
        conv.copy_(torch.roll(conv, -1, -1))
        conv[..., -1] = xbc
        xbc = F.silu((conv * self.conv.weight[:, 0]).sum(-1) + self.conv.bias)
        x, b, c = xbc.split([self.inner, D_STATE, D_STATE], -1)
        dt = F.softplus(dt + self.dt_bias)
        x = x.view(-1, self.heads, HEADDIM)
        decay = torch.exp(-torch.exp(self.a_log) * dt)
        ssm.mul_(decay[..., None, None]).add_((dt.unsqueeze(-1) * x).unsqueeze(-1) * b[:, None, None])
        y = ssm @ c[:, None, :, None]
        y = y.squeeze(-1) + self.d.unsqueeze(-1) * x
        return hidden + self.out_proj(self.gate_norm(y.flatten(1) * F.silu(z)))


class Model(nn.Module):
    def __init__(self, d_model, layers):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, d_model)
        nn.init.normal_(self.embedding.weight, std=0.02)
        self.layers = nn.ModuleList([Block(d_model) for _ in range(layers)])
        self.norm = RMSNorm(d_model)

    def forward(self, tokens):
        hidden = self.embedding(tokens)
        for layer in self.layers:
            hidden = layer(hidden)
        return F.linear(self.norm(hidden), self.embedding.weight)

    def step(self, tokens, states):
        hidden = self.embedding(tokens)
        for layer, state in zip(self.layers, states):
            hidden = layer.step(hidden, state)
        return F.linear(self.norm(hidden), self.embedding.weight)


def train(model, seconds, length):
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-4)
    tokens = torch.randint(VOCABULARY, (1, length + 1))

    def step():
        begin = time.monotonic()
        optimizer.zero_grad()
        F.cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten()).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1)
        optimizer.step()
        return time.monotonic() - begin

    best = step()  # makes memory; where it has used up the time already, it is what counts
    if best < seconds:
        best = step()
    begin = time.monotonic()
    while time.monotonic() - begin + best < seconds:
        best = min(best, step())
    print("tokens_per_second %.1f" % (length / best))


@torch.no_grad()
def generate(model, seconds, rows):
    tokens = torch.randint(VOCABULARY, (rows,))
    states = [(torch.zeros(rows, layer.channels, D_CONV), torch.zeros(rows, layer.heads, HEADDIM, D_STATE))
              for layer in model.layers]
    best, begin = math.inf, time.monotonic()
    while time.monotonic() - begin < seconds:
        before = time.monotonic()
        model.step(tokens, states)
        best = min(best, time.monotonic() - before)
    print("tokens_per_second %.1f" % (rows / best))


def main():
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    d_model, layers, seconds, count = map(int, sys.argv[2:6])
    {"train": train, "generate": generate}[sys.argv[1]](Model(d_model, layers), seconds, count)


if __name__ == "__main__":
    main()
