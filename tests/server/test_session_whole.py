"""Mind, voice and ears of this package together: somebody speaks, and is answered."""

from __future__ import annotations

from charye.protocol import audio_base64
from charye.server.ears import LocalEars
from charye.server.minds import Echo
from charye.server.voice import ToneVoice
from tests.server.bench import pcm
from tests.server.test_session import client, virtually


def test_speech_is_found_ended_and_answered() -> None:
    async def story() -> None:
        said = b"".join([piece.pcm async for piece in ToneVoice().speak("안녕하세요 반갑습니다")])
        silence = bytes(len(pcm(800)))
        async with client(Echo("What did you say?"), ToneVoice(), LocalEars()) as one:
            session = {"type": "realtime", "audio": {"input": {"transcription": {"model": "whisper-1"}}}}
            await one.say("session.update", session=session)
            sound = silence + said + silence
            for start in range(0, len(sound), 4800):
                await one.say("input_audio_buffer.append", audio=audio_base64(sound[start : start + 4800]))
            await one.until("response.done")
            kinds = one.kinds()
            order = [
                "input_audio_buffer.speech_started",
                "input_audio_buffer.speech_stopped",
                "input_audio_buffer.committed",
                "conversation.item.added",
                "conversation.item.done",
                "response.created",
            ]
            start = kinds.index(order[0])
            assert kinds[start : start + len(order)] == order
            assert "conversation.item.input_audio_transcription.failed" in kinds  # there is no model here
            assert one.transcript() == "What did you say?"

    virtually(story)
