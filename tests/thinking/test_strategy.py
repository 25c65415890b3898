from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from voice_agent.events import Exchange, Strategy, Thought, UserTurn
from voice_agent.thinking.strategy import Stage, allowed, ordered, stage


def past(*strategies: Strategy) -> list[Exchange]:
    return [Exchange(UserTurn("x"), "y", Thought(strategy=one)) for one in strategies]


def test_first_it_explores_and_advises_only_late_or_when_asked():
    assert stage(0, advice_wanted=False) is Stage.EXPLORATION
    assert stage(4, advice_wanted=False) is Stage.INSIGHT
    assert stage(9, advice_wanted=False) is Stage.ACTION
    assert stage(0, advice_wanted=True) is Stage.ACTION
    assert Strategy.SUGGESTION not in ordered(-1, Stage.EXPLORATION, [])
    assert ordered(-1, Stage.ACTION, [])[0] is Strategy.SUGGESTION


@given(st.lists(st.sampled_from(list(Strategy)), max_size=6), st.sampled_from(list(Stage)))
def test_no_strategy_comes_three_times_running(used: list[Strategy], at: Stage):
    for valence in (-1.0, 0.0, 1.0):
        order = ordered(valence, at, past(*used))
        assert order
        assert used[-2:] != [order[0]] * 2


def test_strategies_change_over_a_conversation():
    for valence, at in product((-1.0, 0.0, 1.0), Stage):
        history: list[Exchange] = []
        for _ in range(12):
            history += past(ordered(valence, at, history)[0])
        used = [exchange.thought.strategy for exchange in history if exchange.thought]
        assert len(set(used)) >= 3
        assert max(used.count(one) for one in set(used)) <= 6


def test_past_turns_without_a_thought_forbid_nothing():
    assert allowed([Exchange(UserTurn("a"), "b")] * 3) == frozenset(Strategy)
