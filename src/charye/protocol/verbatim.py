"""How a client asks for exact words. The API has no word for it: this is our sentence, and our own server obeys it."""

__all__ = ["say_exactly", "words_asked_for"]

_SAY_EXACTLY = "Say exactly this, and nothing else: "


def say_exactly(words: str) -> str:
    """Instructions of a response that is to say these words."""
    return f"{_SAY_EXACTLY}{words}"


def words_asked_for(instructions: str) -> str | None:
    """The words, if these instructions ask for exact ones."""
    return instructions.removeprefix(_SAY_EXACTLY) if instructions.startswith(_SAY_EXACTLY) else None
