"""The time of day and the date as they are spoken."""

from datetime import datetime

_HOURS = "twelve one two three four five six seven eight nine ten eleven".split()
_MINUTES = {5: "five", 10: "ten", 15: "a quarter", 20: "twenty", 25: "twenty-five", 30: "half"}


def time_of_day(now: datetime) -> str:
    """The time to five minutes: ``"about ten past three in the afternoon"``."""
    minutes = 5 * round((now.hour * 60 + now.minute) / 5)
    hour, minute = divmod(minutes, 60)
    part = "at night" if hour % 24 < 5 or hour % 24 >= 22 else "in the morning"
    if 12 <= hour % 24 < 18:
        part = "in the afternoon"
    elif 18 <= hour % 24 < 22:
        part = "in the evening"
    if minute == 0:
        return f"about {_HOURS[hour % 12]} o'clock {part}"
    if minute <= 30:
        return f"about {_MINUTES[minute]} past {_HOURS[hour % 12]} {part}"
    return f"about {_MINUTES[60 - minute]} to {_HOURS[(hour + 1) % 12]} {part}"


def date(now: datetime) -> str:
    """The date: ``"Tuesday, the 14th of March"``."""
    ending = "th" if 10 < now.day < 20 else {1: "st", 2: "nd", 3: "rd"}.get(now.day % 10, "th")
    return f"{now:%A}, the {now.day}{ending} of {now:%B}"
