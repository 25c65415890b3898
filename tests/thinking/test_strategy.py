from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from voice_agent.errors import EngineUnavailable
from voice_agent.events import Conduct, Exchange, Strategy, Thought, UserTurn
from voice_agent.shipped import shipped
from voice_agent.thinking.plain_words import plain
from voice_agent.thinking.strategy import LEADING, Choice, Stage, allowed, choose, leads, stage_of
from voice_agent.thinking.strategy.evidence import evidence, rules
from voice_agent.thinking.strategy.features import features
from voice_agent.thinking.strategy.model import LEARNED, StrategyModel, carried

TROUBLE = [
    "i lost my job last week",
    "they told me on friday and i have been crying since then",
    "yes exactly i feel worthless",
    "i keep thinking that it is my own fault",
    "my wife says i should not worry but i can not sleep",
    "i guess i never really liked that job",
    "maybe i could look for something in another field",
    "i am thinking of calling my old colleague",
    "it is hard to begin",
    "i will try it tomorrow",
    "i am still afraid of it",
    "we have to pay the rent you know",
]
PLAIN = ["i had pasta for lunch", "then i watched a film", "it was about a dog"] * 4


def past(*used: str) -> list[Exchange]:
    return [Exchange(UserTurn("x"), "y", Thought(strategy=one)) for one in used]


def replied(said: str, strategy: str = "") -> Exchange:
    return Exchange(UserTurn(said), "So.", Thought(strategy=strategy))


def chosen(
    said: str,
    history: list[Exchange] | tuple[Exchange, ...] = (),
    valence: float = -0.5,
    advice: bool = False,
    conduct: Conduct = Conduct(),  # noqa: B008
) -> tuple[Choice, ...]:
    return choose(UserTurn(said), history, valence=valence, advice_wanted=advice, conduct=conduct)


def stage(said: str, history=(), valence: float = -0.5, advice: bool = False) -> Stage:
    return stage_of(UserTurn(said), history, valence=valence, advice_wanted=advice)


def conversation(turns: list[str], conduct: Conduct, valence: float) -> list[Exchange]:
    history: list[Exchange] = []
    for said in turns:
        history.append(replied(said, chosen(said, history, valence, conduct=conduct)[0].strategy))
    return history


def used(history: list[Exchange]) -> list[str]:
    return [exchange.thought.strategy for exchange in history]


# --- stages -----------------------------------------------------------------------------------


def test_a_trouble_is_explored_then_seen_anew_then_acted_upon():
    history: list[Exchange] = []
    found = []
    for said in TROUBLE:
        found.append(stage(said, history))
        history.append(replied(said, Strategy.REFLECTION))
    assert found[0] is Stage.EXPLORATION
    assert Stage.INSIGHT in found
    assert found[-1] is Stage.ACTION
    assert all(tuple(Stage).index(b) >= tuple(Stage).index(a) for a, b in pairwise(found))


def test_the_stage_goes_by_what_was_told_not_by_the_number_of_turns():
    told = [replied("my boss fired me because i was ill")]
    assert stage("i feel so worthless and so scared", told) is Stage.INSIGHT
    silent = [replied("it is bad")]
    assert stage("really bad", silent) is Stage.EXPLORATION


def test_something_new_leads_back_to_exploration():
    history = [replied(said) for said in TROUBLE]
    assert stage("i am still a bit sad", history) is Stage.ACTION
    assert stage("and now my mother is ill too", history) is Stage.EXPLORATION


def test_a_suggestion_that_does_not_help_leads_back_to_insight():
    history = [replied(said) for said in TROUBLE[:-1]]
    tried = [*history, replied(TROUBLE[-1], Strategy.SUGGESTION)]
    assert stage("i already tried that and nothing helps", tried) is Stage.INSIGHT
    asked = [*history, replied(TROUBLE[-1], Strategy.QUESTION)]
    assert stage("i already tried that and nothing helps", asked) is Stage.ACTION


def test_asking_for_advice_leads_to_action_and_stays_there_only_if_the_cause_is_known():
    assert stage("what should i do", advice=True) is Stage.ACTION
    vague = [replied("what should i do")]
    assert stage("it is all so much", vague) is Stage.EXPLORATION
    clear = [replied("i lost my job and my flat"), replied("what should i do")]
    assert stage("yes", clear) is Stage.ACTION


