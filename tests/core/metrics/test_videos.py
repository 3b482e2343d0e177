import pytest
import torch

from ddmi_core.metrics import videos
from ddmi_core.metrics.videos import blended, clip_features, motion_distance


def test_blending_is_linear_between_neighbours_and_holds_at_the_ends() -> None:
    frames = torch.arange(3.0).view(3, 1, 1, 1).expand(3, 2, 4, 4)
    found = blended(frames, torch.tensor([-0.5, 0.0, 0.5]), torch.tensor([-1.0, -0.5, -0.25, 0.125, 0.9]))
    assert found[:, 0, 0, 0].tolist() == pytest.approx([0, 0, 0.5, 1.25, 2])


def test_order_and_rest_change_motion_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(videos, "features", lambda frames: frames.flatten(1))

    def measured(clips: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        appearance, motion = zip(*(clip_features(clip) for clip in clips), strict=True)
        return torch.stack(appearance), torch.stack(motion)

    t = torch.linspace(0, 1, 12).view(1, 12, 1, 1, 1)
    clips = torch.rand(40, 1, 3, 4, 4) * t + torch.rand(40, 1, 3, 4, 4)
    real = measured(clips[:20])
    other, shuffled = measured(clips[20:]), measured(clips[20:, torch.randperm(12)])
    frozen = measured(clips[20:, 6:7].expand(-1, 12, -1, -1, -1))
    fair = motion_distance(real, other)["motion"]
    assert motion_distance(real, shuffled)["motion"] > fair and motion_distance(real, frozen)["motion"] > fair
    torch.testing.assert_close(other[0], shuffled[0])
