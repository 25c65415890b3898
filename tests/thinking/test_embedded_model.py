import asyncio
from collections import Counter
from datetime import datetime

import pytest

from voice_agent.events import (
    Exchange,
    Manner,
    Memory,
    Paralinguistics,
    Prompt,
    Thought,
    UserTurn,
    VocalEvent,
)
from voice_agent.speaking.phrases import PhraseSplitter
from voice_agent.thinking.models.embedded import EmbeddedModel, EmbeddedOptions
from voice_agent.thinking.plain_words import plain, sentences
from voice_agent.thinking.responder.phrasebook import Phrasebook
from voice_agent.thinking.safety import SafetyGate
from voice_agent.thinking.stream_parser import StreamParser
from voice_agent.thinking.text_emotion import carried

SAD = """hello; not so good to be honest; my dog died yesterday; his name was max and we had him
for twelve years; he was always waiting at the door when i came home; i don't know what to do with
myself; my wife says it was only a dog; yes it hurts; i cried at work today and my boss saw it; i
felt so embarrassed; no not really; he said i should pull myself together; i'm angry about that;
what should i do; maybe; i just feel empty; i can't sleep either; i keep hearing his paws on the
floor; my daughter keeps asking where he is; she is five; what should i tell her; that is a good
idea; i told my mother too; she cried with me; that helped a bit; i think i will go for a walk
tomorrow; to the lake where we always went; i hope i can do it; thank you that helps; goodbye"""
GLAD = """hi there; i have great news; i got the promotion; i worked three years for this; my wife
was so happy she cried; we are going to celebrate; yes; i'm a bit nervous about the new team though;
i have never led a team before; any tips; yeah true; anyway i'm really happy today; my kids made me
a cake; it had a big crown on it; haha; they are wonderful; we will go to the beach next month; i
can't wait; nothing else really; you are nice; thanks for listening; bye"""
SHORT = "hi;ok;fine;yes;no;work;tired;maybe;dunno;yeah;not really;my mom;sick;no;ok;sure;nothing;mm;yes;no;ok;yes;no;ok;yes;no;ok;yes;no;bye"  # noqa: E501
NOISE = (
    "the the watts;uh;;flirb;of of the;and of a the in;watts;the of and;;flirb;of the;the;watts;a a"
)


@pytest.fixture(scope="module")
def model() -> EmbeddedModel:
    return asyncio.run(EmbeddedModel.create(EmbeddedOptions()))


async def answer(
    model, text, history=(), how=None, seed=0, memories=(), **turn
) -> tuple[Thought, str]:
    prompt = Prompt(UserTurn(text, how, **turn), tuple(history), seed=seed, memories=memories)
    parser = StreamParser()
    items = [item async for chunk in model.generate(prompt) for item in parser.feed(chunk)]
    thought, *reply = items + parser.finish()
    return thought, "".join(reply)


async def talk(model, script: str, seed: int) -> list[Exchange]:
    history: list[Exchange] = []
    for text in " ".join(script.split()).split(";"):
        thought, reply = await answer(model, text.strip(), history, seed=seed)
        history.append(Exchange(UserTurn(text.strip()), reply, thought))
    return history


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("script", [SAD, GLAD, SHORT, NOISE], ids=["sad", "glad", "short", "noise"])
async def test_conversations_stay_short_varied_and_never_repeat_themselves(model, script, seed):
    history = await talk(model, script, seed)
    said = Counter(plain(s) for exchange in history for s in sentences(exchange.reply))
    assert [sentence for sentence, count in said.items() if count > 1] == []
    for exchange in history:
        assert 1 <= len(sentences(exchange.reply)) <= 3
        assert len(exchange.reply.split()) <= 40
        assert "{" not in exchange.reply
    used = [exchange.thought.strategy for exchange in history]
    assert not any(a == b == c for a, b, c in zip(used, used[1:], used[2:], strict=False))