def test_plain_and_glad_talk_stays_where_it_is():
    history = [replied(said) for said in PLAIN]
    assert stage("the film was long", history, valence=0.0) is Stage.EXPLORATION


def test_a_trouble_that_only_the_voice_tells_of_counts_as_one():
    told = Exchange(UserTurn("we went to the station"), "So.", Thought(voice_emotion="sad"))
    history = [told, *(replied("he took the train at six") for _ in range(6))]
    assert stage("that was it", history, valence=0.0) is not Stage.EXPLORATION


# --- choices ----------------------------------------------------------------------------------


@given(
    st.lists(st.sampled_from(["", *Strategy]), max_size=8),
    st.sampled_from([-0.8, -0.1, 0.0, 0.6]),
    st.sampled_from([0.0, 0.3, 0.5, 1.0]),
    st.sampled_from(TROUBLE + PLAIN),
)
def test_no_strategy_comes_three_times_running(before, valence, initiative, said):
    found = chosen(said, past(*before), valence, conduct=Conduct(initiative=initiative))
    assert found
    assert len({one.strategy for one in found}) == len(found)
    assert [one.score for one in found] == sorted((one.score for one in found), reverse=True)
    tired = before[-1] if len(before) >= 2 and before[-2] == before[-1] else None
    assert all(one.strategy != tired for one in found)


@pytest.mark.parametrize(("turns", "valence"), [(TROUBLE, -0.5), (PLAIN, 0.0), (PLAIN, 0.6)])
def test_strategies_change_over_a_conversation(turns, valence):
    strategies = used(conversation(turns, Conduct(), valence))
    assert len(set(strategies)) >= 3
    assert max(strategies.count(one) for one in set(strategies)) <= 6


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5, 0.75])
@pytest.mark.parametrize(("turns", "valence"), [(TROUBLE, -0.5), (PLAIN, 0.0)])
def test_the_share_that_leads_is_held(share, turns, valence):
    history = conversation(turns, Conduct(initiative=share), valence)
    assert sum(map(leads, history)) / len(history) == pytest.approx(share, abs=0.17)


def test_full_initiative_leads_wherever_it_may():
    history = conversation(TROUBLE, Conduct(initiative=1.0), -0.5)
    for before, exchange in zip(range(len(history)), history, strict=True):
        free = allowed(history[:before]) & LEADING - {Strategy.SUGGESTION}
        assert leads(exchange) or not free


def test_questions_in_words_count_as_leading():
    asking = Exchange(UserTurn("x"), "Hm. And then?", Thought(strategy=Strategy.REFLECTION))
    assert leads(asking)
    assert not leads(replied("x", Strategy.REFLECTION))


def test_only_configured_strategies_are_chosen():
    some = (Strategy.REFLECTION, Strategy.AFFIRMATION)
    strategies = used(conversation(TROUBLE, Conduct(strategies=some), -0.5))
    assert set(strategies) == set(some)
    one = Conduct(strategies=(Strategy.QUESTION,))
    assert used(conversation(PLAIN, one, 0.0)) == [Strategy.QUESTION] * len(PLAIN)


def test_advice_is_given_when_wanted_and_not_unasked_at_the_start():
    assert chosen("what should i do", advice=True)[0].strategy is Strategy.SUGGESTION
    for initiative in (0.0, 1.0):
        conduct = Conduct(initiative=initiative)
        wanted = chosen("what should i do", advice=True, conduct=conduct)
        assert wanted[0].strategy is Strategy.SUGGESTION
    first = chosen("my boss yelled at me", conduct=Conduct(initiative=1.0))
    assert Strategy.SUGGESTION not in [one.strategy for one in first]


def test_the_effect_ahead_changes_the_choice():
    """With all else the same, what is learned of the second turn decides."""
    learned = carried()._learned
    history = past(Strategy.AFFIRMATION)
    said = "they told me on friday and i have been crying since"

    def after(bonus: Strategy) -> list[float]:
        follows = np.zeros_like(learned.follows)
        follows[:, LEARNED.index(bonus), :] = 3.0  # whatever comes then, it follows well
        model = StrategyModel(type(learned)(**{**vars(learned), "follows": follows}))
        order = choose(
            UserTurn(said),
            history,
            valence=-0.5,
            advice_wanted=False,
            conduct=Conduct(),
            model=model,
        )
        return [one.score for one in order if one.strategy is bonus]

    for strategy in (Strategy.QUESTION, Strategy.REFLECTION, Strategy.RESTATEMENT):
        plain_score = [one.score for one in chosen(said, history) if one.strategy is strategy]
        assert after(strategy)[0] > plain_score[0] + 1.0


