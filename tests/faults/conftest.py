"""The fixtures of faults, for every file here."""

from faulty import spoil, warm

__all__ = ["spoil", "warm"]
