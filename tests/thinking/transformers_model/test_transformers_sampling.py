"""The choice of tokens against the one of the transformers library."""

import pytest

pytest.importorskip("torch", reason="needs the extra 'transformers'")
pytest.importorskip("transformers", reason="needs the extra 'transformers'")

import torch

from voice_agent.models import local_transformers
from voice_agent.thinking.models.transformers.sampling import NO_NUMBERS, choose


def expected(scores, temperature: float, top_p: float):
    local_transformers.ensure()
    import transformers

    row = scores[None]
    for warp in (
        transformers.TemperatureLogitsWarper(temperature),
        transformers.TopPLogitsWarper(top_p),
    ):
        row = warp(None, row)
    return row.softmax(-1)[0]


@pytest.mark.parametrize("spread", [4.0, 1.0, 0.1], ids=["sharp", "usual", "flat"])
@pytest.mark.parametrize("top_p", [0.05, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("size", [50, 2000])
def test_tokens_come_as_often_as_by_the_library(spread, top_p, size):
    scores = torch.randn(size, generator=torch.Generator().manual_seed(1)) * spread
    wanted = expected(scores, 0.7, top_p)
    number = 4000

    # Evenly over what chance can be, in rows of one step.
    chances = [(at + 0.5) / number for at in range(number)]
    chosen = choose(scores.expand(number, -1), chances, 0.7, top_p)

    share = torch.bincount(torch.tensor(chosen), minlength=size) / number
    assert (share - wanted).abs().max() <= 1.01 / number
    assert not share[wanted == 0].any()


def test_rows_are_independent_of_each_other():
    scores = torch.randn(5, 3000, generator=torch.Generator().manual_seed(2))
    chances = [0.0, 0.3, 0.5, 0.9, 0.999]

    alone = [
        choose(row[None], [chance], 0.7, 0.9)[0]
        for row, chance in zip(scores, chances, strict=True)
    ]

    assert choose(scores, chances, 0.7, 0.9) == alone


def test_chance_at_its_ends_gives_a_token_that_may_be_chosen():
    scores = torch.full((2, 100), -1e9)
    scores[:, [40, 41]] = 1.0

    assert choose(scores, [0.0, 1 - 1e-16], 1.0, 1.0) == [40, 41]


def test_without_temperature_the_likeliest_is_chosen():
    scores = torch.tensor([[0.0, 2.0, 1.0], [5.0, 2.0, 1.0]])

    assert choose(scores, [0.99, 0.99], 0, 0.9) == [1, 0]


@pytest.mark.parametrize("temperature", [0, 0.7])
def test_a_row_without_numbers_is_told_and_disturbs_no_other(temperature):
    scores = torch.zeros(3, 400)
    scores[:, 7] = 100.0
    scores[1] = float("nan")

    assert choose(scores, [0.5] * 3, temperature, 0.9) == [7, NO_NUMBERS, 7]