async def test_the_first_phrase_is_short(model):
    replies = [e.reply for e in await talk(model, SAD, 1) + await talk(model, GLAD, 1)]
    lengths = sorted(len(first_phrase(reply).split()) for reply in replies)
    assert lengths[len(lengths) // 2] <= 6


def first_phrase(reply: str) -> str:
    """What the voice begins with."""
    splitter = PhraseSplitter()
    return [*splitter.push(reply), *splitter.flush()][0]


@pytest.mark.parametrize(
    ("said", "emotions"),
    [
        ("my grandmother died last night", {"sorry", "comfort"}),
        ("i won the race", {"joyful", "happy"}),
        ("i am so scared of tomorrow", {"comfort"}),
        ("my boss yelled at me for no reason", {"comfort", "sorry"}),
        ("we are having a baby", {"joyful", "happy"}),
        ("someone stole my bike", {"comfort", "sorry"}),
    ],
)
async def test_the_tone_fits_the_feeling(model, said: str, emotions: set[str]):
    for seed in range(5):
        assert (await answer(model, said, seed=seed))[0].reply_emotion in emotions


async def test_their_own_words_come_back_turned_round(model):
    replies = [(await answer(model, "my sister moved to canada", seed=s))[1] for s in range(8)]
    assert any("your sister" in reply.lower() for reply in replies)
    assert not any("my sister" in reply.lower() for reply in replies)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("are you a real person", ("machine", "software", "program", "person")),
        ("do you have feelings", ("machine", "feel")),
        ("can you hear my voice", ("loud", "pitch", "voice", "guess")),
        ("are you recording this", ("kept", "stored", "secrecy")),
        ("what is the capital of france", ("know", "guess", "pass", "can't", "answer")),
        ("do i have depression", ("doctor", "can't tell", "person", "judge")),
    ],
)
async def test_questions_are_answered_truthfully(model, said: str, words):
    for seed in range(5):
        reply = (await answer(model, said, seed=seed))[1].lower()
        assert any(word in reply for word in words), reply


async def test_nonsense_is_asked_back_and_not_built_on(model):
    for text in ("the the watts", "of a the in", "flirb"):
        thought, reply = await answer(model, text)
        assert "did not come through" in thought.linguistic
        assert "?" in reply or "again" in reply or "once more" in reply.lower()


async def test_missed_thrice_it_offers_another_way(model):
    history = await talk(model, "the the watts; of the of; flirb", 0)
    assert (
        "typ" in history[-1].reply or "slowly" in history[-1].reply or "quiet" in history[-1].reply
    )


WORN_OUT = Paralinguistics(Manner(speech_s=2.0, rate_shift=0.7, level_shift_db=-6.0))


async def test_a_tired_voice_is_noticed_tentatively(model):
    history = [Exchange(UserTurn("hello"), "Hello. How are you?", Thought(strategy="Question"))]
    for seed in range(5):
        thought, reply = await answer(model, "i'm fine", history, WORN_OUT, seed)
        assert any(w in reply.lower() for w in ("tired", "voice", "worn out", "quiet"))
        assert any(w in reply.lower() for w in ("may be", "if i", "seems", "sound", "some"))
        assert "tired" in thought.paralinguistic
        assert "uncertain" in thought.paralinguistic


async def test_the_voice_is_not_mentioned_at_every_turn(model):
    history: list[Exchange] = []
    mentions = 0
    for text in ("i went to work", "it was long", "my boss was there", "then i went home"):
        thought, reply = await answer(model, text, history, WORN_OUT)
        history.append(Exchange(UserTurn(text, WORN_OUT), reply, thought))
        mentions += any(w in reply for w in ("sound", "voice", "quietly"))
    assert mentions == 1


def sounding(event: str = "", **emotion: float) -> Paralinguistics:
    events = (VocalEvent(event, 0.0, 1.0, 0.9),) if event else ()
    return Paralinguistics(Manner(2.0), emotion=emotion, events=events, uncertain=not emotion)


SAD_VOICE = sounding(sad=0.8, neutral=0.2)
OF_VOICE = ("voice", "you sound", "i hear", "tears")


def names_the_voice(reply: str) -> bool:
    return any(word in reply.lower() for word in OF_VOICE)


@pytest.mark.parametrize("how", [SAD_VOICE, sounding("cry")], ids=["sad", "tearful"])
async def test_fine_in_a_voice_that_is_not_is_noticed_gently_and_not_always(model, how):
    history = [Exchange(UserTurn("hello"), "Hello. How are you?", Thought(strategy="Question"))]
    answers = [await answer(model, "i'm fine", history, how, seed) for seed in range(12)]
    assert {thought.reply_emotion for thought, _ in answers} == {"comfort"}
    replies = [reply for _, reply in answers]
    assert 0 < sum(names_the_voice(reply) for reply in replies) < len(replies)
    for reply in replies:
        assert not names_the_voice(reply) or "may be wrong" in reply


