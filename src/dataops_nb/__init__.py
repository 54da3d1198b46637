"""A notebook workbench for the numbers of a revenue organisation.

Everything is a function from a metric table to a metric table: sources are aligned into one table, the table is judged,
told and published. Notebooks import the concepts: ``from dataops_nb import board, charts, story, tables, workbench``.
"""

__version__ = "0.1.0"
