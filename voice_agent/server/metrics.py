"""What the server counts, for Prometheus."""

from collections.abc import Callable
from dataclasses import asdict

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from voice_agent.dialogue.events import ReplyEnded, SessionEvent, SpeechIgnored, TurnEnded
from voice_agent.events import EngineSwitched, ReplyStatus

_SECONDS = (0.025, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0)


class Metrics:
    """The counters of one server; an observer of its connections."""

    def __init__(self, sessions: Callable[[], int]) -> None:
        """Starts at zero; ``sessions`` tells how many conversations are open."""
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)

        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"voice_agent_{name}", text, labels, registry=registry)

        Gauge("voice_agent_sessions", "Conversations open", registry=registry).set_function(
            sessions
        )
        self._turns = counter("turns", "Turns by how the reply to them ended", "status")
        self._interruptions = counter("interruptions", "Replies that the person interrupted")
        self._ignored = counter("ignored_sounds", "Sounds that were taken for no turn")
        self._switches = counter(
            "engine_switches", "Engines that failed where another took over", "kind", "failed"
        )
        self._errors = counter("errors", "Errors that clients were told of", "code")
        self._refused = counter("refused_connections", "Clients turned away", "reason")
        self._dropped = counter("dropped_connections", "Connections that were cut", "reason")
        self._dropped_audio = counter(
            "dropped_audio_seconds", "Reply audio that could not be delivered"
        )
        self._latency = Histogram(
            "voice_agent_latency_seconds",
            "From the end of the person's speech to each step of the answer",
            ("stage",),
            buckets=_SECONDS,
            registry=registry,
        )

    def on_event(self, event: SessionEvent) -> None:
        """Something happened in a session."""
        match event:
            case TurnEnded(record):
                self._turns.labels(record.status).inc()
                for stage, milliseconds in asdict(record.latency).items():
                    if milliseconds is not None:
                        self._latency.labels(stage).observe(milliseconds / 1000)
            case ReplyEnded(status=ReplyStatus.INTERRUPTED):
                self._interruptions.inc()
            case SpeechIgnored():
                self._ignored.inc()
            case EngineSwitched(kind, failed):
                self._switches.labels(kind, failed).inc()

    def on_error(self, code: str) -> None:
        """A client was sent an error."""
        self._errors.labels(code).inc()

    def on_refused(self, reason: str) -> None:
        """A client was turned away."""
        self._refused.labels(reason).inc()

    def on_dropped(self, reason: str, audio_s: float) -> None:
        """A connection was cut, with so many seconds of reply audio unsent."""
        self._dropped.labels(reason).inc()
        self._dropped_audio.inc(audio_s)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)
