"""The session: the asyncio runtime over the core. `charye.connect` is its door.

connecting    from a program's words to a session
session       the words of a program: say, respond, send_audio, hold_floor, ...
life          begun whole or not at all, ended so that nothing runs on
desk          the program's half: handles, events, tools (tool_runner), jobs
engine        the server's half: connection, driver, sound
crossing      between the two halves
journal       what went in and out, with reasons; replay does it again
"""
