"""Files of `out/history`, without what makes tables of them: how rows are added, read and checked.

Every refresh asks whether these files are sound and whether they have changed; so nothing in here
imports anything slow. `history` remembers and asks.
"""
