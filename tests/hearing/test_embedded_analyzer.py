from voice_agent.events import Manner
from voice_agent.hearing.paralinguistics.embedded import EmbeddedAnalyzer

NO_AUDIO = None


async def read(**manner):
    analyzer = await EmbeddedAnalyzer.create(EmbeddedAnalyzer.Options())
    return await (await analyzer.open()).analyze(NO_AUDIO, Manner(speech_s=2.0, **manner))


async def test_never_claims_to_be_certain():
    how = await read(pitch_hz=250.0, level_shift_db=20.0, pitch_shift_st=12.0, rate_shift=2.0)
    assert how.uncertain
    assert max(how.emotion.values()) < 0.5
    assert how.arousal.confidence <= 0.3
    assert how.valence is None
    assert how.age == {}


async def test_louder_higher_and_faster_than_usual_is_livelier():
    calm = await read(level_shift_db=-4.0, pitch_shift_st=-2.0, rate_shift=0.8)
    usual = await read(level_shift_db=0.0, pitch_shift_st=0.0, rate_shift=1.0)
    lively = await read(level_shift_db=4.0, pitch_shift_st=2.0, rate_shift=1.2)
    assert calm.arousal.value < usual.arousal.value == 0 < lively.arousal.value
    assert calm.emotion["sad"] > lively.emotion["sad"]
    assert calm.emotion["anger"] < lively.emotion["anger"]


async def test_has_no_arousal_without_a_baseline():
    how = await read(pitch_hz=120.0, level_db=-20.0)
    assert how.arousal is None


async def test_tells_high_voices_from_low_ones_and_leaves_those_between_alone():
    assert 0.6 < (await read(pitch_hz=220.0)).gender["female"] < 0.8
    assert (await read(pitch_hz=105.0)).gender["male"] > 0.9
    assert (await read(pitch_hz=180.0)).gender == {}
    assert (await read()).gender == {}


async def test_too_little_speech_is_only_measured():
    analyzer = await EmbeddedAnalyzer.create(EmbeddedAnalyzer.Options())
    how = await (await analyzer.open()).analyze(NO_AUDIO, Manner(speech_s=0.2, pitch_hz=250.0))
    assert how.emotion == how.gender == {}
    assert how.arousal is None
