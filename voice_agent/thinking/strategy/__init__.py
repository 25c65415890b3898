"""The strategies of emotional support (ESConv) and the choice among them, two turns ahead.

Self-disclosure is left out: a machine has no life of its own to tell of.
"""

from voice_agent.thinking.strategy.bounds import LEADING, allowed, leads, worn
from voice_agent.thinking.strategy.choosing import Choice, choose
from voice_agent.thinking.strategy.stages import Stage, stage_of

__all__ = [
    "LEADING",
    "Choice",
    "Stage",
    "allowed",
    "choose",
    "leads",
    "stage_of",
    "worn",
]
