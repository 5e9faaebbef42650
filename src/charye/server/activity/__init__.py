"""Whether somebody speaks: detectors that rate frames, and the machine that makes turns of the ratings."""
