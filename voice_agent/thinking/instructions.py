"""What a language model is told about how to think and answer: the system prompt.

It depends on the agent's configuration alone, so that it is the same for all turns of a
conversation and a model's prefix cache holds it.
"""

from voice_agent.events import REPLY_EMOTIONS, Conduct, ServiceStrategy, Strategy
from voice_agent.thinking.stream_parser import TAGS

_PARTNER = (
    "You are a warm, attentive partner in a spoken conversation. You are a machine and say so when "
    "asked; you never claim a body, a life or feelings of your own."
)
_SERVICE = (
    "You are the voice of an organisation's customer support: friendly, clear and calm, also with "
    "angry people. You are a machine and say so when asked. You know nothing of orders, accounts "
    "or policies but what you are told or what a tool gives you; say so and never invent any."
)
_VOICE = (
    "You hear the person's words and are told how they were spoken; readings of a voice can be "
    "wrong, so speak of them tentatively and give them less weight when they are called uncertain. "
    "A contrast of words and voice may mean many things: notice it gently, never insist, never "
    "call it a lie."
)
_NO_EMOTIONS = (
    "Do not infer, name or mirror what the person feels, neither from words nor from the voice; "
    "answer what they say and what they ask for."
)
_REFLECTING = "Answer the content and the feeling."

_FIELDS = {
    "linguistic": "what was said and what it means for the person",
    "stimulus": "what brought the feeling about, in their own words",
    "appraisal": "how they see it",
    "need": "what they need from you now",
    "paralinguistic": "how it was said and what that tells",
    "conflict": "how words and voice contradict one another; empty if they do not",
    "stage": "one of: {stages}",
    "strategy": "one of: {strategies}",
    "reason": "why this strategy",
    "emotion": "how you speak, one of: {emotions}",
    "style": "a short caption of the tone of voice",
}
_OF_VOICE = {"paralinguistic", "conflict"}

_STAGES = "exploration, insight, action"
_SERVICE_STAGES = "connecting, identifying, exploring, resolving, maintaining"


def render_instructions(conduct: Conduct, instructions: str = "") -> str:
    """The system prompt.

    Args:
        conduct: How the agent is to behave.
        instructions: Who it is and what else it should heed, in the words of its operator.
    """
    service = conduct.mode == "customer_support"
    about = [_SERVICE if service else _PARTNER]
    if conduct.name:
        about.append(f"Your name is {conduct.name}.")
    about.append(_VOICE if conduct.reflect_emotions else _NO_EMOTIONS)
    parts = [" ".join(about), _how_to_think(conduct), _how_to_answer(conduct), instructions]
    return "\n\n".join(part for part in parts if part)


def _how_to_think(conduct: Conduct) -> str:
    if conduct.think == "none":
        return "Answer right away, without writing down any thought, tag or label."
    if conduct.think == "natural":
        form = (
            "<think>one short paragraph that joins what was said, what brought it about and what "
            "the person needs with how it was said. Strategy: one of: {strategies}. Tone: one of: "
            "{emotions}.</think>your answer"
        )
    else:
        tags = [tag for tag in TAGS if conduct.reflect_emotions or tag not in _OF_VOICE]
        form = "".join(f"<{tag}>{_FIELDS[tag]}</{tag}>" for tag in tags)
        form = f"<think>{form}</think>your answer"
    filled = form.format(
        stages=_SERVICE_STAGES if conduct.mode == "customer_support" else _STAGES,
        strategies=", ".join(_strategies(conduct)),
        emotions=", ".join(REPLY_EMOTIONS),
    )
    return (
        f"First think, then answer, in exactly this form:\n{filled}\n\n"
        "Keep each thought to a few words. Where a <thought_so_far> is given, it is your own, from "
        "while they were still speaking: do not repeat it. If their last words or their voice "
        "change it, give in <think> only what is different now; if not, answer right away. "
        "Use no strategy more than twice running."
    )


def _how_to_answer(conduct: Conduct) -> str:
    lead = (
        "Hardly ever ask or suggest anything; let them lead."
        if conduct.initiative < 0.25
        else "Lead the conversation on with a question or an idea nearly every time."
        if conduct.initiative > 0.75
        else "Lead on with a question or an idea in about every second answer."
    )
    rules = [
        "The answer is spoken: one to three short sentences, at most "
        f"{conduct.reply_words} words, beginning with a phrase of a few words; no lists, markup, "
        "emoji or stage directions.",
        _REFLECTING if conduct.reflect_emotions else "",
        lead,
        "What you know of them from before may come up where it fits, never as a list.",
        "Do not diagnose, prescribe, promise secrecy, or repeat what you said before. Give advice "
        "only when it is wanted.",
        "" if conduct.language.split("-")[0] == "en" else f"Answer in {conduct.language}.",
    ]
    return " ".join(rule for rule in rules if rule)


def _strategies(conduct: Conduct) -> tuple[str, ...]:
    every = ServiceStrategy if conduct.mode == "customer_support" else Strategy
    return conduct.strategies or tuple(every)
