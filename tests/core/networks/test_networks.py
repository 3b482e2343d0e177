import pytest
import torch

from ddmi_core.networks.basis_decoder import BasisFieldDecoder, DecoderSizes
from ddmi_core.networks.layers import CrossPlaneMixing
from ddmi_core.networks.point_encoder import PointEncoder, PointSet
from ddmi_core.networks.readout import FoldedReadOut, ReadOut
from ddmi_core.planes import SINGLE_PLANE, TRI_PLANE


def test_mixing_carries_a_signal_to_the_planes_that_share_its_axis() -> None:
    mixing = CrossPlaneMixing(1, TRI_PLANE)
    assert mixing.merge is not None
    for merge in mixing.merge.planes:
        torch.nn.init.ones_(merge.weight)
    planes = [torch.zeros(1, 1, 4, 4) for _ in range(3)]
    planes[0][..., 2] = 1.0  # xy: something at the third column, so at x = cell 2
    xy, xz, yz = mixing(tuple(planes))
    assert (xz[0, 0].argmax(dim=-1) == 2).all()  # x runs along the width of xz too
    assert torch.allclose(yz[0, 0], yz[0, 0, 0, 0])  # yz shares only y, along which nothing changes
    assert xy.shape == xz.shape


def test_every_plane_has_weights_of_its_own() -> None:
    decoder = BasisFieldDecoder(DecoderSizes(TRI_PLANE, 4, (8, 8, 8), (1, 1, 0), basis_channels=4, levels=3))
    plane = torch.rand(1, 4, 8, 8)
    xy, xz, yz = decoder((plane, plane, plane))[0]
    assert not torch.allclose(xy, xz) and not torch.allclose(xz, yz)


def test_a_single_plane_has_nothing_to_mix() -> None:
    plane = torch.rand(1, 4, 8, 8)
    assert CrossPlaneMixing(4, SINGLE_PLANE)((plane,))[0] is plane


@pytest.mark.parametrize("conditioning", ["coarse_to_fine", "concatenate"])
def test_the_read_out_is_not_affine_and_uses_every_scale(conditioning: str) -> None:
    torch.manual_seed(3)
    readout = ReadOut(SINGLE_PLANE, "sum", 8, 3, 1, width=16, conditioning=conditioning)
    a, b = (tuple(3 * torch.randn(20, 8) for _ in range(3)) for _ in range(2))
    middle = tuple((x + y) / 2 for x, y in zip(a, b, strict=True))
    assert (readout(middle) - (readout(a) + readout(b)) / 2).abs().max() > 1e-3
    for scale in range(3):
        changed = tuple(b[i] if i == scale else a[i] for i in range(3))
        assert (readout(changed) - readout(a)).abs().max() > 1e-4


@pytest.mark.parametrize("conditioning", ["coarse_to_fine", "concatenate"])
@pytest.mark.parametrize("directed", [0, 3])
@pytest.mark.parametrize("footprint", [None, 0.3])
def test_a_folded_read_out_is_the_same_function(conditioning: str, directed: int, footprint: float | None) -> None:
    torch.manual_seed(3)
    readout = ReadOut(
        SINGLE_PLANE,
        "sum",
        8,
        3,
        4,
        width=16,
        conditioning=conditioning,
        footprint=None if footprint is None else (-10.0, -5.0),
        directed_channels=directed,
    )
    for weights in readout.parameters():
        torch.nn.init.normal_(weights, std=0.3)
    embeddings = tuple(torch.randn(20, 8) for _ in range(3))
    directions = torch.nn.functional.normalize(torch.randn(20, 3), dim=-1) if directed else None
    spread = None if footprint is None else torch.full((20, 1), footprint)
    folded = FoldedReadOut(readout, footprint)
    torch.testing.assert_close(folded(embeddings, directions), readout(embeddings, spread, directions).detach())
    torch.testing.assert_close(folded(embeddings), readout(embeddings, spread).detach())


def test_the_encoder_does_not_care_about_the_order_of_points() -> None:
    encoder = PointEncoder(TRI_PLANE, 4, channels=(8, 8), point_channels=8, size=16).eval()
    positions = torch.rand(1, 200, 3) * 2 - 1
    shuffled = positions[:, torch.randperm(200)]
    for before, after in zip(encoder(PointSet(positions)), encoder(PointSet(shuffled)), strict=True):
        assert before.shape == (1, 4, 8, 8)
        torch.testing.assert_close(before, after, atol=1e-5, rtol=1e-4)
