"""Blocking work in a thread that nobody has to wait for at the end of the program.

asyncio's own pool is joined when the loop closes, so one job that hangs would hold up Ctrl-C for ever.
"""

import asyncio
import contextvars
import threading
from collections.abc import Callable
from typing import ParamSpec, TypeVar

__all__ = ["in_thread"]

P = ParamSpec("P")
T = TypeVar("T")


async def in_thread(function: Callable[P, T], *args: P.args, **options: P.kwargs) -> T:
    """Call it in a thread of its own, with the context variables of the caller; gives or raises what it does.

    Cancelling stops the waiting, not the thread: it goes on, and what it gives is dropped. Work that only computes
    leaves the interpreter to others but a few milliseconds at a time: give that to a process.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def deliver(settle: Callable[[], object]) -> None:
        if not answer.done():
            settle()

    def body() -> None:
        try:
            result = context.run(function, *args, **options)
        except BaseException as error:  # noqa: BLE001  (raised again where it is awaited)
            caught = error
            post(lambda: answer.set_exception(caught))
        else:
            post(lambda: answer.set_result(result))

    def post(settle: Callable[[], object]) -> None:
        try:
            loop.call_soon_threadsafe(deliver, settle)
        except RuntimeError:
            return  # the loop is closed: nobody waits

    threading.Thread(target=body, name="charye-blocking", daemon=True).start()
    return await answer
