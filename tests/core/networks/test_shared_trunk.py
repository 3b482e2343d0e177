import pytest
import torch
from torch import nn

from ddmi_core.autoencoder import D2CVAE
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.networks.basis_decoder import DecoderSizes, SharedBasisFieldDecoder
from ddmi_core.networks.point_encoder import PatchedPointEncoder, PointSet
from ddmi_core.networks.shared_trunk import PlaneBlock, ProfileMixing, fold, unfold
from ddmi_core.planes import SINGLE_PLANE, TRI_PLANE


def _stirred(module: nn.Module) -> nn.Module:
    """Give every weight a value: layers that add nothing at first would hide what is wrong with them."""
    torch.manual_seed(0)
    for weights in module.parameters():
        nn.init.normal_(weights, std=0.2)
    return module


def test_planes_of_a_batch_stay_apart() -> None:
    planes = tuple(torch.randn(2, 8, 4, 4) for _ in range(3))
    block = _stirred(PlaneBlock(8, 3))
    together = unfold(block(fold(planes)), 3)
    changed = unfold(block(fold((planes[0], planes[1] + 1, planes[2]))), 3)
    assert torch.equal(together[0], changed[0]) and torch.equal(together[2], changed[2])
    assert (together[1] - changed[1]).abs().max() > 1e-3


def test_a_block_knows_which_plane_it_works_on() -> None:
    plane = torch.randn(1, 8, 4, 4)
    xy, xz, yz = unfold(_stirred(PlaneBlock(8, 3))(fold((plane, plane, plane))), 3)
    assert not torch.allclose(xy, xz) and not torch.allclose(xz, yz)


def test_mixing_carries_a_signal_to_the_planes_that_share_its_axis() -> None:
    mixing = ProfileMixing(1, TRI_PLANE)
    for layer in (mixing.along_width, mixing.along_height):
        nn.init.ones_(layer.weight)
    planes = [torch.zeros(2, 1, 4, 4) for _ in range(3)]
    planes[0][1, :, :, 2] = 1.0  # xy of the second item: something at the third column, so at x = cell 2
    _, xz, yz = unfold(mixing(fold(tuple(planes))), 3)
    assert (xz[1, 0].argmax(dim=-1) == 2).all()  # x runs along the width of xz too
    assert torch.allclose(yz[1, 0], yz[1, 0, 0, 0])  # yz shares only y, along which nothing changes
    assert not xz[0].any()


def test_a_single_plane_has_nothing_to_mix() -> None:
    plane = torch.rand(1, 4, 8, 8)
    assert ProfileMixing(4, SINGLE_PLANE)(plane) is plane


@pytest.mark.parametrize("levels", [1, 3])
@pytest.mark.parametrize("blocks", [(1, 1, 1), (2, 1, 0), (1, 0, 0)])
def test_the_decoder_gives_fields_of_growing_sides(blocks: tuple[int, ...], levels: int) -> None:
    decoder = SharedBasisFieldDecoder(DecoderSizes(TRI_PLANE, 4, (16, 8, 8), blocks, basis_channels=6, levels=levels))
    fields = decoder(tuple(torch.rand(2, 4, 4, 4) for _ in range(3)))
    sides = (4, 8, 16)[3 - levels :]
    assert [plane.shape for field in fields for plane in field] == [(2, 6, s, s) for s in sides for _ in range(3)]
    sum(plane.square().sum() for field in fields for plane in field).backward()
    unused = [name for name, weights in decoder.named_parameters() if weights.grad is None]
    assert not unused


def test_the_encoder_does_not_care_about_the_order_of_points_but_about_their_normals() -> None:
    encoder = _stirred(
        PatchedPointEncoder(
            TRI_PLANE,
            4,
            feature_channels=3,
            point_channels=8,
            splat_channels=4,
            width=16,
            blocks=1,
            patch=4,
            size=4,
        )
    )
    positions, normals = torch.rand(1, 200, 3) * 2 - 1, torch.randn(1, 200, 3)
    order = torch.randperm(200)
    first = encoder(PointSet(positions, normals))
    for before, after in zip(first, encoder(PointSet(positions[:, order], normals[:, order])), strict=True):
        assert before.shape == (1, 4, 4, 4)
        torch.testing.assert_close(before, after, atol=1e-4, rtol=1e-3)
    unknown = encoder(PointSet(positions))
    assert not torch.allclose(unknown[0], first[0])
    torch.testing.assert_close(unknown[0], encoder(PointSet(positions, torch.zeros(1, 200, 3)))[0])


@pytest.mark.parametrize(
    ("domain", "switches"),
    [
        ("shape", {}),
        ("shape", {"hdbf": "single"}),
        ("shape", {"conditioning": "concatenate"}),
        ("nerf", {}),
        ("image", {}),
    ],
)
def test_an_autoencoder_with_a_shared_trunk_learns_one_signal(domain: str, switches: dict[str, str]) -> None:
    torch.manual_seed(0)
    sizes = {"encoder_channels": (4, 16), "decoder_channels": (16, 8, 8), "decoder_blocks": (1, 1, 0), "patch": 4}
    config = AutoencoderConfig(
        domain=domain, trunk="shared", latent_size=4, point_channels=8, basis_channels=8, **sizes, **switches
    )
    autoencoder = D2CVAE(config)
    dimensions = 2 if domain == "image" else 3
    coords = torch.rand(1, 64, dimensions) * 2 - 1
    target = torch.rand(1, 64, 1)
    given = torch.rand(1, 4, 16, 16) if domain == "image" else PointSet(torch.rand(1, 64, 3) * 2 - 1)
    optimiser = torch.optim.Adam(autoencoder.parameters(), 1e-2)
    losses = []
    for _ in range(30):
        values = autoencoder.readout.evaluate(autoencoder.decode(autoencoder.encode(given).mean), coords)
        loss = (values[..., :1] - target).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"decoder_blocks": (1, 0, 1)},
        {"decoder_blocks": (0, 0, 0)},
        {"decoder_blocks": (1, 1)},
        {"trunk": "separate", "normals": True},
    ],
)
def test_sizes_that_do_not_fit_are_refused(wrong: dict[str, object]) -> None:
    settings: dict[str, object] = {"domain": "shape", "trunk": "shared"}
    with pytest.raises(ValueError, match=r"blocks|normals"):
        AutoencoderConfig(**{**settings, **wrong})
