"""PSHuman's and Era3D's U-Net written out: released names, released batch layout, plain loops.

The equations are those of the published code, in its own order of a batch: all normal maps first
(subject by subject, slot by slot), all colour images after. Nothing of the library is used.
"""

import torch
import torch.nn.functional as F


class Reference:
    """The forward pass from a dictionary of parameters by their released names."""

    def __init__(self, weights, heads, groups, views, face):
        self.weights, self.heads, self.groups = weights, heads, groups
        self.views, self.face, self.slots = views, face, views + face

    def linear(self, name, x):
        return F.linear(x, self.weights[f"{name}.weight"], self.weights.get(f"{name}.bias"))

    def conv(self, name, x, stride=1):
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return F.conv2d(x, weight, bias, stride=stride, padding=weight.shape[-1] // 2)

    def group_norm(self, name, x, eps):
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return F.group_norm(x, self.groups, weight, bias, eps)

    def layer_norm(self, name, x):
        weight, bias = self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]
        return F.layer_norm(x, x.shape[-1:], weight, bias)

    def perceptron(self, name, x):
        return self.linear(f"{name}.linear_2", F.silu(self.linear(f"{name}.linear_1", x)))

    def attention(self, name, x, context, heads):
        """Tokens (L, C) by tokens (S, D), one head after the other."""
        q, k, v = (
            self.linear(f"{name}.to_{letter}", tokens)
            for letter, tokens in (("q", x), ("k", context), ("v", context))
        )
        width = q.shape[-1] // heads
        mixed = []
        for head in range(heads):
            part = slice(head * width, (head + 1) * width)
            scores = q[:, part] @ k[:, part].T / width**0.5
            mixed.append(scores.softmax(-1) @ v[:, part])
        return self.linear(f"{name}.to_out.0", torch.cat(mixed, dim=-1))

    def resnet(self, name, x, embedding):
        hidden = self.conv(f"{name}.conv1", F.silu(self.group_norm(f"{name}.norm1", x, 1e-5)))
        hidden = hidden + self.linear(f"{name}.time_emb_proj", F.silu(embedding))[:, :, None, None]
        hidden = self.conv(f"{name}.conv2", F.silu(self.group_norm(f"{name}.norm2", hidden, 1e-5)))
        if f"{name}.conv_shortcut.weight" in self.weights:
            x = self.conv(f"{name}.conv_shortcut", x)
        return x + hidden

    def index(self, modality, subject, slot, subjects):
        return (modality * subjects + subject) * self.slots + slot

    def transformer(self, name, x, prompts, heads):
        n, channels, height, width = x.shape
        subjects = n // (2 * self.slots)
        tokens = self.group_norm(f"{name}.norm", x, 1e-6).flatten(2).transpose(1, 2)
        tokens = self.linear(f"{name}.proj_in", tokens)
        block = f"{name}.transformer_blocks.0"

        normed = self.layer_norm(f"{block}.norm1", tokens)
        change = torch.empty_like(tokens)
        for subject in range(subjects):
            for slot in range(self.slots):
                normal, colour = (self.index(m, subject, slot, subjects) for m in range(2))
                both = torch.cat([normed[normal], normed[colour]])
                mixed = self.attention(f"{block}.attn1", both, both, heads)
                change[normal], change[colour] = mixed.chunk(2)
        if self.face:
            third = height // 3
            for modality in range(2):
                for subject in range(subjects):
                    front = self.index(modality, subject, 0, subjects)
                    face = change[self.index(modality, subject, self.slots - 1, subjects)]
                    small = F.interpolate(
                        face.T.reshape(1, channels, height, width), (third, third), mode="bilinear"
                    )[0]
                    for row in range(third):
                        for column in range(third):
                            place = row * width + third + column
                            change[front, place] = (
                                0.5 * change[front, place] + 0.5 * small[:, row, column]
                            )
        tokens = tokens + change

        normed = self.layer_norm(f"{block}.norm_mv", tokens)
        change = torch.zeros_like(tokens)
        for modality in range(2):
            for subject in range(subjects):
                for row in range(height):
                    part = slice(row * width, (row + 1) * width)
                    members = [
                        self.index(modality, subject, view, subjects) for view in range(self.views)
                    ]
                    line = torch.cat([normed[member, part] for member in members])
                    mixed = self.attention(f"{block}.attn_mv", line, line, heads)
                    for member, piece in zip(members, mixed.chunk(self.views), strict=True):
                        change[member, part] = piece
        tokens = tokens + change

        normed = self.layer_norm(f"{block}.norm2", tokens)
        change = [self.attention(f"{block}.attn2", normed[i], prompts[i], heads) for i in range(n)]
        tokens = tokens + torch.stack(change)

        normed = self.layer_norm(f"{block}.norm3", tokens)
        value, gate = self.linear(f"{block}.ff.net.0.proj", normed).chunk(2, dim=-1)
        tokens = tokens + self.linear(f"{block}.ff.net.2", value * F.gelu(gate))
        tokens = self.linear(f"{name}.proj_out", tokens)
        return x + tokens.transpose(1, 2).reshape(x.shape)

    def stage(self, name, x, embedding, prompts, heads, index):
        x = self.resnet(f"{name}.resnets.{index}", x, embedding)
        if f"{name}.attentions.{index}.norm.weight" in self.weights:
            x = self.transformer(f"{name}.attentions.{index}", x, prompts, heads)
        return x

    def camera(self, x, subjects):
        """Embedding of the regressed camera for every item of the batch."""
        pooled = x.mean((2, 3))
        pooled = torch.cat(pooled.chunk(2), dim=-1)
        camera = []
        for name in ("elevation_regressor", "focal_regressor"):
            hidden = F.silu(self.linear(f"{name}.linear_in.0", pooled))
            block = 0
            while f"{name}.blocks.{block}.linear1.weight" in self.weights:
                inner = F.silu(self.linear(f"{name}.blocks.{block}.linear1", hidden))
                hidden = F.silu(hidden + self.linear(f"{name}.blocks.{block}.linear2", inner))
                block += 1
            values = self.linear(f"{name}.linear_out", hidden)
            camera.append(values.reshape(subjects, self.slots).mean(1))
        camera = torch.stack(camera, dim=-1)
        told = self.perceptron("camera_embedding", torch.cat([camera.sin(), camera.cos()], dim=-1))
        return told.repeat_interleave(self.slots, 0).repeat(2, 1)

    def __call__(self, latents, timesteps, image_latents, picture, prompts):
        """(2 B slots, ...) in the released order; prompts (2 B slots, L, D)."""
        subjects = len(latents) // (2 * self.slots)
        width = self.weights["conv_in.weight"].shape[0]
        frequencies = 10000 ** (-torch.arange(width // 2) / (width // 2))
        angles = timesteps[:, None] * frequencies
        code = torch.cat([angles.cos(), angles.sin()], dim=-1)
        embedding = self.perceptron("time_embedding", code)
        embedding = embedding + self.perceptron("class_embedding", picture)

        x = self.conv("conv_in", torch.cat([latents, image_latents], dim=1))
        levels, blocks, kept = len(self.heads), 2, [x]
        for level, heads in enumerate(self.heads):
            for index in range(blocks):
                x = self.stage(f"down_blocks.{level}", x, embedding, prompts, heads, index)
                kept.append(x)
            if level < levels - 1:
                x = self.conv(f"down_blocks.{level}.downsamplers.0.conv", x, stride=2)
                kept.append(x)
        x = self.resnet("mid_block.resnets.0", x, embedding)
        x = self.transformer("mid_block.attentions.0", x, prompts, self.heads[-1])
        x = self.resnet("mid_block.resnets.1", x, embedding)
        if "camera_embedding.linear_1.weight" in self.weights:
            embedding = embedding + self.camera(x, subjects)
        for place, heads in enumerate(reversed(self.heads)):
            for index in range(blocks + 1):
                x = torch.cat([x, kept.pop()], dim=1)
                x = self.stage(f"up_blocks.{place}", x, embedding, prompts, heads, index)
            if place < levels - 1:
                x = x.repeat_interleave(2, -2).repeat_interleave(2, -1)
                x = self.conv(f"up_blocks.{place}.upsamplers.0.conv", x)
        return self.conv("conv_out", F.silu(self.group_norm("conv_norm_out", x, 1e-5)))
