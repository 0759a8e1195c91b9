"""The page that is made from the catalogue."""

import importlib.util
from pathlib import Path

from krakenasync.spot.catalog import ENDPOINTS

PATH = Path(__file__).parent.parent / "docs" / "generate.py"
spec = importlib.util.spec_from_file_location("generate", PATH)
generate = importlib.util.module_from_spec(spec)
spec.loader.exec_module(generate)


def test_the_endpoint_reference_is_fresh():
    """What stands in docs/ is what the catalogue says; ``python docs/generate.py`` makes it so."""
    assert generate.TARGET.read_text(encoding="utf-8") == generate.reference()


def test_every_endpoint_has_an_entry():
    """A section of its own for each method, in a section that has a title."""
    page = generate.reference()

    assert all(page.count(f"\n### {method}\n") == 1 for method in ENDPOINTS)
    assert {request.spec.section for request in ENDPOINTS.values()} == set(generate.SECTIONS)


def test_an_entry_holds_the_facts():
    """Path, permission, cost, effect, result and parameters, those first that must be given."""
    entry = generate.reference().partition("\n### withdraw\n")[2].partition("\n### ")[0]

    for fact in (
        "`POST /0/private/Withdraw`",
        "Permission: withdraw-funds",
        "Cost: 1 on the key's counter",
        "never repeated by the client",
        "Returns: `Reference`",
        "| **`amount`** | `Decimal` or `int` or `str` |",
        "| `aclass` | `str`: `currency`, `tokenized_asset` |",
    ):
        assert fact in entry
