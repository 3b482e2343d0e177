import pytest
import torch

from ddmi_core.autoencoder import D2CVAE, Posterior
from ddmi_core.autoencoder_config import AutoencoderConfig
from ddmi_core.fields import decoded
from ddmi_core.networks.point_encoder import PointSet
from ddmi_core.support.progress import Cancelled

SMALL = {
    "domain": "shape",
    "latent_channels": 2,
    "latent_size": 4,
    "point_channels": 8,
    "encoder_channels": (8, 8),
    "decoder_channels": (8, 8, 8),
    "basis_channels": 8,
    "readout_width": 8,
}


@pytest.fixture
def autoencoder() -> D2CVAE:
    return D2CVAE(AutoencoderConfig(**SMALL)).eval()


@pytest.mark.parametrize("hdbf", ["hierarchical", "single"])
@pytest.mark.parametrize("conditioning", ["coarse_to_fine", "concatenate"])
def test_the_ablation_switches_build_and_learn(hdbf: str, conditioning: str) -> None:
    autoencoder = D2CVAE(AutoencoderConfig(**SMALL, hdbf=hdbf, conditioning=conditioning))
    posterior = autoencoder.encode(PointSet(torch.rand(2, 50, 3) * 2 - 1))
    basis = autoencoder.decode(posterior.sample())
    assert [planes[0].shape[-1] for planes in basis] == ([4, 8, 16] if hdbf == "hierarchical" else [16])
    values = autoencoder.readout.evaluate(basis, torch.rand(2, 30, 3) * 2 - 1)
    assert values.shape == (2, 30, 1)
    values.square().sum().backward()
    assert all(p.grad is not None for p in autoencoder.parameters())


def test_kl_is_the_closed_form() -> None:
    posterior = Posterior(torch.full((1, 1, 2, 2), 0.5), torch.full((1, 1, 2, 2), -0.7))
    normal = torch.distributions.Normal
    expected = torch.distributions.kl_divergence(
        normal(torch.tensor(0.5), torch.tensor(-0.35).exp()), normal(torch.tensor(0.0), torch.tensor(1.0))
    )
    torch.testing.assert_close(posterior.kl(), expected)


def test_a_field_gives_the_same_values_in_any_chunks(autoencoder: D2CVAE, monkeypatch: pytest.MonkeyPatch) -> None:
    latent = torch.randn(autoencoder.canvas_shape)
    coords = torch.rand(3, 1000, 3) * 2 - 1
    whole = autoencoder.field(latent)(coords)
    monkeypatch.setattr(decoded, "CPU_MEMORY_BUDGET", 1)
    pieces = autoencoder.field(latent)
    asked: list[float] = []
    torch.testing.assert_close(pieces(coords, progress=lambda fraction, _: asked.append(fraction)), whole)
    assert whole.shape == (3, 1000, 1)
    assert len(asked) == 3 and asked[-1] == 1.0


def test_a_query_can_be_cancelled(autoencoder: D2CVAE) -> None:
    def stop(fraction: float, text: str) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        autoencoder.field(torch.randn(autoencoder.canvas_shape))(torch.zeros(10, 3), progress=stop)


def test_no_coordinates_give_no_values(autoencoder: D2CVAE) -> None:
    assert autoencoder.field(torch.randn(autoencoder.canvas_shape))(torch.zeros(0, 3)).shape == (0, 1)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_basis_fields_in_half_precision_give_nearly_the_same_values(autoencoder: D2CVAE, dtype: torch.dtype) -> None:
    basis = autoencoder.decode(torch.randn(1, *autoencoder.canvas_shape))
    half = tuple(tuple(plane.to(dtype) for plane in planes) for planes in basis)
    coords = torch.rand(500, 3) * 2 - 1
    exact = autoencoder.domain.field(autoencoder.readout, basis)(coords)
    found = autoencoder.domain.field(autoencoder.readout, half)(coords)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, exact, atol=0.03, rtol=0.03)


def test_places_of_a_lattice_have_the_values_of_their_coordinates(
    autoencoder: D2CVAE, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = autoencoder.field(torch.randn(autoencoder.canvas_shape))
    axis, places = torch.linspace(-1, 1, 20), torch.randint(20, (3000, 3))
    by_coordinates = field(axis[places])
    assert by_coordinates.unique().numel() > 100
    on_lattice = field.on_lattice([axis] * 3)
    assert torch.equal(on_lattice(places), by_coordinates)
    assert on_lattice(places[:0]).shape == (0, 1)
    monkeypatch.setattr(decoded, "LATTICE_MEMORY_BUDGET", 1000)  # too little for it
    every_place = field.on_lattice([axis] * 3)
    assert torch.equal(every_place(places), by_coordinates)
    assert on_lattice.nbytes > every_place.nbytes == 0


def test_chunks_on_a_gpu_grow_with_its_free_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = torch.device("cuda")
    found = []
    for gigabytes in (0.1, 1, 4, 5, 100):
        monkeypatch.setattr(decoded, "free_memory", lambda _, free=gigabytes: int(free * 2**30))
        found.append(decoded.memory_budget(gpu))
    assert found == [64 * 2**20, 2**27, 2**29, 2**29, 2**30]
