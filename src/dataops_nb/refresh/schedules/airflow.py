"""An Airflow DAG of one task. Airflow may start it late or twice; a failing cell is not tried again."""

from __future__ import annotations

import shlex

from dataops_nb.refresh.schedules.moment import Plan

TEXT = '''\
"""Refresh the reports of {suite}; put this file into Airflow's dags folder."""

import pendulum

try:  # Airflow 3
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator
from airflow.timetables.trigger import CronTriggerTimetable

with DAG(
    dag_id={name!r},
    schedule=CronTriggerTimetable({cron!r}, timezone={timezone!r}),
    start_date=pendulum.datetime(2026, 1, 1, tz={timezone!r}),
    catchup=False,
    max_active_runs=1,
    tags=["dataops-nb"],
):
    BashOperator(task_id="refresh", bash_command={command!r}, retries=0)
'''


def files(plan: Plan) -> dict[str, str]:
    """The DAG's file. The braces of a template are written as text, and a space keeps `.sh` from being read as a file."""
    command = shlex.join(plan.words).replace("{", "{{ '{' }}") + " "
    said = {"name": plan.name, "cron": plan.cron, "timezone": plan.timezone, "command": command}
    return {
        f"{plan.name.replace('-', '_')}.py": TEXT.format(suite=plan.suite.replace('"', "'").replace("\\", ""), **said)
    }
