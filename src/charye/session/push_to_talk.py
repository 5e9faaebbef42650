"""Push-to-talk: while the button is held the user has the floor, and the hand decides when the turn is over."""

from collections.abc import Awaitable, Callable
from types import TracebackType

from charye.errors import LocalProtocolError
from charye.session.handles import Handle

__all__ = ["PushToTalk"]


class PushToTalk:
    """One press. Made by `Session.push_to_talk`.

        async with session.push_to_talk() as mic:
            async for frame in microphone:
                await mic.send(frame)
        await mic.reply.heard()

    Leaving with an error takes the turn back: nothing was said. So does `take_back`.
    """

    def __init__(
        self,
        *,
        press: Callable[[], Awaitable[None]],
        send: Callable[[bytes], Awaitable[None]],
        release: Callable[[], Handle],
        take_back: Callable[[], object],
    ) -> None:
        self._press = press
        self._send = send
        self._release = release
        self._take_back = take_back
        self._reply: Handle | None = None
        self._is_taken_back = False

    @property
    def reply(self) -> Handle:
        """The answer to what was said; once the button is released.

        A press that was too short, or that nobody heard, has a reply that was denied, with the reason.

        Raises:
            LocalProtocolError: it is still pressed, or was taken back.
        """
        if self._reply is None:
            raise LocalProtocolError("the reply is asked for when the button is released", given="reply")
        return self._reply

    async def send(self, audio: bytes) -> None:
        """The user's voice. As `Session.send_audio`."""
        await self._send(audio)

    def take_back(self) -> None:
        """The user's turn did not take place. Nothing is asked for, and there is no reply."""
        if not self._is_taken_back:
            self._is_taken_back = True
            self._take_back()

    async def __aenter__(self) -> "PushToTalk":
        await self._press()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self.take_back()
        elif not self._is_taken_back:
            self._reply = self._release()
