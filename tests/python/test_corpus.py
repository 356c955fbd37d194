"""Every call of the corpus behaves under gijit, in each forced tier, as it does on stock."""

import pytest

import build
from corpus import driver
from modes import MODES


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


@pytest.mark.parametrize("mode", MODES[1:])
def test_behaves_as_stock(suite, stock, mode):
    _, wrong = driver.check(suite, stock, mode)
    assert not wrong, "\n".join(wrong)


@pytest.fixture(scope="module")
def generated_stock(suite):
    return driver.generated(suite, "stock")


def test_generated_corpus_is_deterministic_on_stock(suite, generated_stock):
    # `driver.py --bless-generated` lists the calls that stock does not survive.
    assert len(generated_stock.cases) >= 11000
    assert not generated_stock.ends
    again = driver.generated(suite, "stock")
    assert driver.differences(generated_stock, again) == []


@pytest.mark.parametrize("mode", MODES[1:])
def test_generated_calls_behave_as_on_stock(suite, generated_stock, mode):
    _, wrong = driver.check(suite, generated_stock, mode, "generated")
    assert not wrong, "\n".join(wrong)
