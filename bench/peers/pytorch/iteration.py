"""One iteration of SADA-JEM on given batches: Algorithm 1 of the paper, with SAM and SGD as the official code has them."""

import torch
from torch import nn
from torch.nn.functional import cross_entropy


class Iteration:
    def __init__(self, model, batches, options):
        """Batches: real, labelled and start are images `[N, C, H, W]`, labels are integers `[N]`."""
        self.model = model
        self.batches = batches
        self.options = options
        self.norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
        self.optimizer = torch.optim.SGD(
            model.parameters(),
            lr=0.0,
            momentum=options["momentum"],
            weight_decay=options["weightDecay"],
        )
        self.count = 0

    def __call__(self):
        """Returns what the trainer reports, as tensors."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.options["learningRate"] * min(1, self.count / self.options["warmup"])
        self.count += 1
        self.optimizer.zero_grad()
        first, generated = self.objective(None)
        first["loss"].backward()
        saved, gradient_norm = self.climb()
        self.optimizer.zero_grad()
        self.freeze_statistics(True)
        second, _ = self.objective(generated)
        second["loss"].backward()
        self.freeze_statistics(False)
        with torch.no_grad():
            for parameter, value in zip(self.model.parameters(), saved):
                parameter.copy_(value)
        self.optimizer.step()
        renamed = {"second" + name[0].upper() + name[1:]: value for name, value in second.items()}
        return {**first, **renamed, "gradientNorm": gradient_norm}

    def objective(self, generated):
        """The losses, and x_q, which is drawn after the forward pass of x_p unless it is given."""
        real = self.model.score(self.batches["real"]).mean()
        if generated is None:
            generated = self.sample()
        fake = self.model.score(generated).mean()
        classification = cross_entropy(self.model(self.batches["labelled"]), self.batches["labels"])
        losses = {"crossEntropy": classification, "realScore": real, "generatedScore": fake}
        return {**losses, "loss": fake - real + classification}, generated

    def sample(self):
        """K steps of SGLD."""
        options = self.options
        x = self.batches["start"]
        for _ in range(options["steps"]):
            x = x.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(self.model.score(x).sum(), [x])
            bound = options["gradientClamp"]
            x = x.detach() + options["stepSize"] * gradient.clamp(-bound, bound)
            if options["noiseScale"] > 0:
                x = x + options["noiseScale"] * torch.randn_like(x)
            x = x.clamp(-1, 1)
        return x

    @torch.no_grad()
    def climb(self):
        """θ ← θ + ρ·T²g / (‖T g‖ + 1e-12), T = |θ| if adaptive, else 1; returns θ and ‖T g‖."""
        parameters = list(self.model.parameters())
        saved = [parameter.clone() for parameter in parameters]
        scales = [parameter.abs() if self.options["adaptive"] else 1 for parameter in parameters]
        gradients = [parameter.grad for parameter in parameters]
        norm = torch.stack([(scale * g).norm() for scale, g in zip(scales, gradients)]).norm()
        for parameter, scale, g in zip(parameters, scales, gradients):
            parameter.add_(scale * scale * g * (self.options["rho"] / (norm + 1e-12)))
        return saved, norm

    def freeze_statistics(self, frozen):
        for module in self.norms:
            module.momentum = 0.0 if frozen else 0.9
