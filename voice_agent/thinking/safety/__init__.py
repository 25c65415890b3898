"""The safety gate: sees danger in what a person says, and what a model must not say.

All rules and answers are data (``knowledge/safety_*.yaml``). ``signs`` reads the words of a turn,
``risk`` weighs them with the voice and what went before, ``answers`` puts reviewed answers
together, ``reply_review`` looks at what a model says, and ``gate`` is the face of it all.
"""

from voice_agent.thinking.safety.gate import Reviewed, SafetyGate, prepare
from voice_agent.thinking.safety.reply_review import ReplyReview
from voice_agent.thinking.safety.risk import Danger, Level, Risk

__all__ = ["Danger", "Level", "ReplyReview", "Reviewed", "Risk", "SafetyGate", "prepare"]
