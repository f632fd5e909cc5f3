"""Execute a notebook with this interpreter: `python -m scripts.run_notebook NOTEBOOK`, from the root of the repository.

The notebook stays as it is, without outputs; -o writes an executed copy. A cell that fails ends it with that cell and
its error. Kernels that a user or the machine has installed are not asked.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

_TIMEOUT_S = 600


def main() -> int:
    """Execute it; 1 where a cell fails."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("notebook", type=Path)
    parser.add_argument("-o", "--output", type=Path, help="write the executed notebook to this file")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="scorekit-notebook-") as folder:
        # Jupyter's own folders, and those of what it starts: the home folder may not be there to be written to.
        for name in ("DATA", "CONFIG", "RUNTIME"):
            os.environ[f"JUPYTER_{name}_DIR"] = folder
        os.environ |= {"IPYTHONDIR": str(Path(folder, "ipython")), "JUPYTER_PATH": "", "JUPYTER_PREFER_ENV_PATH": "1"}
        return _execute(options.notebook, options.output, folder)


def _execute(path: Path, output: Path | None, runtime: str) -> int:
    import nbformat
    from jupyter_client.kernelspec import KernelSpecManager
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    notebook = nbformat.read(path, as_version=4)
    # With no folder to look in, the one kernel left is that of this interpreter.
    specs = KernelSpecManager(kernel_dirs=[], ensure_native_kernel=True)
    # By sockets in the file system: a machine may have no network at all.
    manager = AsyncKernelManager(
        kernel_name="python3", kernel_spec_manager=specs, transport="ipc", ip=os.path.join(runtime, "kernel")
    )
    client = NotebookClient(
        notebook, km=manager, timeout=_TIMEOUT_S, resources={"metadata": {"path": str(path.resolve().parent)}}
    )
    try:
        client.execute()
    except CellExecutionError as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        if output is not None:
            nbformat.write(notebook, output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
