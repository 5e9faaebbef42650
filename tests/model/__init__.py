"""Exhaustive exploration: the real core, a small model of the server, a network with faults, every interleaving.

server    what a Realtime server does with one conversation, as a pure function of a small state
world     one closed world: core, server, two wires, app, user, time, faults; all its possible next steps
freeze    one canonical value per state of the core, so that equal states are met once
explore   breadth first over a world; safety at every step, liveness over the whole graph
worlds    the worlds that are explored
mutants   wrong rules, planted one at a time, and the world that catches each
"""
