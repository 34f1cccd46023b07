"""Reading worker: the process in which `training.orchestrator.corpus.reading` prepares files.

Files come from anywhere, and what reads them may crash, hang or fill the memory; so it does that in here. The
process is handed one end of a connection and limits, says that it is ready, and answers paths until the other end
is gone.
"""

import logging
import resource
import signal
import sys
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

from training.orchestrator.corpus.preparing import Preparation, Prepared, lost, of_file

Limits = tuple[Preparation, int]
"""How to prepare, and the address space that the process may take in bytes."""


def main() -> None:
    """Answer until the connection ends; argument: the number of its file."""
    # Ctrl-C is for the process that asks; it closes the connection.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.simplefilter("ignore")
    # What libraries say of broken files is told by reasons.
    logging.disable()
    with Connection(int(sys.argv[1])) as connection:
        how, memory_byte = connection.recv()
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        lowest = memory_byte if hard == resource.RLIM_INFINITY else min(memory_byte, hard)
        resource.setrlimit(resource.RLIMIT_AS, (lowest, hard))
        connection.send(None)
        while True:
            try:
                path: Path = connection.recv()
            except EOFError:
                return
            connection.send(_prepared(path, how))


def _prepared(path: Path, how: Preparation) -> Prepared:
    try:
        return of_file(path, how)
    except (MemoryError, RecursionError):
        return lost("too much memory")


if __name__ == "__main__":
    main()
