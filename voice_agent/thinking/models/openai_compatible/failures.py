"""What went wrong with a request, in our own words.

Messages of a server are quoted where they help, without what they repeat of the conversation; the
errors of the library, which hold all of it, are not passed on.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import openai

from voice_agent.errors import EngineError, EngineUnavailable

_LONGEST_QUOTE = 200


class ContextTooLong(EngineError):
    """The conversation is longer than the model can read."""


class TryAgain(EngineError):
    """It may go well the next time.

    Attributes:
        after_s: When the server wants to be asked again, in seconds; None where it does not say.
    """

    def __init__(self, message: str, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


def explain(error: Exception, url: str, model: str) -> EngineError:
    """The error that says what is wrong with the server and what to do about it.

    Args:
        error: What the ``openai`` package raised.
        url: Address of the server.
        model: Name of the model that was asked for.
    """
    if isinstance(error, EngineError):
        return error
    if isinstance(error, openai.APIStatusError):
        return _of_status(error, url, model)
    if isinstance(error, openai.APIError) and not isinstance(error, openai.APIConnectionError):
        # An error in place of a token, after the answer had begun with a good status.
        if _tells_of_length(error):
            return _too_long(model)
        return TryAgain(f"the server at {url} failed: {_quote(error)}")
    if isinstance(error, ValueError | TypeError | AttributeError | LookupError):
        return EngineError(
            f"the server at {url} sent what is no chat completion; does `base_url` name a server "
            "that speaks OpenAI's protocol, with the version at its end (…/v1)?"
        )
    return TryAgain(
        f"the connection to {url} failed; start a server there, or set `base_url` to where one runs"
    )


def refused_parameter(error: Exception) -> str:
    """The parameter that a server does not know, as newer models refuse ``max_tokens``."""
    if not isinstance(error, openai.BadRequestError | openai.UnprocessableEntityError):
        return ""
    if error.param and (error.code or "").startswith("unsupported"):
        return error.param
    unknown = re.search(r"extra_forbidden.*?'loc': [\[(]'body', '(\w+)'", str(error.body))
    return unknown[1] if unknown else ""


def _of_status(error: openai.APIStatusError, url: str, model: str) -> EngineError:
    status = error.status_code
    if status in (401, 403):
        return EngineUnavailable(
            f"the server at {url} does not take the key ({status}); set the right one by "
            "`api_key_env` or `api_key`"
        )
    if status in (400, 413, 422, 500) and _tells_of_length(error):
        return _too_long(model)
    if status == 429:
        if error.code == "insufficient_quota":
            return EngineUnavailable(f"the account at {url} has no credit left; add some")
        return TryAgain(
            f"the server at {url} has too much to do (429); wait, or raise the limit of requests "
            "that it allows",
            _wait(error),
        )
    if status in (408, 409) or status >= 500:
        return TryAgain(f"the server at {url} failed ({status}): {_quote(error)}", _wait(error))
    return EngineError(f"the server at {url} refused the request ({status}): {_quote(error)}")


def _too_long(model: str) -> ContextTooLong:
    return ContextTooLong(
        f"the conversation is longer than {model!r} can read; lower `limits.history_turns`, or "
        "start the server with a longer context"
    )


_LENGTH = re.compile(
    r"context[ _-]?(length|size|window)|maximum (context|model) length|max_model_len"
    r"|prompt (is )?too long|too many (input )?tokens|longer than the (maximum )?model",
    re.IGNORECASE,
)


def _tells_of_length(error: openai.APIError) -> bool:
    return bool(_LENGTH.search(f"{error.code} {error.type} {_message(error)}"))


def _quote(error: openai.APIError) -> str:
    """What the server says is wrong, as far as it is not what it was sent."""
    said = re.split(r"['\"]?input['\"]?\s*[:=]", _message(error))[0]
    said = " ".join(said.split())
    if len(said) > _LONGEST_QUOTE:
        said = f"{said[:_LONGEST_QUOTE]}…"
    return said or "it does not say why"


def _message(error: openai.APIError) -> str:
    body = error.body
    if isinstance(body, dict):
        return str(body.get("message") or body.get("detail") or body.get("error") or "")
    # A page of HTML tells nothing that is of use here.
    return "" if body is None or str(body).lstrip().startswith("<") else str(body)


def _wait(error: openai.APIStatusError) -> float | None:
    headers = error.response.headers
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers.get(name, "")) * unit)
        except ValueError:
            continue
    try:
        until = parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
