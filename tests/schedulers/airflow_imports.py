"""Whether Airflow reads the printed DAG: run by `make test-airflow` with the Python of an Airflow's own environment."""

import inspect
import sys

try:  # Airflow 3
    from airflow.dag_processing.dagbag import DagBag
except ImportError:
    from airflow.models import DagBag

known = inspect.signature(DagBag.__init__).parameters
wanted = {
    "include_examples": False,
    "load_op_links": False,
    "safe_mode": False,
    "bundle_path": None,
}
found = DagBag(sys.argv[1], **{name: value for name, value in wanted.items() if name in known})
assert not found.import_errors, found.import_errors
(dag,) = found.dags.values()
(task,) = dag.tasks
assert "refresh weekly --due" in task.bash_command, task.bash_command
assert (task.retries, dag.catchup) == (0, False)
print(f"ok: {dag.dag_id}, {dag.timetable.summary}: {task.bash_command}")
