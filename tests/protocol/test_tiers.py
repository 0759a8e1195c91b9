"""The figures of the tiers."""

import pytest

from krakenasync.errors import ConfigurationError
from krakenasync.protocol.tiers import PUBLIC, CounterSpec, Tier


# https://docs.kraken.com/exchange/guides/rest/ratelimits and https://docs.kraken.com/exchange/guides/general/ratelimits
@pytest.mark.parametrize(
    ("name", "rest", "engine", "open_orders"),
    [
        ("starter", (15, 0.33), (60, 1.0), 60),
        ("intermediate", (20, 0.5), (125, 2.34), 80),
        ("pro", (20, 1.0), (180, 3.75), 225),
    ],
)
def test_published_limits(name, rest, engine, open_orders):
    """Each tier has Kraken's published caps, decays a second and number of open orders."""
    tier = Tier.parse(name)
    assert (tier.rest.cap, tier.rest.decay) == rest
    assert (tier.engine.cap, tier.engine.decay) == engine
    assert tier.open_orders == open_orders


def test_three_tiers_and_no_alias():
    """No two tiers melt into one by having equal figures."""
    names = [tier.name for tier in Tier]
    assert names == ["STARTER", "INTERMEDIATE", "PRO"]
    assert list(Tier.__members__) == names


def test_public_calls_get_one_a_second_and_no_burst():
    """The public counter takes one call a second; no burst is published, so none is assumed."""
    assert CounterSpec(cap=1, decay_hundredths=100) == PUBLIC


@pytest.mark.parametrize("given", [Tier.PRO, "pro", "PRO", " Pro "])
def test_parse_takes_a_tier_or_its_name_in_any_case(given):
    """A tier is named by the member or by its name, however written."""
    assert Tier.parse(given) is Tier.PRO


@pytest.mark.parametrize("given", ["", "gold", "_missing_", "rest", None, 3])
def test_parse_names_the_choices(given):
    """An unknown tier is refused with the list of those there are."""
    with pytest.raises(ConfigurationError, match="starter, intermediate, pro"):
        Tier.parse(given)
