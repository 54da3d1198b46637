"""Execution: one notebook in one process of its own, forked from a warm one or started afresh.

Starting Python, importing pandas and altair and starting a kernel cost a report ten times what its cells do. So a
`template` imports all of that once and forks a child for each report; the child runs the cells in a `shell` of its own,
as papermill's `engine`, and its outputs are those of the stock kernel. `child` is what happens in a report's process
under either engine, `forks` is the runner's end of the template, `sizes` keeps outputs small, `processes` leave nothing
behind. Nothing here knows what a report is about.
"""
