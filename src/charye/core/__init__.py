"""The part that decides: no clock, no I/O, no randomness, no asyncio.

Everything here is (state, input, now) -> effects. `peer.Peer` is the one door; the other modules are its
machines, each a table with the theory of it on top:

    floor        who holds the conversation's one voice, and what a create of ours may still become
    waiting      who waits for it, in which order
    coordinator  the two joined: asks, attributes what comes back, ends every request exactly once
    lanes        out-of-band responses, which take no floor
    watchdog     when silence means that something is lost
    evidence     what one connection has taught us so far
    turns        whether the user has the floor
    playout      what has been heard, which is not what has been generated
    tools        calls of one response, and the one reply they earn
    conversation the mirror of the server's items
"""
