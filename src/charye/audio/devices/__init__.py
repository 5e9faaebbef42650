"""Microphones and loudspeakers of this machine, and WAV files in their place. Needs the extra `devices`."""

from charye.audio.devices.choosing import list_devices, open_loudspeaker, open_microphone
from charye.audio.devices.drivers import Device, Direction
from charye.audio.devices.files import FileCapture, FileLoudspeaker
from charye.audio.devices.streams import DeviceCapture, DeviceLoudspeaker

__all__ = [
    "Device",
    "DeviceCapture",
    "DeviceLoudspeaker",
    "Direction",
    "FileCapture",
    "FileLoudspeaker",
    "list_devices",
    "open_loudspeaker",
    "open_microphone",
]
