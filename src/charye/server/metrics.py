"""Numbers of a running server, for Prometheus. Labels are from closed sets: statuses, error codes, notes, dialects."""

from typing import TYPE_CHECKING, Any

from charye.errors import MissingExtra
from charye.protocol import ErrorEvent, ResponseDone, ResponseOutputAudioDelta, audio_length_bytes
from charye.server.effects import Effect, Note, Send

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Metrics"]


class Metrics:
    """Counters of one server, in a registry of their own, so that several servers fit into one process.

    Raises:
        MissingExtra: prometheus-client is not installed.
    """

    def __init__(self) -> None:
        try:
            import prometheus_client as prometheus
        except ImportError:
            raise MissingExtra(feature="charye serve", extra="server") from None
        self._registry: Any = prometheus.CollectorRegistry()
        self._render: Callable[[Any], bytes] = prometheus.generate_latest
        self.content_type: str = prometheus.CONTENT_TYPE_LATEST

        def counter(name: str, text: str, *labels: str) -> Any:
            return prometheus.Counter(name, text, labels, registry=self._registry)

        self.sessions: Any = prometheus.Gauge(
            "charye_sessions", "Sessions that are open.", registry=self._registry
        )
        self.opened = counter("charye_sessions_opened", "Sessions that began.", "dialect")
        self.turned_away = counter("charye_connections_refused", "Connections that were refused.", "code")
        self._responses = counter("charye_responses", "Responses that ended.", "status")
        self._errors = counter("charye_errors", "Error events sent.", "code")
        self._notes = counter("charye_notes", "Facts worth noting.", "what")
        self._audio = counter("charye_audio_sent_bytes", "Samples sent.")
        self._events = counter("charye_events_sent", "Events sent.")

    def observe(self, effect: Effect) -> None:
        """Count an effect of a peer."""
        match effect:
            case Send(event=event):
                self._events.inc()
                match event:
                    case ResponseOutputAudioDelta(delta=delta):
                        self._audio.inc(audio_length_bytes(delta))
                    case ResponseDone(response=response):
                        self._responses.labels(response.status).inc()
                    case ErrorEvent(error=error):
                        self._errors.labels(error.code or error.type).inc()
                    case _:
                        pass
            case Note(what=what):
                self._notes.labels(what).inc()
            case _:
                pass

    def rendered(self) -> bytes:
        """All of it, in the text format of Prometheus."""
        return self._render(self._registry)
