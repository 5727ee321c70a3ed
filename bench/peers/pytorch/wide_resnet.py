"""The Wide ResNet of src/nn/wide_resnet.ts, under the same names, without the energy head."""

from torch import nn
from torch.nn.functional import leaky_relu


class Block(nn.Module):
    def __init__(self, from_channels, to_channels, stride):
        super().__init__()
        self.bn1 = norm(from_channels)
        self.conv1 = nn.Conv2d(from_channels, to_channels, 3, padding=1)
        self.bn2 = norm(to_channels)
        self.conv2 = nn.Conv2d(to_channels, to_channels, 3, stride=stride, padding=1)
        self.shortcut = nn.Sequential()
        if stride != 1 or from_channels != to_channels:
            self.shortcut = nn.Sequential(nn.Conv2d(from_channels, to_channels, 1, stride=stride))

    def forward(self, x):
        hidden = self.conv1(leaky_relu(self.bn1(x), 0.2))
        return self.conv2(leaky_relu(self.bn2(hidden), 0.2)) + self.shortcut(x)


class Features(nn.Module):
    def __init__(self, depth, width):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, padding=1)
        channels = 16
        for group, stride in enumerate([1, 2, 2]):
            blocks = []
            for i in range((depth - 4) // 6):
                blocks.append(Block(channels, 16 * width * 2**group, stride if i == 0 else 1))
                channels = 16 * width * 2**group
            setattr(self, f"layer{group + 1}", nn.Sequential(*blocks))
        self.bn1 = norm(channels)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(self.conv1(x))))
        return leaky_relu(self.bn1(x), 0.2).mean((2, 3))


class WideResNet(nn.Module):
    def __init__(self, depth, width, classes):
        super().__init__()
        self.f = Features(depth, width)
        self.class_output = nn.Linear(64 * width, classes)

    def forward(self, x):
        return self.class_output(self.f(x))

    def score(self, x):
        """log p̃(x)"""
        return self(x).logsumexp(1)


def norm(channels):
    return nn.BatchNorm2d(channels, momentum=0.9)
