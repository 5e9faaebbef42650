"""The other end, offline: a Realtime server. `peer` decides; `session` and `serve` perform."""
