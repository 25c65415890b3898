"""How long after the end of the person's speech each step of the answer came."""

import time
from dataclasses import dataclass, field

from voice_agent.events import Latency


@dataclass(slots=True)
class Stopwatch:
    """The times of one turn.

    The wait for the end of the turn is counted in received samples, what follows by the wall
    clock; so the figures are the same whether a recording is played in real time or faster. What
    speculation had ready before counts with the moment of the decision.

    Attributes:
        wait_s: From the end of the last speech to the decision that the turn is over.
        decided: Wall clock of that decision.
    """

    wait_s: float
    decided: float = field(default_factory=time.perf_counter)

    def read(
        self,
        asr_final: float | None,
        first_token: float | None,
        first_audio: float | None,
        sent: float | None,
    ) -> Latency:
        """The record, from wall clock readings of each step (None where it never came)."""
        return Latency(
            endpoint=self._after(self.decided),
            asr_final=self._after(asr_final),
            first_token=self._after(first_token),
            first_audio=self._after(first_audio),
            voice_to_voice=self._after(sent),
        )

    def _after(self, moment: float | None) -> float | None:
        if moment is None:
            return None
        return round(1000 * (self.wait_s + max(0.0, moment - self.decided)), 1)
