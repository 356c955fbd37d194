"""Every call of the corpus behaves under gijit, in each forced tier, as it does on stock."""

import pytest

import build
from corpus import driver


@pytest.fixture(scope="module")
def suite():
    return build.prepare()


@pytest.fixture(scope="module")
def stock(suite):
    return driver.run(suite, "stock")


def test_corpus_is_deterministic_on_stock(suite, stock):
    assert len(stock.cases) >= 250
    assert not [id for id, seen in stock.cases.items() if isinstance(seen, str)]
    again = driver.run(suite, "stock")
    assert driver.differences(stock, again) == []


@pytest.mark.parametrize("mode", ["default", "tier0", "tier1", "tier2", "warm"])
def test_behaves_as_stock(suite, stock, mode):
    _, wrong = driver.check(suite, stock, mode)
    assert not wrong, "\n".join(wrong)
