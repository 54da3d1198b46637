"""What `dataops-nb lab` adds to JupyterLab: a notebook that is opened is not marked as modified.

Notebooks are stored without `language_info`, which names a version of Python and would change with
every machine. JupyterLab sets it as soon as the kernel answers, and asks on closing whether to save
that. Here the notebook arrives with it; what is on disk stays as it is until somebody saves.
"""

from __future__ import annotations

from typing import Any

from ipykernel.ipkernel import IPythonKernel
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager

KERNEL = "python3"


class Contents(AsyncLargeFileManager):
    """Files as ever, and notebooks with what their kernel will say of its language."""

    async def get(self, path: str, *arguments: Any, **options: Any) -> dict[str, Any]:
        """Return a file's model; that of a notebook for our kernel names its language."""
        read: Any = super().get  # jupyter_server does not say its types
        model: dict[str, Any] = await read(path, *arguments, **options)
        if model.get("type") == "notebook" and model.get("content"):
            add_language(model["content"]["metadata"])
        return model


def add_language(metadata: dict[str, Any]) -> None:
    """Add what this Python's kernel says of its language, where the notebook is for that kernel."""
    if metadata.get("kernelspec", {}).get("name") == KERNEL:
        metadata["language_info"] = dict(IPythonKernel.language_info)
