"""An analyzer whose answers are known: the median sample of the audio, in hundredths, asks for one.

Units choose the emotion: 0 to 7 one of ``EMOTIONS`` with a share of 0.72, 8 calm, 9 none. Tens
choose the rest: 1 female, 2 male, 3 a cough, 4 a long laugh and a short, surer sigh, 5 that the
emotion is heard as ``other`` unless something was learned before.
"""

import numpy as np
from pydantic import BaseModel

from voice_agent.events import EMOTIONS, Paralinguistics, VocalEvent

SHARE = 0.72

EVENTS = {
    3: (VocalEvent("cough", 0.2, 0.4, 0.9),),
    4: (VocalEvent("laugh", 0.0, 0.8, 0.6), VocalEvent("sigh", 0.8, 1.0, 0.95)),
}


class ScriptedAnalyzer:
    class Options(BaseModel):
        pass

    name = "scripted"

    @classmethod
    async def create(cls, options):
        return cls()

    async def open(self):
        return ScriptedStream()

    async def close(self):
        pass


class ScriptedStream:
    def __init__(self):
        self.learned = False

    async def analyze(self, samples, manner):
        tens, units = divmod(round(100 * float(np.median(samples))) if samples.size else 9, 10)
        if units == 9:
            return Paralinguistics(manner)
        label = "neutral" if units == 8 else EMOTIONS[units]
        if tens == 5 and not self.learned:
            label = "other"
        emotion = dict.fromkeys(EMOTIONS, (1 - SHARE) / 7) | {label: SHARE}
        return Paralinguistics(
            manner,
            emotion,
            calm=SHARE - 0.1 if units == 8 else 0.0,
            gender={1: {"female": 0.9, "male": 0.1}, 2: {"female": 0.2, "male": 0.8}}.get(tens, {}),
            events=EVENTS.get(tens, ()),
            uncertain=False,
        )

    async def learn(self, samples):
        self.learned = True

    async def close(self):
        pass
