"""The Korean speaking interview: what is asked next, why, and when it ends.

    levels.py      A1 ... C2
    plan.py        limits and tasks as data, from the files of the bank
    policy.py      (progress, what was heard) -> (progress, the interviewer's next move)
    guidance.py    the same plan for a model that speaks for itself
    transcript.py  who said what, when, and how we know
    conductor.py   plays the plan on a session
    learners.py    simulated learners, for demonstrations and tests

What decides waits for nothing, reads no clock and draws no random number. The conductor, and what it is made of
(exchange, voicing, saying, closing, reporting, reading, assessing), does, and tells the policy.
"""
