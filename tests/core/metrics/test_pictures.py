import torch

from ddmi_core.metrics.pictures import FEATURES, features


def test_features_tell_pictures_apart() -> None:
    colours = torch.eye(3).reshape(3, 3, 1, 1).expand(3, 3, 32, 32)
    noise = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    found = features(torch.cat([colours, colours[:1], noise]))
    assert found.shape == (5, FEATURES)
    assert torch.allclose(found[0], found[3], atol=1e-4)
    assert (found[0] - found[4]).norm() > (found[0] - found[1]).norm() * 0.1 > 0
