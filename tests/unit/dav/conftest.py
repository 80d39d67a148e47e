"""Fuzzing without a clock: a busy machine is no failure."""

from hypothesis import settings

settings.register_profile("davhost", deadline=None)
settings.load_profile("davhost")
