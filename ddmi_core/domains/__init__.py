"""The domains, one module each; `get_domain` is the only way that the rest of the code meets them."""

from ddmi_core.domains.base import Domain
from ddmi_core.domains.image import ImageDomain
from ddmi_core.domains.nerf import NerfDomain
from ddmi_core.domains.shape import ShapeDomain
from ddmi_core.domains.video import VideoDomain
from ddmi_core.support.errors import DDMIError

_DOMAINS: dict[str, Domain] = {
    domain.name: domain for domain in (ShapeDomain(), ImageDomain(), NerfDomain(), VideoDomain())
}


def domain_names() -> list[str]:
    """Return the names of all domains."""
    return list(_DOMAINS)


def get_domain(name: str) -> Domain:
    """Return the domain called `name`.

    Raises:
        DDMIError: there is no such domain.
    """
    try:
        return _DOMAINS[name]
    except KeyError:
        raise DDMIError(f"There is no domain {name!r}; there are: {', '.join(_DOMAINS)}.") from None


__all__ = ["Domain", "domain_names", "get_domain"]