def test_reasons_are_plain_clauses_that_differ_with_the_moment():
    reasons = {
        chosen("my dog died")[0].reason,
        chosen("what should i do", advice=True)[0].reason,
        chosen("we won the game", valence=0.8)[0].reason,
        chosen("i had pasta", valence=0.0)[0].reason,
    }
    assert len(reasons) == 4
    for reason in reasons:
        assert 4 <= len(reason.split()) <= 40
        assert not reason.endswith(".")
        assert "{" not in reason


# --- the model and the rules ------------------------------------------------------------------


def test_the_model_tells_classes_and_what_they_lead_to():
    model = carried()
    found = model.probabilities(features(UserTurn("thank you so much bye"), past("Question") * 9))
    assert sum(found.values()) == pytest.approx(1.0, abs=1e-4)
    assert set(LEARNED) < set(found)
    assert max(found, key=lambda name: found[name]) == Strategy.OTHERS
    effects, after = model.ahead(Stage.EXPLORATION, -0.5)
    assert set(effects) == set(LEARNED)
    assert after.shape == (len(LEARNED), len(LEARNED))
    assert np.isfinite(after).all()


def test_a_damaged_model_is_named(tmp_path):
    with pytest.raises(EngineUnavailable, match="model of strategies"):
        StrategyModel.load(tmp_path)
    (tmp_path / "model.npz").write_bytes(
        (shipped("models") / "strategy/model.npz").read_bytes()[:99]
    )
    with pytest.raises(EngineUnavailable, match="install the package again"):
        StrategyModel.load(tmp_path)


def test_the_rules_by_hand_name_only_what_there_is():
    named = rules()
    for scores in (*named["suits"].values(), *named["calls_for"].values()):
        assert set(scores) <= set(Strategy)
    assert set(named["calls_for"]) <= set(named["evidence"])
    assert set(named["suits"]) == {*Stage, "glad", "plain"}
    assert set(named["reasons"]["what"]) == set(named["reasons"]["after"]) == set(Strategy)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("I've been crying because he left me", "cause"),
        ("I feel so ashamed", "feeling"),
        ("Maybe it's just that I'm afraid of it", "insight"),
        ("I could talk to my sister about it", "plans"),
        ("yes exactly", "confirms"),
        ("that really helps, thank you", "relief"),
        ("I already tried that", "resists"),
        ("what should I do now", "advice"),
    ],
)
def test_what_a_turn_shows(said, shown):
    assert shown in evidence(said)
    assert shown in evidence(plain(said))  # as it is recognised


def test_past_turns_without_a_thought_forbid_nothing():
    assert allowed([Exchange(UserTurn("a"), "b")] * 3) == frozenset(Strategy)


def test_strategies_that_suit_no_glad_talk_are_chosen_where_no_other_may():
    some = Conduct(strategies=(Strategy.SUGGESTION, Strategy.INFORMATION))
    assert chosen("we won the game", valence=0.9, conduct=some)


def test_without_a_model_the_rules_by_hand_choose(monkeypatch):
    monkeypatch.setattr("voice_agent.thinking.strategy.choosing.carried", lambda: None)
    strategies = used(conversation(TROUBLE, Conduct(), -0.5))
    assert len(set(strategies)) >= 4
    assert chosen("what should i do", advice=True)[0].strategy is Strategy.SUGGESTION


def test_only_a_suggestion_can_be_no_help():
    history = [replied(said) for said in TROUBLE[:-1]]
    said = "i already tried that and nothing helps"
    for strategy, unhelped in ((Strategy.SUGGESTION, True), (Strategy.QUESTION, False)):
        before = [*history, replied(TROUBLE[-1], strategy)]
        assert ("suggested does not help" in chosen(said, before)[0].reason) is unhelped
