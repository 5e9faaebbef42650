"""Numbers that the wire imposes. Each names its unit and where it stands."""

__all__ = [
    "APPEND_MAX_BYTES",
    "CALL_ID_MAX_CHARS",
    "CLIENT_SECRET_TTL_DEFAULT_S",
    "CLIENT_SECRET_TTL_MAX_S",
    "CLIENT_SECRET_TTL_MIN_S",
    "COMMIT_MIN_MS",
    "DATA_CHANNEL_MESSAGE_MAX_BYTES",
    "EVENT_ID_MAX_CHARS",
    "G711_SAMPLE_RATE_HZ",
    "IDLE_TIMEOUT_MAX_MS",
    "IDLE_TIMEOUT_MIN_MS",
    "ITEM_ID_MAX_CHARS",
    "ITEM_ID_PATTERN",
    "METADATA_KEY_MAX_CHARS",
    "METADATA_MAX_PAIRS",
    "METADATA_VALUE_MAX_CHARS",
    "OUTPUT_TOKENS_MAX",
    "OUTPUT_TOKENS_MIN",
    "PCM_BYTES_PER_SAMPLE",
    "PCM_SAMPLE_RATE_HZ",
    "PREVIEW_SESSION_MAX_S",
    "SERVER_FRAME_MAX_BYTES",
    "SESSION_MAX_S",
    "SPEED_DEFAULT",
    "SPEED_MAX",
    "SPEED_MIN",
    "TOOLS_MAX",
    "TOOL_NAME_MAX_CHARS",
    "TOOL_NAME_PATTERN",
]

PCM_SAMPLE_RATE_HZ = 24_000
"""Source: API reference, audio formats: 16-bit little-endian, mono, 24 kHz only."""

PCM_BYTES_PER_SAMPLE = 2
"""Source: API reference, audio formats."""

G711_SAMPLE_RATE_HZ = 8_000
"""Both laws, mono, one byte a sample. Source: API reference, audio formats."""

APPEND_MAX_BYTES = 15 * 1024 * 1024
"""Of the `audio` of one `input_audio_buffer.append`; it must not be empty either. Source: API reference."""

COMMIT_MIN_MS = 100
"""A shorter commit is refused. Source: recorded sessions, `input_audio_buffer_commit_empty`."""

EVENT_ID_MAX_CHARS = 512
"""Of a client's `event_id`. Source: API reference, client events."""

ITEM_ID_MAX_CHARS = 32
"""Of an item id that a client chooses. Source: recorded sessions, `string_above_max_length`."""

ITEM_ID_PATTERN = r"^[a-zA-Z0-9_-]+$"
"""Source: recorded sessions, the error for another one."""

CALL_ID_MAX_CHARS = 32
"""Of the `call_id` in a client's item. Source: recorded sessions."""

TOOL_NAME_MAX_CHARS = 64
"""Not published for realtime; the length of the provider's other APIs. The pattern is in recorded sessions."""

TOOL_NAME_PATTERN = r"^[a-zA-Z0-9_-]+$"
"""Source: recorded sessions."""

TOOLS_MAX = 128
"""Not published for realtime; the number of the provider's other APIs. A hint, not a rule."""

METADATA_MAX_PAIRS = 16
"""Source: API reference, metadata."""

METADATA_KEY_MAX_CHARS = 64
"""Source: API reference, metadata."""

METADATA_VALUE_MAX_CHARS = 512
"""Values are text. Source: API reference, metadata."""

OUTPUT_TOKENS_MIN = 1
"""Source: API reference, `max_output_tokens`."""

OUTPUT_TOKENS_MAX = 4096
"""More is said as `inf`. Source: API reference, `max_output_tokens`."""

SPEED_MIN = 0.25
"""Source: API reference, `audio.output.speed`."""

SPEED_MAX = 1.5
"""Source: API reference, `audio.output.speed`."""

SPEED_DEFAULT = 1.0
"""Source: API reference, `audio.output.speed`."""

IDLE_TIMEOUT_MIN_MS = 5_000
"""Source: API reference, `turn_detection.idle_timeout_ms`."""

IDLE_TIMEOUT_MAX_MS = 30_000
"""Source: API reference, `turn_detection.idle_timeout_ms`."""

CLIENT_SECRET_TTL_MIN_S = 10
"""Source: API reference, client secrets, `expires_after.seconds`. It bounds the start of sessions only."""

CLIENT_SECRET_TTL_MAX_S = 7_200
"""Source: API reference, client secrets."""

CLIENT_SECRET_TTL_DEFAULT_S = 600
"""Source: API reference, client secrets."""

SESSION_MAX_S = 3_600
"""Source: recorded sessions: `session.expires_at` is this long after the start. Trust `expires_at` first."""

PREVIEW_SESSION_MAX_S = 1_800
"""Of the preview, and of Azure by its documentation. Trust `session.expires_at` first."""

SERVER_FRAME_MAX_BYTES = 1024 * 1024
"""Stay below it: the smallest default of the common client libraries (websockets; aiohttp has 4 MiB)."""

DATA_CHANNEL_MESSAGE_MAX_BYTES = 262_144
"""What WebRTC clients offer; the server would take more. Source: recorded session descriptions."""