async def test_what_was_noticed_once_is_left_alone(model):
    history = [Exchange(UserTurn("hello"), "Hello. How are you?", Thought(strategy="Question"))]
    replies = []
    for text in ("i'm fine", "no really i'm fine", "work was ok", "i had a nice day", "i'm good"):
        thought, reply = await answer(model, text, history, SAD_VOICE)
        replies.append(reply)
        history.append(Exchange(UserTurn(text, SAD_VOICE), reply, thought))
    assert names_the_voice(replies[0])
    assert not any(names_the_voice(reply) or "sorry" in reply.lower() for reply in replies[1:])


async def test_good_news_in_a_sad_voice_is_not_cheered_at(model):
    for seed in range(5):
        thought, reply = await answer(model, "i got the promotion", how=SAD_VOICE, seed=seed)
        assert thought.reply_emotion == "comfort"
        assert "Congratulations" not in reply
    assert "the voice sounds sad" in (
        (await answer(model, "i am so happy", how=SAD_VOICE))[0].conflict
    )


async def test_an_angry_voice_over_glad_words_is_not_called_irony(model):
    for seed in range(8):
        how = sounding(anger=0.8, neutral=0.2)
        thought, reply = await answer(model, "great just great", how=how, seed=seed)
        told = f"{reply} {thought.linguistic} {thought.paralinguistic}".lower()
        assert not any(word in told for word in ("iron", "sarcas", "really mean", "don't mean"))


async def test_a_laugh_is_shared_over_good_news_and_passed_over_with_bad(model):
    laugh = sounding("laugh")
    for seed in range(5):
        assert "laugh" in (await answer(model, "i got the promotion", how=laugh, seed=seed))[1]
        assert "laugh" not in (await answer(model, "my dog died", how=laugh, seed=seed))[1]


async def test_tears_are_answered_gently(model):
    for text in ("i went to work", "my dog died", "i got the promotion"):
        thought, _ = await answer(model, text, how=sounding("cry"))
        assert thought.reply_emotion in {"comfort", "sorry"}


@pytest.mark.parametrize("event", ["cry", "scream"])
async def test_crying_without_a_word_is_not_asked_to_say_it_again(model, event):
    thought, reply = await answer(model, "", how=sounding(event))
    assert thought.reply_emotion == "comfort"
    assert names_the_voice(reply) or any(w in reply.lower() for w in ("tears", "all right"))
    assert "again" not in reply.lower()


async def test_a_cough_is_mentioned_once_and_a_snore_never(model):
    for event, most in (("cough", 1), ("snore", 0), ("other", 0)):
        how, history, mentions = sounding(event), [], 0
        for text in ("i went shopping", "it was long", "i bought a lamp", "it is green") * 3:
            thought, reply = await answer(model, text, history, how)
            history.append(Exchange(UserTurn(text, how), reply, thought))
            mentions += any(word in reply for word in ("cough", "sip", "snor"))
        assert mentions == most


async def test_typed_words_have_no_voice(model):
    thought, _ = await answer(model, "i am sad")
    assert "typed" in thought.paralinguistic


async def test_earlier_turns_are_taken_up(model):
    found = 0
    for seed in range(6):
        history = await talk(
            model, "my brother is in hospital; i can't sleep; ok; hm; ok; i see", seed
        )
        found += any("your brother" in exchange.reply for exchange in history[2:])
    assert found >= 4


async def test_a_trouble_goes_on_in_turns_that_do_not_name_it(model):
    history = await talk(model, "my dog died yesterday; he was twelve years old", 0)
    assert history[-1].thought.reply_emotion in {"sorry", "comfort", "sad"}


async def test_advice_is_given_when_asked_for_and_not_at_once(model):
    history = await talk(
        model, "my boss yelled at me; it happens all the time; what should i do", 0
    )
    used = [exchange.thought.strategy for exchange in history]
    assert used[-1] == "Providing Suggestions"
    assert "Providing Suggestions" not in used[:-1]


async def test_more_words_on_the_same_turn_change_nothing_else(model):
    """A turn may be asked twice, first with fewer words: nothing of the first is kept."""
    await answer(model, "my dog")
    first = await answer(model, "my dog died", seed=4)
    await answer(model, "i got a promotion", seed=4)
    assert await answer(model, "my dog died", seed=4) == first


