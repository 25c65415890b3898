"""Every key of the reports is explained in the documentation."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from voice_agent.evaluation.baseline import BaselineReport, Figures
from voice_agent.evaluation.metrics import ClassFigures
from voice_agent.evaluation.paralinguistics import Pace, Report
from voice_agent.evaluation.scoring import EmotionReport, EventReport, GroupReport
from voice_agent.events import Manner, Paralinguistics

PAGE = Path(__file__).parents[2] / "docs" / "paralinguistics.md"


@pytest.mark.parametrize(
    "report",
    [
        BaselineReport,
        ClassFigures,
        EmotionReport,
        EventReport,
        Figures,
        GroupReport,
        Manner,
        Pace,
        Paralinguistics,
        Report,
    ],
    ids=lambda report: report.__name__,
)
def test_every_key_is_in_the_documentation(report):
    documented = set(re.findall(r"`([\w.\[\]]+)`", PAGE.read_text(encoding="utf-8")))
    keys = {field.name for field in fields(report)} - {"pace"}

    assert keys <= documented