async def test_seeds_differ(model):
    replies = {(await answer(model, "i am sad", seed=seed))[1] for seed in range(10)}
    assert len(replies) >= 5


def told(text: str, earlier: bool = False) -> Memory:
    return Memory("person", text, about="sister", earlier=earlier)


async def test_what_is_known_answers_a_question_for_it(model):
    memories = (told("your sister is called Anna", earlier=True),)
    for seed in range(5):
        for asked in ("what's my sister's name", "do you remember my sister's name"):
            assert "Anna" in (await answer(model, asked, seed=seed, memories=memories))[1]


async def test_what_is_not_known_is_not_made_up(model):
    memories = (Memory("fact", "you live in Leeds", about="home"),)
    for seed in range(5):
        _, reply = await answer(model, "what's my sister's name", seed=seed, memories=memories)
        assert "Leeds" not in reply
        assert any(word in reply for word in ("know", "told", "nothing", "guess", "isn't", "find"))


async def test_an_earlier_talk_is_brought_up_once_and_not_when_just_told(model):
    memories = (told("your sister is getting married", earlier=True),)
    _, reply = await answer(model, "hello", memories=memories)
    assert "your sister is getting married" in reply
    history = [Exchange(UserTurn("hello"), reply, Thought(strategy="Question"))]
    again = [
        (await answer(model, text, history, memories=memories))[1]
        for text in ("i went to work today", "my sister called me", "hello again")
    ]
    assert not any("getting married" in one for one in again)
    fresh = (told("your sister is getting married"),)
    assert "married" not in (await answer(model, "hello", memories=fresh))[1]


async def test_names_told_in_this_talk_are_kept_without_any_memory(model):
    history = await talk(model, "i walked my dog today; his name is taco; it rained", 0)
    assert "Taco" in (await answer(model, "what's my dog's name", history))[1]


async def test_the_time_comes_from_the_clock():
    book, emotions = Phrasebook(), carried()
    model = EmbeddedModel(book, emotions, now=lambda: datetime(2026, 3, 14, 15, 9))
    assert "ten past three in the afternoon" in (await answer(model, "what time is it"))[1].lower()
    assert "Saturday, the 14th of March" in (await answer(model, "what day is it"))[1]


async def test_while_the_person_speaks_there_is_a_thought_and_no_answer(model):
    prompt = Prompt(UserTurn("my boss yelled at"), aim="thought")
    said = "".join([chunk async for chunk in model.generate(prompt)])
    assert said.startswith("<think>")
    assert said.endswith("</think>")


@pytest.mark.parametrize("said", ["hola estoy muy triste hoy", "ich bin heute sehr traurig"])
async def test_another_language_is_met_honestly(model, said: str):
    for seed in range(4):
        assert "English" in (await answer(model, said, seed=seed))[1]


async def test_grief_is_not_forgotten_over_something_else(model):
    script = """my husband died in march; he was a quiet man; the neighbor is building a shed;
    i baked bread; it was funny; i miss him; goodbye"""
    history = await talk(model, script, 0)
    assert history[-2].thought.reply_emotion == "sorry"
    lines = [line.say for line in Phrasebook().acts["goodbye"].lines["with_grief"]]
    assert any(line in history[-1].reply for line in lines)


async def test_good_news_is_celebrated_whatever_came_before(model):
    script = "i am so tired; my boss yelled at me; i passed my driving test"
    history = await talk(model, script, 0)
    assert history[-1].thought.reply_emotion in {"joyful", "happy"}


def moments_of(book: Phrasebook):
    return [line for moment in book.moments for pool in moment.lines.values() for line in pool]


def test_moments_fill_their_slots_and_keep_to_the_rules():
    book = Phrasebook()
    slots = {"clause", "Clause", "thing", "Thing", "them", "word"}
    gate = SafetyGate()
    assert len(moments_of(book)) > 1000
    for moment in book.moments:
        some = set.union(*(set(words.groupindex) for words in moment.words))
        for pool in moment.lines.values():
            for line in pool:
                assert line.slots <= slots | some, (moment.name, line.say)
                assert len(line.say.split()) <= 28
                review = gate.review()
                said = line.say.replace("{", "").replace("}", "")
                assert review.feed(said) + review.finish() == said
